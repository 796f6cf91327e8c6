// gallop estimators, in a build without the laboratory (GALLOP_LABORATORY).
#include <gallop/host/error.h>
#include <gallop/host/program/commands.h>

int gallop::run_estimators(const std::vector<std::string>&) {
  throw usage_error(
      "the laboratory, which compares estimators, was left out of this build (GALLOP_LABORATORY). "
      "'./gallop estimators' in the source tree compiles it");
}

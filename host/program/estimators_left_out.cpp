// What compares estimators, in a build without the laboratory (GALLOP_LABORATORY).
#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/program/commands.h>

namespace gallop {
namespace {

[[noreturn]] int refuse(const char* command) {
  throw usage_error(
      fmt::format("the laboratory, which compares estimators, was left out of this build "
                  "(GALLOP_LABORATORY). './gallop {}' in the source tree compiles it",
                  command));
}

}  // namespace

int run_estimators(const std::vector<std::string>&) { refuse("estimators"); }
int run_horizon(const std::vector<std::string>&) { refuse("study horizon"); }
int run_outline(const std::vector<std::string>&) { refuse("study outline"); }

}  // namespace gallop

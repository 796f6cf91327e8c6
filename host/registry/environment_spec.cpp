// Apart from the registry: a program that looks at one environment does not link all of them.
#include <string>

#include <gallop/host/error.h>
#include <gallop/host/registry/registry.h>
#include <gallop/kernels/environment/environment_table.h>

namespace gallop {

const EnvironmentSpec& spec_of(const EnvironmentEntry& entry) {
  for (const auto table : entry.compiled) {
    if (table != nullptr) return *table()->spec;
  }
  throw internal_error(std::string(entry.type) + " was compiled for no instruction set");
}

}  // namespace gallop

// Environments of a user's own tree that a finished program takes in: gallop_add_plugin() of
// cmake/GallopEnvironment.cmake makes a shared library of a header with GALLOP_ENVIRONMENT(Type),
// and the flag --plugin of the program loads it. A program of one's own needs no plugin: it links
// the environment and hands over its EnvironmentEntry.
#pragma once

#include <cstdint>
#include <string>

#include <gallop/host/registry/generated.h>
#include <gallop/kernels/environment/environment_table.h>

namespace gallop {

// What a plugin exports under the name gallop_environment_plugin. The first three members never
// move: they are read before the others are believed.
struct EnvironmentPlugin {
  std::uint32_t format;  // kPluginFormat
  std::uint32_t layout;  // plugin_layout() of the headers that it was compiled with
  const char* version;   // of Gallop
  int n_entries;
  const EnvironmentEntry* entries;  // [n_entries]
};

constexpr std::uint32_t kPluginFormat = 1;

// Changes with the sizes of what a program and a plugin hand to each other (FNV-1a, 32 bits).
constexpr std::uint32_t plugin_layout() {
  const std::size_t sizes[] = {sizeof(EnvironmentEntry), sizeof(EnvironmentTable),
                               sizeof(TransitionTable),  sizeof(EnvironmentSpec),
                               sizeof(EnvironmentBatch), sizeof(StepOutput),
                               sizeof(ParameterSpec),    sizeof(Shared)};
  std::uint32_t hash = 2166136261u;
  for (const std::size_t size : sizes) hash = (hash ^ std::uint32_t(size)) * 16777619u;
  return hash;
}

// Loads the shared library at `path` and adds its environments (add_environment); it stays loaded.
// Throws a usage error that names the file where it cannot be loaded, is no plugin, was built for
// another Gallop, or has an environment whose name is taken.
void load_plugin(const std::string& path);

}  // namespace gallop

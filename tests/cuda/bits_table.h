// The comparison of hashes that a device has to pass: rollouts of every environment under every
// kind of policy, single steps, resets of each mode, and training with every algorithm, each over
// several seeds and shapes of batches.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gallop/host/runtime/backend.h>

namespace gallop::testing {

struct BitsRow {
  std::string environment, policy, algorithm;  // algorithm "-" for a rollout, and for steps
  std::uint64_t seed;
  std::string shape;  // instances x steps, x iterations
  std::string cpu_hash = {}, gpu_hash = {};
};

// Batches below, at and above what fills the device, or small ones for an executor.
enum class BitsSize { kSmall, kFull };

// Calls `report` with each row as it is done. `plant` scales the subject's policies by the
// smallest factor above 1, so that their rows differ.
void compare_bits(Backend& cpu, Backend& subject, BitsSize size, bool plant,
                  const std::function<void(const BitsRow&)>& report);

// environment,policy,algorithm,seed,shape,cpu_hash,gpu_hash,commit
std::string bits_header();
std::string bits_line(const BitsRow& row, const std::string& commit);

}  // namespace gallop::testing

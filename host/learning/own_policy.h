// The policies that environments bring with them (kernels/environment/contract.h): linear ones of
// which a few weights are learnt and all else is fixed.
#pragma once

#include <cstdint>
#include <vector>

#include <gallop/host/options/option_rows.h>
#include <gallop/host/runtime/environments.h>

namespace gallop {

constexpr OptionSpec own_policy_row() {
  return choice_row("policy", "network", "network,own",
                    "what acts: a network of the hidden layers; or the few weights of the policy "
                    "that the environment brings with it, which has no hidden layers");
}

// What of a policy is learnt.
struct LearntPart {
  std::vector<std::uint8_t> fixed;  // [D] 1 where it is not; empty where everything is learnt
  std::vector<float> values;        // [D] of what is fixed

  // `parameters` [D] with what is fixed at its values.
  void apply(std::vector<float>& parameters) const;
  std::vector<long> learnt() const;  // the numbers of the other parameters
  // Throws a checkpoint error that names the tensor where something fixed has another value.
  void require(const std::vector<float>& parameters, const char* tensor) const;
};

// The option `policy` of a learner, for these environments. Throws a value error where it is "own"
// and the environment has none, or observes something else than it reads, or a flag of the command
// asks for hidden layers.
bool takes_own_policy(const Environments& environments, const Options& options);

// Of the environment's own policy: `shape` is linear.
LearntPart own_part(const EnvironmentSpec& spec, const PolicyShape& shape);

}  // namespace gallop

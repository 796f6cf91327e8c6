// Whole episodes of every member of a population (policy/population.h), of which only returns and
// lengths are kept: what is asked for, and what an episode's random numbers are drawn by.
//
// Member m plays its episode e as instance id * E + e, id = its member id, with the generation as
// the number of the episode. Common random numbers: where members share those of the dynamics (with
// the reset) or of the policy's sampling, these are drawn as instance e. All ids stand behind the
// scenario's offset.
#pragma once

#include <gallop/kernels/environment/environment_table.h>
#include <gallop/kernels/policy/heads.h>
#include <gallop/kernels/policy/population.h>

namespace gallop {

// Random numbers that are the same for all members.
enum class CommonNumbers : int { kNone, kPolicy, kDynamics, kBoth };

struct PopulationRequest {
  const EnvironmentTable* environment;  // the CPU backend's to fill in
  Scenario scenario;                    // with ids by offset, a time limit, shared parameters
  Population population;
  int episodes;  // E, of each member
  CommonNumbers common;
  int deterministic;
  int clip;
  float reward_shift;            // added to the reward of each step: return + shift * length
  float* episode_return;         // [P, E]; NaN where the instance met a number that is not finite
  std::int32_t* episode_length;  // [P, E]
  // [2, O, P E], or null: of each episode the sums, over the observations that its policy saw (as
  // many as the length), of x - normalization.mean, and of its squares. Element (m, e) of a row is
  // m E + e. Of indices they mean nothing.
  float* observation_sum;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

inline const char* refusal(const PopulationRequest& r) {
  if (const char* const why = population_refusal(r.population); why != nullptr) return why;
  if (parameter_count(r.population.shape) != r.population.n_parameters) {
    return "the members of a population have another number of parameters than their policy";
  }
  if (is_bounded(r.population.shape.head)) {
    return "a population of policies with a head of bounded actions; expected another head";
  }
  if (r.episodes < 1) return "a population without episodes; expected at least 1 for each member";
  if (double(r.population.n_members) * r.episodes > 0x7fffffff) {
    return "more than 2^31 - 1 episodes of a population; expected fewer members or episodes";
  }
  if (r.scenario.time_limit < 1) {
    return "episodes of a population without a time limit might never end; expected 1 or more "
           "steps";
  }
  if (r.scenario.parameters_per_instance != 0 || r.scenario.ids.id != nullptr) {
    return "the episodes of a population share the environment's parameters, with ids by offset";
  }
  return nullptr;
}

// The instance whose random numbers an episode draws, of the dynamics or of the policy.
GALLOP_HD std::uint32_t population_id(const PopulationRequest& r, bool of_policy, int member,
                                      int episode) {
  const CommonNumbers own = of_policy ? CommonNumbers::kPolicy : CommonNumbers::kDynamics;
  const bool shared = r.common == CommonNumbers::kBoth || r.common == own;
  const std::uint32_t id = shared ? 0u : member_id(r.population, member);
  return r.scenario.ids.offset + id * std::uint32_t(r.episodes) + std::uint32_t(episode);
}

GALLOP_HD float population_return(const PopulationRequest& r, float episode_return,
                                  std::int32_t length, bool finite) {
  return finite ? fmadd(r.reward_shift, float(length), episode_return) : __builtin_nanf("");
}

GALLOP_HD int observation_rows(const PopulationRequest& r, const EnvironmentSpec& spec) {
  return spec.observation_kind == SpaceKind::kDiscrete ? 1 : r.scenario.shared.sizes.observation;
}

}  // namespace gallop::inline GALLOP_ISA

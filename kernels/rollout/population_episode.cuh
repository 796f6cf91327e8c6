// What kernels over the episodes of a population share: a member's parameters, and an episode on
// one thread.
#pragma once

#include <gallop/kernels/rollout/population_request.h>
#include <gallop/kernels/population/parameters.cuh>
#include <gallop/kernels/rollout/instance.cuh>

namespace gallop::inline GALLOP_ISA {

// Parameters of a member, by the threads of a block.
__device__ __forceinline__ void make_row(const Population& p, int member, float* row) {
  GALLOP_UNROLL(1)
  for (long block = threadIdx.x; block < parameter_blocks(p); block += blockDim.x) {
    write_parameters(p, member, block, row);
  }
}

// One episode on one thread.
template <class Env>
struct PopulationEpisode {
  using T = Traits<Env>;
  using P = typename Env::template Parameters<float>;
  Instances<Env, float> in;
  std::uint32_t policy_id;
  bool active, finite;
  float observation[T::kObservationRows];

  // Parameters of the environment in this episode, again from memory.
  __device__ __forceinline__ void load(const PopulationRequest& r, P& p) const {
    broadcast_struct<float>(p, r.scenario.parameters);
    draw_parameters<Env, float>(r.scenario, in.id, in.episode, p);
  }

  // `p`: what episodes share, then with what this one has drawn.
  __device__ __forceinline__ void begin(const PopulationRequest& r, P& p, int member, int episode) {
    __builtin_memset(static_cast<void*>(&in.state), 0, sizeof(in.state));
    in.id = population_id(r, false, member, episode);
    policy_id = population_id(r, true, member, episode);
    in.episode = r.population.generation;
    begin_episode<Env, float>(r.scenario, p, in, true);
    observe<Env, float>(r.scenario.shared, p, in.state, observation);
    finite = true;
  }

  // The observations that the policy sees are added up where they are wanted.
  __device__ __forceinline__ void add_observation(const PopulationRequest& r, long at) const {
    const long episodes = long(r.population.n_members) * r.episodes;
    const int rows = observation_rows<Env>(r.scenario.shared);
    const float* const mean = r.population.normalization.mean;
    for (int k = 0; k < rows; k++) {
      float* const sum = r.observation_sum + k * episodes + at;
      float* const square = sum + rows * episodes;
      const float d = mean != nullptr ? observation[k] - mean[k] : observation[k];
      const bool first = in.elapsed == 0;
      *sum = (first ? 0.0f : *sum) + d;
      *square = fmadd(d, d, first ? 0.0f : *square);
    }
  }

  // Without kLogStd log sigma is never among the outputs.
  template <bool kLogStd = true>
  __device__ __forceinline__ void step(const PopulationRequest& r, P& p, const float* output,
                                       const float* log_std) {
    Rng<float> rng(r.scenario.seed, kRandomAction, policy_id, in.episode, to_word(in.elapsed));
    float chosen[T::kAction], action[T::kActionRows];
    choose_one<Env, kLogStd>(r.population.shape, r.deterministic != 0, output, log_std, rng,
                             chosen);
    const int rows = action_rows<Env>(r.scenario.shared);
    GALLOP_UNROLL(64)
    for (int k = 0; k < T::kActionRows; k++) action[k] = k < rows ? chosen[k] : 0.0f;
    if (r.clip != 0) clip_action<Env, float>(action);
    Transition<Env, float> to;
    advance<Env, float>(r.scenario, p, in, ResetMode::kByCaller, false, action, to);
    active = !to.ended;
    finite = finite && to.finite;
    GALLOP_UNROLL(64)
    for (int k = 0; k < T::kObservationRows; k++) observation[k] = to.observation[k];
  }

  __device__ __forceinline__ void keep(const PopulationRequest& r, long at) const {
    r.episode_return[at] = population_return(r, in.episode_return, in.elapsed, finite);
    r.episode_length[at] = in.elapsed;
  }
};

}  // namespace gallop::inline GALLOP_ISA

// Exploration by an Ornstein-Uhlenbeck process: Uhlenbeck and Ornstein 1930, as in Lillicrap et
// al., arXiv:1509.02971v6, section 3 and supplement 7, by the Euler-Maruyama step
//
//   x' = x - theta x dt + sigma sqrt(dt) N(0, 1)
//
// whose stationary variance is sigma^2 dt / (1 - (1 - theta dt)^2). It is 0 where an episode
// begins.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/random/instance_ids.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {

// One step of n instances: their processes go on, and x in units of half the range is added to
// their actions, which are then limited to centre +- half. Returns before it is done. The same bits
// on every backend and for any number of threads. Random numbers: purpose kRandomExploration,
// counter (id, episode, step), a pair of words for two components.
struct OuNoiseRequest {
  long n;
  int action_rows;                // A
  float theta, sigma, time_step;  // dt
  const float* half;              // [A] half the range of a component
  const float* centre;            // [A]
  std::uint64_t seed;
  // [n, and readable up to the next multiple of 16]
  InstanceIds ids;
  const std::uint32_t* episode;
  const std::int32_t* elapsed;  // steps of the episode so far
  float* process;               // [A, n] x
  float* action;                // [A, n]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD void ou_noise_lanes(const OuNoiseRequest& r, long i, int count) {
  const Int<F> elapsed = load_words(r.elapsed + i, kLanesOf<F>, Int<F>());
  Rng<F> rng(r.seed, kRandomExploration, ids_from<F>(r.ids, int(i)),
             load_words(r.episode + i, kLanesOf<F>, Word<F>()), to_word(elapsed));
  const F kept(1.0f - r.theta * r.time_step), scale = F(r.sigma) * sqrt(F(r.time_step));
  const F begun = to_real(elapsed);
  for (int k = 0; k < r.action_rows; k++) {
    float* const process = r.process + k * r.n + i;
    float* const action = r.action + k * r.n + i;
    const F before = select(begun > F(0.0f), load_lanes(process, count, F()), F(0.0f));
    const F x = fmadd(scale, rng.normal(), kept * before);
    store_lanes(process, x, count);
    const F half(r.half[k]), centre(r.centre[k]);
    const F noisy = fmadd(half, x, load_lanes(action, count, F()));
    store_lanes(action, min(centre + half, max(centre - half, noisy)), count);
  }
}

template <class F>
void ou_noise(const OuNoiseRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { ou_noise_lanes<F>(r, i, count); });
}

}  // namespace gallop::inline GALLOP_ISA

// The age of a recorded state, the number of steps since its episode began, and the discount by it:
// with gamma < 1 the gradient of the discounted return E[sum_t gamma^t r_t] has a factor gamma^t in
// front of grad log pi(u_t | s_t); without it states count undiscounted, which is no gradient of
// either objective but what most learners do.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/numerics/math.h>

namespace gallop {

struct AgeRequest {
  int n_steps, n_envs;
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  float* age;                      // [T + 1, N]; row 0 is given, the others are written
};

// advantage[i] becomes gamma^age[i] advantage[i].
struct AgeDiscountRequest {
  float* advantage;  // [n]
  const float* age;  // [n]
  float gamma;
  long n;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// The age after the step of element `at`.
template <class F>
GALLOP_HD F age_after(const AgeRequest& r, F age, long at, int count) {
  const Mask<F> running =
      load_clear(r.terminated + at, count, F()) & load_clear(r.truncated + at, count, F());
  return zero_unless(running, age + F(1.0f));
}

template <class F>
GALLOP_HD void ages_of(const AgeRequest& r, int n, int count) {
  F age = load_lanes(r.age + n, count, F());
  for (int t = 0; t < r.n_steps; t++) {
    const long at = long(t) * r.n_envs + n;
    age = age_after<F>(r, age, at, count);
    store_lanes(r.age + at + r.n_envs, age, count);
  }
}

// gamma^age = exp(age log gamma); 0^0 is 1.
template <class F, class Real>
GALLOP_HD F discounted_by_age(F advantage, F age, Real gamma) {
  const F power = gamma > Real(0) ? exp(age * log(F(gamma))) : F(0.0f);
  return advantage * select(age > F(0.0f), power, F(1.0f));
}

// Row after row: a row of ages is in the cache when the next one is made of it.
template <class F>
void ages(const AgeRequest& r, const CpuWork& on) {
  constexpr int kW = kLanesOf<F>;
  split(on, r.n_envs, kInstanceGrain, [&](int, long begin, long end) {
    for (int t = 0; t < r.n_steps; t++) {
      for (long n = begin; n < end; n += kW) {
        const int count = end - n < kW ? int(end - n) : kW;
        const long at = long(t) * r.n_envs + n;
        const F age = age_after<F>(r, load_lanes(r.age + at, count, F()), at, count);
        store_lanes(r.age + at + r.n_envs, age, count);
      }
    }
  });
}

template <class F>
void discount_by_age(const AgeDiscountRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, 1024, [&](long i, int count) {
    const F x = load_lanes(r.advantage + i, count, F()), age = load_lanes(r.age + i, count, F());
    store_lanes(r.advantage + i, discounted_by_age(x, age, r.gamma), count);
  });
}

}  // namespace gallop::inline GALLOP_ISA

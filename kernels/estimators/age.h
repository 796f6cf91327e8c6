// The age of a recorded state, the number of steps since its episode began, and the discount by it:
// with gamma < 1 the gradient of the discounted return E[sum_t gamma^t r_t] has a factor gamma^t in
// front of grad log pi(u_t | s_t); without it states count undiscounted, which is no gradient of
// either objective but what most learners do.
#pragma once

#include "kernels/numerics/math.h"

namespace gallop {

struct AgeRequest {
  int n_steps, n_envs;
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  float* age;                      // [T + 1, N]; row 0 is given, the others are written
  int begin, end;                  // instances
};

// advantage[i] becomes gamma^age[i] advantage[i], i in [begin, end).
struct AgeDiscountRequest {
  float* advantage;
  const float* age;
  float gamma;
  long begin, end;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD void ages_of(const AgeRequest& r, int n, int count) {
  F age = load_lanes(r.age + n, count, F());
  for (int t = 0; t < r.n_steps; t++) {
    const long at = long(t) * r.n_envs + n;
    const Mask<F> ended =
        load_mask(r.terminated + at, count, F()) | load_mask(r.truncated + at, count, F());
    age = select(ended, F(0.0f), age + F(1.0f));
    store_lanes(r.age + at + r.n_envs, age, count);
  }
}

// gamma^age = exp(age log gamma); 0^0 is 1.
template <class F>
GALLOP_HD F discounted_by_age(F advantage, F age, float gamma) {
  const F power = gamma > 0.0f ? exp(age * log(F(gamma))) : F(0.0f);
  return advantage * select(age > F(0.0f), power, F(1.0f));
}

template <class F>
void ages(const AgeRequest& r) {
  constexpr int kW = kLanesOf<F>;
  for (int n = r.begin; n < r.end; n += kW) {
    ages_of<F>(r, n, r.end - n < kW ? r.end - n : kW);
  }
}

template <class F>
void discount_by_age(const AgeDiscountRequest& r) {
  constexpr int kW = kLanesOf<F>;
  for (long i = r.begin; i < r.end; i += kW) {
    const int count = r.end - i < kW ? int(r.end - i) : kW;
    const F x = load_lanes(r.advantage + i, count, F()), age = load_lanes(r.age + i, count, F());
    store_lanes(r.advantage + i, discounted_by_age(x, age, r.gamma), count);
  }
}

}  // namespace gallop::inline GALLOP_ISA

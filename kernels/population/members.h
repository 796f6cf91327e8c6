// The parameters of members of a population as rows, for who evaluates them himself.
#pragma once

#include <gallop/kernels/population/noise.h>

namespace gallop {

// Members [first, first + n).
struct MembersRequest {
  Population population;
  int first, n;
  float* out;  // [n, D]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD const char* refusal(const MembersRequest& r) {
  if (const char* const why = population_refusal(r.population); why != nullptr) return why;
  if (r.first < 0 || r.n < 0 || r.first > r.population.n_members - r.n) {
    return "members of a population that are not there; expected first + n up to their number";
  }
  return nullptr;
}

// theta[k] = center[k] + s sigma[k] eps[k - begin] for k in [begin, end), to to[k - begin].
template <class F>
GALLOP_HD void perturb(const Population& p, bool mirror, long begin, long end, const float* eps,
                       float* to) {
  constexpr int kW = kLanesOf<F>;
  for (long k = begin; k < end; k += kW) {
    const int count = end - k < kW ? int(end - k) : kW;
    const F sigma = p.sigma != nullptr ? load_lanes(p.sigma + k, count, F()) : F(p.sigma_all);
    const F center = load_lanes(p.center + k, count, F());
    const F z = load_lanes(eps + (k - begin), count, F());
    store_lanes(to + (k - begin), fmadd(mirror ? -sigma : sigma, z, center), count);
  }
}

template <class F>
void make_members(const MembersRequest& r, const CpuWork& on) {
  const Population& p = r.population;
  const long d = p.n_parameters, run = Noise<F>::run(p);
  if (p.members != nullptr) {
    split(on, r.n, 1, [&](int, long begin, long end) {
      __builtin_memcpy(r.out + begin * d, p.members + (r.first + begin) * d,
                       sizeof(float) * std::size_t((end - begin) * d));
    });
    return;
  }
  const long eps_floats = whole_lines(Noise<F>::run_floats(p));
  const long scratch = eps_floats + whole_lines(Noise<F>::scratch(p));
  float* const memory = on.floats(on.owner, on.n_threads * scratch);
  split(on, r.n, 2, [&](int thread, long begin, long end) {
    float* const eps = memory + thread * scratch;
    const Noise<F> noise(p, eps + eps_floats);
    for (long m = begin; m < end;) {
      const int member = r.first + int(m);
      const bool both = p.mirrored != 0 && !is_mirror(p, member) && m + 1 < end;
      for (long k = 0; k < d; k += run) {
        const long last = k + run < d ? k + run : d;
        noise.write(pair_of(p, member), k, last, eps);
        float* const row = r.out + m * d + k;
        perturb<F>(p, is_mirror(p, member), k, last, eps, row);
        if (both) perturb<F>(p, true, k, last, eps, row + d);
      }
      m += both ? 2 : 1;
    }
  });
}

}  // namespace gallop::inline GALLOP_ISA

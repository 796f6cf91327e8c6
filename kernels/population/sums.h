// Sums of the perturbations of a population, weighted by its members: the estimate of a gradient,
// and what means and variances of the chosen follow from. The perturbations are made once more.
//
//   sum[k] = sum over m of w[m] s[m] eps[m, k],  sum_of_squares[k] = sum over m of w[m] eps[m, k]^2
//
// Over chunks of 128 members in their order, each one chain of fused multiply-adds, and over chunks
// order-free (reduce/partials.h). Of mirrored pairs the weights are subtracted (added) first.
#pragma once

#include <gallop/kernels/population/noise.h>
#include <gallop/kernels/reduce/partials.h>

namespace gallop {

constexpr int kChunkMembers = 128;

struct SumMembersRequest {
  Population population;  // of perturbations
  const float* weight;    // [P]; NaN or infinity among them makes all sums NaN
  float* sum;             // [D]
  float* sum_of_squares;  // [D] or null
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD const char* refusal(const SumMembersRequest& r) {
  if (r.population.members != nullptr) {
    return "sums over the members of a population that has no perturbations; expected a centre";
  }
  return population_refusal(r.population);
}

GALLOP_HD int member_chunks(const Population& p) {
  return (p.n_members + kChunkMembers - 1) / kChunkMembers;
}

// Weights of what is drawn once, a member or a mirrored pair.
struct DrawWeights {
  float of_eps, of_square;
};
GALLOP_HD DrawWeights draw_weights(const SumMembersRequest& r, int member) {
  const float w = r.weight[member];
  if (r.population.mirrored == 0) return {w, w};
  return {w - r.weight[member + 1], w + r.weight[member + 1]};
}
GALLOP_HD int members_of_draw(const Population& p) { return p.mirrored != 0 ? 2 : 1; }
GALLOP_HD int end_of_chunk(const Population& p, int chunk) {
  const int end = (chunk + 1) * kChunkMembers;
  return end < p.n_members ? end : p.n_members;
}

// The partial sums of all chunks, and of their squares behind those.
struct MemberPartials {
  int n_chunks, n_sums;
  long stride;
  float *partial, *greatest;

  GALLOP_HD MemberPartials(const SumMembersRequest& r)
      : n_chunks(member_chunks(r.population)),
        n_sums(r.sum_of_squares != nullptr ? 2 : 1),
        stride(whole_lines(r.population.n_parameters)),
        partial(nullptr),
        greatest(nullptr) {}
  GALLOP_HD long floats() const { return long(n_sums) * n_chunks * (stride + kMaxSegments); }
  GALLOP_HD void use(float* memory) {
    partial = memory;
    greatest = memory + long(n_sums) * n_chunks * stride;
  }
  GALLOP_HD float* row(int sum, int chunk) const {
    return partial + (long(sum) * n_chunks + chunk) * stride;
  }
  GALLOP_HD ReduceRequest reduction(const SumMembersRequest& r, int sum) const {
    ReduceRequest to = {};
    to.segments.count = 1;
    to.segments.begin[1] = int(r.population.n_parameters);
    to.n_chunks = n_chunks;
    to.partial = row(sum, 0);
    to.stride = stride;
    to.greatest = greatest + long(sum) * n_chunks * kMaxSegments;
    to.sum = sum == 0 ? r.sum : r.sum_of_squares;
    return to;
  }
};

// Parameters [begin, end) of the partial sums of a chunk.
template <class F>
void sum_chunk(const SumMembersRequest& r, const MemberPartials& to, int chunk, long begin,
               long end, const Noise<F>& noise, float* eps) {
  constexpr int kW = kLanesOf<F>;
  const Population& p = r.population;
  float* const sum = to.row(0, chunk);
  float* const square = to.n_sums > 1 ? to.row(1, chunk) : nullptr;
  for (long k = begin; k < end; k += kW) {
    const int count = end - k < kW ? int(end - k) : kW;
    store_lanes(sum + k, F(0.0f), count);
    if (square != nullptr) store_lanes(square + k, F(0.0f), count);
  }
  for (int m = chunk * kChunkMembers; m < end_of_chunk(p, chunk); m += members_of_draw(p)) {
    noise.write(pair_of(p, m), begin, end, eps);
    const DrawWeights w = draw_weights(r, m);
    for (long k = begin; k < end; k += kW) {
      const int count = end - k < kW ? int(end - k) : kW;
      const F z = load_lanes(eps + (k - begin), count, F());
      store_lanes(sum + k, fmadd(F(w.of_eps), z, load_lanes(sum + k, count, F())), count);
      if (square == nullptr) continue;
      store_lanes(square + k, fmadd(F(w.of_square), z * z, load_lanes(square + k, count, F())),
                  count);
    }
  }
}

template <class F>
void sum_members(const SumMembersRequest& r, const CpuWork& on) {
  const Population& p = r.population;
  const long run = Noise<F>::run(p), runs = Noise<F>::run_count(p);
  const long eps_floats = whole_lines(Noise<F>::run_floats(p));
  const long scratch = eps_floats + whole_lines(Noise<F>::scratch(p));
  MemberPartials to(r);
  float* const memory = on.floats(on.owner, on.n_threads * scratch + to.floats());
  to.use(memory + on.n_threads * scratch);
  split(on, to.n_chunks * runs, 1, [&](int thread, long begin, long end) {
    float* const eps = memory + thread * scratch;
    const Noise<F> noise(p, eps + eps_floats);
    for (long task = begin; task < end; task++) {
      const long first = task % runs * run;
      const long last = first + run < p.n_parameters ? first + run : p.n_parameters;
      sum_chunk<F>(r, to, int(task / runs), first, last, noise, eps);
    }
  });
  split(on, long(to.n_sums) * to.n_chunks, 1, [&](int, long begin, long end) {
    for (long row = begin; row < end; row++) {
      to.greatest[row * kMaxSegments] =
          greatest_magnitude<F>(to.partial + row * to.stride, p.n_parameters);
    }
  });
  for (int s = 0; s < to.n_sums; s++) reduce_partials<F>(to.reduction(r, s), on);
}

}  // namespace gallop::inline GALLOP_ISA

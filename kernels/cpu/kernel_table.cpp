// Compiled once for each instruction set.
#include "kernels/cpu/kernel_table.h"

#include "kernels/cpu/native.h"
#include "kernels/estimators/standardize.h"
#include "kernels/gradients/gradient.h"

namespace gallop::inline GALLOP_ISA {

// The steps of a trust region by one thread.
template <class Request, void (*kStep)(const Request&, const OneThread&)>
static void alone(const Request& r) {
  kStep(r, OneThread());
}

static constexpr CpuKernels kKernels = {kLanesOf<Native>,
                                        &rollout<Native>,
                                        &act<Native>,
                                        &evaluate<Native>,
                                        &gae<Native>,
                                        &returns<Native>,
                                        &greatest_magnitude<Native>,
                                        &fixed_sum<Native>,
                                        &fixed_sum_of_squares<Native>,
                                        &standardize<Native>,
                                        &policy_gradient<Native>,
                                        &value_gradient<Native>,
                                        &reduce_partials<Native>,
                                        &adam<Native>,
                                        &fisher_prepare<Native>,
                                        &fisher_product<Native>,
                                        &policy_divergence<Native>,
                                        &n_step<Native>,
                                        &path_returns<Native>,
                                        &ages<Native>,
                                        &discount_by_age<Native>,
                                        &features,
                                        &gram,
                                        &linear_values,
                                        &optimal_baseline,
                                        &alone<ConjugateGradientRequest, conjugate_gradient_begin>,
                                        &alone<ConjugateGradientRequest, conjugate_gradient_step>,
                                        &alone<ConjugateGradientRequest, conjugate_gradient_end>,
                                        &alone<LineSearchRequest, line_search_begin>,
                                        &alone<LineSearchRequest, line_search_step>};

}  // namespace gallop::inline GALLOP_ISA

#define GALLOP_PASTE_(a, b) a##_##b
#define GALLOP_PASTE(a, b) GALLOP_PASTE_(a, b)
extern "C" const gallop::CpuKernels* GALLOP_PASTE(gallop_cpu_kernels, GALLOP_ISA)() {
  return &gallop::GALLOP_ISA::kKernels;
}

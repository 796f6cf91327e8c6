// A policy at recorded samples and its Fisher products, on any backend.
#pragma once

#include <gallop/host/runtime/fisher_products.h>
#include "tests/cuda/gradient_case.h"

namespace gallop::testing {

inline PolicyShape policy_of(const GradientCase& c) {
  return shape_of(c, c.head == Head::kGaussianNetwork ? 2 * c.n_actions : c.n_actions);
}

// A policy at recorded samples, its units prepared.
struct FisherCase {
  CaseSamples from;
  PolicyShape shape;
  std::vector<float> values;
  DeviceArray<float> parameters, mean, inverse_std;
  DeviceArray<std::uint8_t> fixed;
  FisherProducts fisher;
  FisherRequest request = {};

  FisherCase(Backend& backend, const GradientCase& c, FisherPath path = FisherPath::kFused,
             FisherMatrix matrix = FisherMatrix::kAnalytic)
      : from(backend, c),
        shape(policy_of(c)),
        values(parameters_of(shape, 17, 1.0f)),
        parameters(uploaded(backend, values)),
        mean(uploaded(backend, Numbers(31).many(c.n_inputs, -0.5f, 0.5f))),
        inverse_std(uploaded(backend, Numbers(32).many(c.n_inputs, 0.5f, 2.0f))),
        fixed(uploaded(backend, fixed_in(c, shape))),
        fisher(backend, shape, c.count, path, matrix) {
    request.policy = {shape, parameters.data(), {}, fixed.data()};
    if (c.normalized) request.policy.normalization = {mean.data(), inverse_std.data(), 1.2f};
    request.samples = from.samples;
    request.weight = 1.0f / float(c.count);
    fisher.prepare(request);
  }
};

// The product with a vector, and three poisoned floats after it.
inline std::vector<float> run_product(Backend& backend, FisherCase& at, int active = 1) {
  const auto vector = uploaded(backend, parameters_of(at.shape, 23, 1.0f));
  const auto flag = uploaded<std::int32_t>(backend, {active});
  const auto product = poisoned<float>(backend, at.values.size() + 3);
  at.request.vector = vector.data();
  at.request.active = flag.data();
  at.request.product = product.data();
  at.fisher.product(at.request);
  return product.download();
}
inline std::vector<float> run_product(Backend& backend, const GradientCase& c, int active = 1,
                                      FisherPath path = FisherPath::kFused,
                                      FisherMatrix matrix = FisherMatrix::kAnalytic) {
  FisherCase at(backend, c, path, matrix);
  return run_product(backend, at, active);
}

}  // namespace gallop::testing

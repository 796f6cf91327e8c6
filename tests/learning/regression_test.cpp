// Gradients of squared errors of several outputs: those of the errors as given slopes, to the bit,
// on every instruction set, and the sum of squares that comes with them.
#include <gallop/kernels/gradients/given_slopes.h>

#include <gtest/gtest.h>

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

TEST(Regression, OfSeveralOutputsIsTheGradientOfItsErrorsToTheBit) {
  for (const int n_out : {1, 2, 4, 5, 9}) {
    for (const long count : {1L, 100L, 128L, 300L}) {
      Random random(std::uint64_t(n_out * 1000 + count));
      const NetworkShape shape = {NetworkKind::kMlp, Activation::kTanh, 2, {3, 17, n_out}};
      const int n_envs = 10, n_steps = 40;
      const auto floats = [&](long size) {
        std::vector<float> x(static_cast<std::size_t>(size));
        for (float& v : x) v = float(random.normal());
        return x;
      };
      const std::vector<float> parameters = floats(layer_offset(shape, 2));
      const std::vector<float> observation = floats(n_envs * n_steps * 3);
      const std::vector<float> target = floats(n_envs * n_steps * n_out);
      std::vector<std::uint32_t> order(static_cast<std::size_t>(count));
      for (std::size_t k = 0; k < order.size(); k++) order[k] = std::uint32_t(k * 7 % 400);
      std::vector<float> first;
      for (const KernelSet& set : kernel_sets()) {
        Floats output(n_envs * n_steps * n_out);
        set.kernels->values(
            {shape, parameters.data(), {}, n_steps, n_envs, observation.data(), output.data()},
            TestWork());
        std::vector<float> slope = output.values();
        for (std::size_t k = 0; k < slope.size(); k++) slope[k] -= target[k];
        Samples samples = {};
        samples.n_envs = n_envs;
        samples.observation_rows = 3;
        samples.observation = observation.data();
        samples.target = target.data();
        samples.order = order.data();
        samples.count = count;
        Floats given(layer_offset(shape, 2));
        set.kernels->network_gradient({shape,
                                       parameters.data(),
                                       {},
                                       samples,
                                       slope.data(),
                                       nullptr,
                                       0,
                                       0.3f,
                                       Arithmetic::kStrict,
                                       given.data()},
                                      TestWork());
        for (const int grain : {0, 1, 2}) {
          Floats own(layer_offset(shape, 2) + 1);
          set.kernels->value_gradient({shape,
                                       parameters.data(),
                                       {},
                                       samples,
                                       0.3f,
                                       Arithmetic::kStrict,
                                       own.data(),
                                       nullptr,
                                       0},
                                      TestWork(grain));
          EXPECT_TRUE(same_bits(own.data(), given.data(), given.size())) << set.isa << n_out;
          if (first.empty()) first = own.values();
          EXPECT_TRUE(same_bits(own.values(), first)) << set.isa << " " << grain;
          double squares = 0;
          for (const std::uint32_t id : order) {
            const long t = id / n_envs, n = id % n_envs;
            for (int j = 0; j < n_out; j++) {
              squares += std::pow(double(slope[std::size_t((t * n_out + j) * n_envs + n)]), 2);
            }
          }
          EXPECT_NEAR(own[own.size() - 1], squares, 1e-5 * squares);
        }
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing

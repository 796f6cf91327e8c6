// An optimizer with all that it refers to.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/optimize.h>
#include <gallop/host/learning/test_function.h>

namespace gallop::testing {

struct OptimizerCase {
  std::unique_ptr<Backend> backend;
  Options options;
  std::unique_ptr<BlackBoxOptimizer> optimizer;

  OptimizerCase(const std::string& name, std::vector<double> initial, std::uint64_t seed,
                const std::vector<std::string>& assignments = {}, int threads = 1)
      : backend(make_cpu_backend(threads)), options(find_optimizer(name).options) {
    for (const std::string& assignment : assignments) options.set_assignment(assignment, "test");
    optimizer = find_optimizer(name).create({*backend, options, seed, std::move(initial)});
  }
  OptimizerCase(const OptimizerCase&) = delete;  // the optimizer refers to the options
  BlackBoxOptimizer* operator->() { return optimizer.get(); }

  TensorFile saved() const {
    TensorFile file;
    optimizer->save(file);
    return file;
  }
  // One generation of the function, which is maximised.
  template <class Function>
  void generation(const Function& function) {
    Candidates candidates;
    optimizer->ask(candidates);
    make_points(*backend, candidates);
    std::vector<double> fitness;
    for (int m = 0; m < candidates.n; m++) fitness.push_back(function(candidates.point(m)));
    optimizer->tell(fitness);
  }
};

inline bool are_equal(const TensorFile& a, const TensorFile& b) {
  if (a.tensors().size() != b.tensors().size()) return false;
  for (const auto& [name, tensor] : a.tensors()) {
    if (!b.has(name) || b.tensor(name).bytes != tensor.bytes) return false;
  }
  return a.texts() == b.texts();
}

// Minimises a test function from its start.
inline OptimizeResult solve(const std::string& optimizer, const std::string& function,
                            long dimension, std::uint64_t seed,
                            const std::vector<std::string>& assignments = {},
                            std::uint64_t evaluations = 100000) {
  const TestFunctionDescriptor& d = find_test_function(function);
  const TestFunction f(d, dimension, {d.is_rotated, d.noise, seed});
  OptimizerCase o(optimizer, f.start(), seed, assignments);
  return minimize(
      *o.optimizer, [&](auto x, auto m, auto g) { return f.noisy_value(x, m, g); },
      {.evaluations = evaluations}, [&](auto x, auto, auto) { return f.value(x); });
}

}  // namespace gallop::testing

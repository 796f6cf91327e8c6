// An algorithm with all that it refers to, small enough for tests, and what it saves.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/algorithm.h>
#include <gallop/host/training/run_options.h>

namespace gallop::testing {

// Algorithms that learn from recorded steps, and those that see returns alone.
inline bool is_black_box(const AlgorithmDescriptor& algorithm) {
  return optimizer_called(algorithm.name) != nullptr;
}
// Whether it can learn the environment of that name.
inline bool can_learn(const AlgorithmDescriptor& algorithm, const std::string& environment) {
  return algorithm.refusal == nullptr ||
         algorithm.refusal(spec_of(find_environment(environment))) == nullptr;
}
// Those of some environments alone.
inline std::vector<const AlgorithmDescriptor*> choosy_algorithms() {
  std::vector<const AlgorithmDescriptor*> algorithms = all_algorithms();
  std::erase_if(algorithms, [](const AlgorithmDescriptor* a) { return a->refusal == nullptr; });
  EXPECT_GE(algorithms.size(), 8u);
  return algorithms;
}
// Those that learn from each step by replay, of continuous and bounded actions alone.
inline bool is_off_policy(const AlgorithmDescriptor& algorithm) {
  return Options(algorithm.options).has("learning_starts");
}
inline std::vector<const AlgorithmDescriptor*> on_policy_algorithms() {
  std::vector<const AlgorithmDescriptor*> algorithms = all_algorithms();
  std::erase_if(algorithms, [](const AlgorithmDescriptor* a) {
    return is_black_box(*a) || is_off_policy(*a) || a->refusal != nullptr;
  });
  EXPECT_GE(algorithms.size(), 11u);
  return algorithms;
}
inline std::vector<const AlgorithmDescriptor*> off_policy_algorithms() {
  std::vector<const AlgorithmDescriptor*> algorithms = all_algorithms();
  std::erase_if(algorithms, [](const AlgorithmDescriptor* a) { return !is_off_policy(*a); });
  EXPECT_GE(algorithms.size(), 4u);
  return algorithms;
}
inline std::vector<const AlgorithmDescriptor*> black_box_algorithms() {
  std::vector<const AlgorithmDescriptor*> algorithms = all_algorithms();
  std::erase_if(algorithms, [](const AlgorithmDescriptor* a) { return !is_black_box(*a); });
  EXPECT_GE(algorithms.size(), 12u);
  return algorithms;
}

// Options of learners of models that make their iterations short.
inline const std::vector<std::string>& small_models() {
  static const std::vector<std::string> kSmall = {
      "updates=2", "paths=24", "horizon=4", "model_epochs=2", "model_hidden=8", "buffer_size=4096"};
  return kSmall;
}

// The environment, or one that the algorithm can learn.
inline std::string task_of(const AlgorithmDescriptor& algorithm,
                           const std::string& environment = "cartpole") {
  return can_learn(algorithm, environment) ? environment : "pendulum";
}

struct Learner {
  RunOptions options;
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Algorithm> algorithm;

  Learner(const std::string& environment, const std::string& name, int threads,
          const std::vector<std::string>& assignments = {})
      : options(environment, name), backend(make_cpu_backend(threads)) {
    const bool small_network = !is_black_box(options.algorithm());
    for (const std::string& small : small_models()) {
      if (has(small)) options.set_assignment(small, "test");
    }
    for (const char* small : {"n_envs=16", "n_steps=24", small_network ? "hidden=16,8" : "hidden=",
                              "population=20", "directions=10", "search_episodes=4", "steps=100000",
                              "buffer_size=500", "learning_starts=200", "batch_size=40"}) {
      if (has(small)) options.set_assignment(small, "test");
    }
    for (const std::string& assignment : assignments) {
      // What some decide by themselves.
      if (!assignment.starts_with("normalize_observations") || has(assignment)) {
        options.set_assignment(assignment, "test");
      }
    }
    algorithm = options.algorithm().create(
        {*backend, options.environment(), options.values(), options.seed(), options.configure()});
  }
  bool has(const std::string& assignment) const {
    return options.values().has(assignment.substr(0, assignment.find('=')));
  }
  Metrics run(int iterations) {
    Metrics last;
    for (int k = 0; k < iterations; k++) last = algorithm->iterate();
    return last;
  }
  TensorFile saved() const {
    TensorFile file;
    algorithm->save(file);
    return file;
  }
};

// Elements of a tensor of floats.
inline std::vector<float> floats_of(const TensorFile& file, const std::string& name) {
  const Tensor& tensor = file.tensor(name);
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  file.get<float>(name, tensor.shape, values);
  return values;
}

// The names of tensors that differ in their bytes.
inline std::set<std::string> differences(const TensorFile& a, const TensorFile& b) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : a.tensors()) {
    if (!b.has(name) || b.tensor(name).bytes != tensor.bytes) names.insert(name);
  }
  for (const auto& [name, tensor] : b.tensors()) {
    if (!a.has(name)) names.insert(name);
  }
  return names;
}

// Those of them that stand under a name.
inline std::set<std::string> differences_under(const std::string& prefix, const TensorFile& a,
                                               const TensorFile& b) {
  std::set<std::string> names;
  for (const std::string& name : differences(a, b)) {
    if (name.starts_with(prefix)) names.insert(name);
  }
  return names;
}

inline double metric(const Metrics& metrics, const std::string& name) {
  for (const auto& [key, value] : metrics) {
    if (key == name) return value;
  }
  ADD_FAILURE() << "no metric " << name;
  return NAN;
}

}  // namespace gallop::testing

// A network with recorded samples, for the gradients and the products of the learner.
#pragma once

#include <gallop/kernels/gradients/gradient.h>
#include "tests/cuda/learner_case.h"
#include "tests/cuda/rollout_case.h"

namespace gallop::testing {

struct GradientCase {
  std::vector<int> hidden = {64, 64};
  Head head = Head::kCategorical;
  Activation activation = Activation::kTanh;
  PolicyLoss loss = PolicyLoss::kClippedSurrogate;
  NetworkKind kind = NetworkKind::kMlp;
  int n_inputs = 4, n_actions = 2;
  long count = 300;
  bool shuffled = true;
  bool normalized = false;  // observations, for the products of a Fisher matrix
  Arithmetic arithmetic = Arithmetic::kStrict;
  int fixed_each = 0;     // 3: every third parameter is fixed; 0: none
  float value_clip = -1;  // of the values, from what else the batch recorded; below 0 for none

  std::string label() const {
    std::string text = "head" + std::to_string(int(head)) + " loss" + std::to_string(int(loss)) +
                       " count" + std::to_string(count);
    for (const int width : hidden) text += " h" + std::to_string(width);
    return text;
  }
};

inline PolicyShape shape_of(const GradientCase& c, int n_out) {
  PolicyShape shape = {};
  shape.head = c.head;
  shape.n_actions = c.n_actions;
  shape.network.kind = c.kind;
  shape.network.hidden = c.activation;
  int layer = 0;
  shape.network.width[layer++] = c.n_inputs;
  for (const int width : c.hidden) shape.network.width[layer++] = width;
  shape.network.n_layers = layer;
  shape.network.width[layer] = n_out;
  return shape;
}

// Which parameters of its policy are fixed; without elements where none are.
inline std::vector<std::uint8_t> fixed_in(const GradientCase& c, const PolicyShape& shape) {
  std::vector<std::uint8_t> fixed;
  for (long k = 0; c.fixed_each > 0 && k < parameter_count(shape); k++) {
    fixed.push_back(k % c.fixed_each == 0 ? 1 : 0);
  }
  return fixed;
}

// The samples of a case: a recorded batch, and a scattered order of its transitions.
struct CaseSamples {
  RecordedBatch batch;
  DeviceArray<std::uint32_t> order;
  Samples samples;

  static BatchCase recorded(const GradientCase& c) {
    const bool tabular = c.kind == NetworkKind::kTabular;
    BatchCase batch;
    batch.n_envs = 33;
    batch.n_steps = int(c.count / 33) + 1;
    batch.observation_rows = tabular ? 1 : c.n_inputs;
    batch.action_rows = c.head == Head::kCategorical ? 1 : c.n_actions;
    batch.n_actions = c.head == Head::kCategorical ? c.n_actions : 0;
    return batch;
  }

  CaseSamples(Backend& backend, const GradientCase& c) : batch(backend, recorded(c)) {
    const std::uint32_t total = std::uint32_t(batch.shape.n_envs * batch.shape.n_steps);
    std::vector<std::uint32_t> numbers(total);
    for (std::uint32_t k = 0; k < total; k++) numbers[k] = k * 7u % total;
    order = uploaded(backend, numbers);
    if (c.kind == NetworkKind::kTabular) {
      std::vector<float> states(batch.observation.size());
      Numbers random(8);
      for (float& s : states) s = float(random.word() % unsigned(c.n_inputs));
      batch.observation.upload(states);
    }
    samples = batch.samples(c.shuffled ? order.data() : nullptr, c.count);
  }
};

// The gradient of the case's policy, or of its value network, then the statistics and a few
// poisoned numbers.
inline std::vector<float> run_policy(Backend& backend, const GradientCase& c) {
  const CaseSamples from(backend, c);
  const PolicyShape shape =
      shape_of(c, c.head == Head::kGaussianNetwork ? 2 * c.n_actions : c.n_actions);
  const auto parameters = uploaded(backend, parameters_of(shape, 17, 1.0f));
  const auto fixed = uploaded(backend, fixed_in(c, shape));
  PolicyGradientRequest r = {};
  r.policy = {shape, parameters.data(), {}, fixed.data()};
  r.samples = from.samples;
  r.arithmetic = c.arithmetic;
  r.loss = c.loss;
  r.clip = 0.2f;
  r.kl_penalty = 0.7f;
  r.entropy_coefficient = 0.01f;
  r.weight = 1.0f / float(c.count);
  const auto gradient =
      poisoned<float>(backend, std::size_t(parameter_count(shape)) + kPolicyStatistics + 3);
  r.gradient = gradient.data();
  backend.policy_gradient(r);
  return gradient.download();
}

inline std::vector<float> run_value(Backend& backend, const GradientCase& c) {
  const CaseSamples from(backend, c);
  const PolicyShape shape = shape_of(c, 1);
  const auto parameters = uploaded(backend, parameters_of(shape, 19, 1.0f));
  ValueGradientRequest r = {};
  r.shape = shape.network;
  r.parameters = parameters.data();
  r.samples = from.samples;
  r.arithmetic = c.arithmetic;
  r.weight = 1.0f / float(c.count);
  if (c.value_clip >= 0) {
    r.before = from.samples.advantage;
    r.clip = c.value_clip;
  }
  const auto gradient = poisoned<float>(
      backend, std::size_t(layer_offset(shape.network, shape.network.n_layers)) + 4);
  r.gradient = gradient.data();
  backend.value_gradient(r);
  return gradient.download();
}

}  // namespace gallop::testing

#include "tests/learning/gradient_case.h"

namespace gallop::testing {

GradientCase::GradientCase(const GradientConfig& c, std::uint64_t seed, bool for_value)
    : config(c) {
  Random random(seed);
  const int outputs = for_value                          ? 1
                      : c.head == Head::kGaussianNetwork ? 2 * c.n_actions
                                                         : c.n_actions;
  shape.head = c.head;
  shape.n_actions = c.n_actions;
  NetworkShape& network = shape.network;
  network.kind = c.tabular ? NetworkKind::kTabular : NetworkKind::kMlp;
  network.hidden = c.activation;
  network.n_layers = c.tabular ? 1 : int(c.hidden.size()) + 1;
  network.width[0] = c.inputs;
  for (std::size_t l = 0; l < c.hidden.size(); l++) network.width[l + 1] = c.hidden[l];
  network.width[network.n_layers] = outputs;
  for (int l = 0; l < network.n_layers; l++) {
    const double gain = 1.0 / std::sqrt(c.tabular ? 1.0 : network.width[l]);
    const long end = layer_offset(network, l + 1);
    while (long(parameters.size()) < end) {
      parameters.push_back(float(gain * random.normal()));
    }
  }
  if (c.head == Head::kGaussian && !for_value) {
    for (int k = 0; k < c.n_actions; k++) parameters.push_back(float(0.3 * random.normal()));
  }
  for (int k = 0; k < c.inputs; k++) {
    mean.push_back(float(random.normal()));
    inverse_std.push_back(float(random.uniform(0.3, 2)));
  }
  n_envs = 1 + random.below(20);
  n_steps = (c.count + n_envs - 1) / n_envs + (c.ordered ? 3 : 0);
  const long total = long(n_steps) * n_envs;
  weight = 1.0f / float(c.count);
  for (long i = 0; i < total * rows(); i++) {
    observation.push_back(c.tabular ? float(random.below(c.inputs)) : float(random.normal()));
  }
  for (long i = 0; i < total * action_rows(); i++) {
    action.push_back(c.head == Head::kCategorical ? float(random.below(c.n_actions))
                                                  : float(random.normal()));
  }
  for (long i = 0; i < total; i++) {
    advantage.push_back(float(random.normal()));
    target.push_back(float(random.normal()));
  }
  if (c.ordered) {
    for (long i = 0; i < total; i++) order.push_back(std::uint32_t(i));
    std::shuffle(order.begin(), order.end(), std::mt19937(unsigned(seed)));
    order.resize(c.count);
  }
  log_prob.assign(total, NAN);
  if (for_value) return;
  const Vector theta = parameters_in_double();
  const double* log_std = theta.data() + layer_offset(network, network.n_layers);
  for (int s = 0; s < c.count; s++) {
    const Vector output = reference_forward(network, theta, input(s));
    if (c.head != Head::kCategorical) draw_action(s, output, log_std, random);
    // Ratios on both sides of the clip range and within it, away from its corners, where the loss
    // has no derivative.
    double log_ratio;
    do {
      log_ratio = random.uniform(-0.6, 0.6);
    } while (std::abs(std::exp(log_ratio) - 1.2) < 0.01 ||
             std::abs(std::exp(log_ratio) - 0.8) < 0.01);
    log_prob[id(s)] =
        float(reference_distribution(shape, output, log_std, action_of(s)).log_prob - log_ratio);
  }
}

// A continuous action as the policy might choose it: far ones have log-probabilities in the
// thousands, of which float keeps too little.
void GradientCase::draw_action(int sample, const Vector& output, const double* log_std,
                               Random& random) {
  const long t = id(sample) / n_envs, n = id(sample) % n_envs;
  for (int k = 0; k < config.n_actions; k++) {
    const double s =
        config.head == Head::kGaussianNetwork ? output[config.n_actions + k] : log_std[k];
    const double sigma = std::exp(std::min(std::max(s, -5.0), 2.0));
    action[(t * config.n_actions + k) * n_envs + n] = float(output[k] + sigma * random.normal());
  }
}

Vector GradientCase::input(int sample) const {
  const long t = id(sample) / n_envs, n = id(sample) % n_envs;
  Vector x;
  for (int k = 0; k < rows(); k++) x.push_back(observation[(t * rows() + k) * n_envs + n]);
  return config.tabular ? x : reference_normalize(normalization(), x);
}

Vector GradientCase::action_of(int sample) const {
  const long t = id(sample) / n_envs, n = id(sample) % n_envs;
  Vector a;
  for (int k = 0; k < action_rows(); k++) {
    a.push_back(action[(t * action_rows() + k) * n_envs + n]);
  }
  return a;
}

double GradientCase::policy_objective(const Vector& theta, double* statistics) const {
  const double* log_std = theta.data() + layer_offset(shape.network, shape.network.n_layers);
  double sum = 0;
  for (int s = 0; s < config.count; s++) {
    const Vector output = reference_forward(shape.network, theta, input(s));
    const Distribution d = reference_distribution(shape, output, log_std, action_of(s));
    const ReferenceLoss loss = reference_loss(config.loss, clip, kl_penalty, d.log_prob,
                                              double(log_prob[id(s)]), double(advantage[id(s)]));
    sum += double(weight) * (loss.loss - double(config.entropy) * d.entropy);
    if (statistics == nullptr) continue;
    statistics[kStatSurrogate] += loss.surrogate;
    statistics[kStatEntropy] += d.entropy;
    statistics[kStatKl] += loss.kl;
    statistics[kStatClipped] += loss.clipped;
  }
  return sum;
}

double GradientCase::value_objective(const Vector& theta, double* statistics) const {
  double sum = 0;
  for (int s = 0; s < config.count; s++) {
    const double value = reference_forward(shape.network, theta, input(s))[0];
    const double wanted = double(target[id(s)]);
    double square = (value - wanted) * (value - wanted);
    if (!before.empty()) {
      const double old = double(before[id(s)]), reach = double(clip);
      const double limited = old + std::clamp(value - old, -reach, reach) - wanted;
      square = std::max(square, limited * limited);
    }
    sum += double(weight) * square / 2;
    if (statistics != nullptr) *statistics += square;
  }
  return sum;
}

std::vector<float> GradientCase::policy_gradient(const KernelSet& set, int grain) const {
  Floats gradient(n_parameters() + kPolicyStatistics);
  PolicyGradientRequest r = {};
  r.policy = {shape, parameters.data(), normalization()};
  r.samples = samples();
  r.loss = config.loss;
  r.clip = clip;
  r.kl_penalty = kl_penalty;
  r.entropy_coefficient = config.entropy;
  r.weight = weight;
  r.gradient = gradient.data();
  set.kernels->policy_gradient(r, TestWork(grain));
  return gradient.values();
}

std::vector<float> GradientCase::value_gradient(const KernelSet& set, int grain) const {
  Floats gradient(layer_offset(shape.network, shape.network.n_layers) + 1);
  ValueGradientRequest r = {};
  r.shape = shape.network;
  r.parameters = parameters.data();
  r.normalization = normalization();
  r.samples = samples();
  r.weight = weight;
  r.gradient = gradient.data();
  r.before = before.empty() ? nullptr : before.data();
  r.clip = clip;
  set.kernels->value_gradient(r, TestWork(grain));
  return gradient.values();
}

void GradientCase::act_anew(const KernelSet& set) {
  const long padded_envs = (n_envs + 15) / 16 * 16;
  const std::vector<std::uint32_t> episode(padded_envs, 0);
  const std::vector<std::int32_t> elapsed(padded_envs, 0);
  Floats scratch(2L * widest(shape.network) * 32);
  for (int t = 0; t < n_steps; t++) {
    set.kernels->act({{shape, parameters.data(), normalization()},
                      n_envs,
                      observation.data() + long(t) * rows() * n_envs,
                      n_envs,
                      action.data() + long(t) * action_rows() * n_envs,
                      n_envs,
                      log_prob.data() + long(t) * n_envs,
                      0,
                      std::uint64_t(t),
                      {0, nullptr},
                      episode.data(),
                      elapsed.data(),
                      scratch.data()});
  }
}

std::vector<float> GradientCase::evaluate(const KernelSet& set) const {
  const int outputs = outputs_of(shape.network);
  const long total = long(n_steps) * n_envs;
  Floats of_rows(outputs * total);
  set.kernels->values({shape.network, parameters.data(), normalization(), n_steps, n_envs,
                       observation.data(), of_rows.data()},
                      TestWork(16));
  std::vector<float> output(outputs * total);
  for (long k = 0; k < outputs * total; k++) {
    const long t = k / n_envs / outputs, j = k / n_envs % outputs;
    output[j * total + t * n_envs + k % n_envs] = of_rows[k];
  }
  return output;
}

}  // namespace gallop::testing

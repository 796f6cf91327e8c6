// Policies, values and their losses in double, written from the equations alone: what the learner's
// gradients are differentiated against. Shares no arithmetic with kernels/.
#pragma once

#include <cmath>
#include <vector>

#include <gallop/kernels/gradients/samples.h>

namespace gallop::testing {

using Vector = std::vector<double>;

struct Distribution {
  double log_prob, entropy;
};

// Outputs of a network for one input; a table reads input[0] as its row.
inline Vector reference_forward(const NetworkShape& shape, const Vector& parameters, Vector x) {
  if (shape.kind == NetworkKind::kTabular) {
    const long row = long(x[0]) * shape.width[1];
    return {parameters.begin() + row, parameters.begin() + row + shape.width[1]};
  }
  const double* p = parameters.data();
  for (int l = 0; l < shape.n_layers; l++) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    Vector y(p + long(n_in) * n_out, p + long(n_in + 1) * n_out);
    for (int k = 0; k < n_in; k++) {
      for (int j = 0; j < n_out; j++) y[j] += x[k] * p[long(k) * n_out + j];
    }
    if (l + 1 < shape.n_layers) {
      for (double& v : y) {
        v = shape.hidden == Activation::kTanh   ? std::tanh(v)
            : shape.hidden == Activation::kRelu ? std::max(v, 0.0)
                                                : v;
      }
    }
    p += long(n_in + 1) * n_out;
    x = y;
  }
  return x;
}

inline Vector reference_normalize(const Normalization& by, Vector x) {
  if (by.mean == nullptr) return x;
  for (std::size_t k = 0; k < x.size(); k++) {
    const double scaled = (x[k] - double(by.mean[k])) * double(by.inverse_std[k]);
    x[k] = std::min(std::max(scaled, -double(by.limit)), double(by.limit));
  }
  return x;
}

// log pi(action) and entropy. `log_std` are the parameters of a Gaussian head that has them.
inline Distribution reference_distribution(const PolicyShape& shape, const Vector& output,
                                           const double* log_std, const Vector& action) {
  const int n = shape.n_actions;
  Distribution d = {0, 0};
  if (shape.head == Head::kCategorical) {
    double greatest = output[0], total = 0;
    for (int i = 1; i < n; i++) greatest = std::max(greatest, output[i]);
    for (int i = 0; i < n; i++) total += std::exp(output[i] - greatest);
    const double log_total = greatest + std::log(total);
    d.log_prob = output[int(action[0])] - log_total;
    for (int i = 0; i < n; i++) {
      d.entropy -= std::exp(output[i] - log_total) * (output[i] - log_total);
    }
    return d;
  }
  for (int i = 0; i < n; i++) {
    const double given = shape.head == Head::kGaussianNetwork ? output[n + i] : log_std[i];
    const double s = std::min(std::max(given, double(kMinLogStd)), double(kMaxLogStd));
    const double z = (action[i] - output[i]) / std::exp(s);
    d.log_prob += -0.5 * z * z - s - 0.5 * std::log(2 * M_PI);
    d.entropy += s + 0.5 * std::log(2 * M_PI * M_E);
  }
  return d;
}

struct ReferenceLoss {
  double loss, surrogate, kl, clipped;
};

inline ReferenceLoss reference_loss(PolicyLoss kind, double clip, double kl_penalty,
                                    double log_prob, double old_log_prob, double advantage) {
  const double ratio = std::exp(log_prob - old_log_prob);
  ReferenceLoss r = {0, 0, ratio - 1 - (log_prob - old_log_prob), 0};
  if (kind == PolicyLoss::kLikelihoodRatio) {
    r.loss = r.surrogate = -log_prob * advantage;
    return r;
  }
  if (kind == PolicyLoss::kSurrogate) {
    r.loss = r.surrogate = -ratio * advantage;
    return r;
  }
  if (kind == PolicyLoss::kPenalizedSurrogate) {
    r.surrogate = -ratio * advantage;
    r.loss = r.surrogate + kl_penalty * r.kl;
    return r;
  }
  const double limited = std::min(std::max(ratio, 1 - clip), 1 + clip);
  r.loss = r.surrogate = -std::min(ratio * advantage, limited * advantage);
  r.clipped = ratio != limited ? 1 : 0;
  return r;
}

}  // namespace gallop::testing

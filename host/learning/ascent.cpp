#include <gallop/host/learning/ascent.h>

#include <cmath>
#include <utility>

#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/black_box.h>

namespace gallop {
namespace {

constexpr double kLargest = 1e300;
constexpr double kBeta2 = 0.999, kEpsilon = 1e-8;

}  // namespace

double length(std::span<const double> x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum);
}

Ascent::Ascent(long n, const Options& options)
    : rule_(options.text("step") == "plain"  ? Rule::kPlain
            : options.text("step") == "adam" ? Rule::kAdam
                                             : Rule::kClipUp),
      learning_rate_(options.real("learning_rate")),
      momentum_(options.real("momentum")),
      max_speed_(options.real("max_speed") > 0 ? options.real("max_speed") : 2 * learning_rate_) {
  if (rule_ != Rule::kPlain) state_.first.resize(std::size_t(n), 0.0);
  if (rule_ == Rule::kAdam) state_.second.resize(std::size_t(n), 0.0);
}

std::vector<double> Ascent::step(std::span<const double> gradient) {
  State next = state_;
  next.steps++;
  std::vector<double> step(gradient.size());
  if (rule_ == Rule::kPlain) {
    for (std::size_t k = 0; k < step.size(); k++) step[k] = learning_rate_ * gradient[k];
  } else if (rule_ == Rule::kAdam) {
    const double correct1 = 1 - std::pow(momentum_, next.steps);
    const double correct2 = 1 - std::pow(kBeta2, next.steps);
    for (std::size_t k = 0; k < step.size(); k++) {
      const double g = gradient[k];
      next.first[k] = momentum_ * next.first[k] + (1 - momentum_) * g;
      next.second[k] = kBeta2 * next.second[k] + (1 - kBeta2) * g * g;
      step[k] = learning_rate_ * (next.first[k] / correct1) /
                (std::sqrt(next.second[k] / correct2) + kEpsilon);
    }
  } else {
    const double norm = length(gradient), scale = norm > 0 ? learning_rate_ / norm : 0;
    for (std::size_t k = 0; k < step.size(); k++) {
      next.first[k] = momentum_ * next.first[k] + scale * gradient[k];
    }
    const double speed = length(next.first);
    const double limit = speed > max_speed_ ? max_speed_ / speed : 1;
    for (double& v : next.first) v *= limit;
    step = next.first;
  }
  require_finite(std::span<const double>(step), "the step");
  before_ = std::exchange(state_, std::move(next));
  return step;
}

void Ascent::undo() { state_ = std::move(before_); }

void Ascent::save(TensorFile& file, const std::string& prefix) const {
  const TensorShape shape = {state_.first.size()};
  if (rule_ != Rule::kPlain) file.put<double>(prefix + "/first_moment", shape, state_.first);
  if (rule_ == Rule::kAdam) file.put<double>(prefix + "/second_moment", shape, state_.second);
  file.put_scalar<double>(prefix + "/steps", state_.steps);
}

void Ascent::load(const TensorFile& file, const std::string& prefix) {
  State state;
  const std::size_t n = state_.first.size();
  if (rule_ != Rule::kPlain) {
    state.first = finite_doubles(file, prefix + "/first_moment", n, -kLargest, kLargest);
  }
  if (rule_ == Rule::kAdam) {
    state.second = finite_doubles(file, prefix + "/second_moment", n, 0, kLargest);
  }
  state.steps = finite_number(file, prefix + "/steps", 0, 1e18);
  state_ = std::move(state);
}

}  // namespace gallop

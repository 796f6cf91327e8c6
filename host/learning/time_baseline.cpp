#include <gallop/host/learning/time_baseline.h>

#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>

namespace gallop {
namespace {

constexpr int kFewest = 4;         // samples that a step's mean is taken of
constexpr int kLongest = 1 << 20;  // steps of an episode

int table_size(const OnPolicyLearner& learner) {
  const int limit = learner.environments().time_limit();
  if (limit <= 0 || limit > kLongest) {
    throw value_error(
        fmt::format("baseline 'time' needs episodes of 1 to {} steps, but the time "
                    "limit is {}; choose another baseline or set a limit",
                    kLongest, limit));
  }
  return limit + 1;
}

}  // namespace

TimeBaseline::TimeBaseline(const AlgorithmContext& context, OnPolicyLearner& learner)
    : backend_(context.backend),
      learner_(learner),
      size_(table_size(learner)),
      shape_(network_shape(true, size_, {}, "tanh", 1)),
      table_(DeviceArray<float>::zeroed(backend_, size_)),
      zero_(DeviceArray<float>::zeroed(backend_, size_)),
      ones_(backend_, learner.n_samples()),
      sums_(backend_, size_ + 1) {
  learner.track_ages();
  ones_.upload(std::vector<float>(learner.n_samples(), 1.0f));
}

// The table as a network on the age.
void TimeBaseline::evaluate() {
  const RolloutArrays& a = learner_.arrays();
  backend_.values({shape_, table_.data(), {}, a.n_steps + 1, a.n_envs, a.age, a.value});
  // A final observation is one step older than the state before it.
  NetworkShape next = shape_;
  next.width[0] = size_ - 1;
  backend_.values({next, table_.data() + 1, {}, a.n_steps, a.n_envs, a.age, a.final_value});
}

// The gradient of sum (b - target)^2 / 2 at b = 0 is minus the sum of the targets.
std::vector<float> TimeBaseline::sums_by_age(const float* target) {
  ValueGradientRequest r = {};
  r.shape = shape_;
  r.parameters = zero_.data();
  r.samples = learner_.all_samples();
  r.samples.observation = learner_.arrays().age;
  r.samples.observation_rows = 1;
  r.samples.target = target;
  r.weight = 1.0f;
  r.gradient = sums_.data();
  backend_.value_gradient(r);
  std::vector<float> sums = sums_.download();
  for (float& sum : sums) sum = -sum;
  return sums;
}

double TimeBaseline::fit() {
  const std::vector<float> counts = sums_by_age(ones_.data());
  const std::vector<float> totals = sums_by_age(learner_.arrays().target);
  std::vector<float> means(size_);
  double last = 0, explained = 0, n = double(learner_.n_samples());
  for (int t = 0; t < size_; t++) {
    require_finite(totals[t], "the sum of the baseline's targets");
    if (counts[t] >= kFewest) last = double(totals[t]) / double(counts[t]);
    means[t] = float(last);
    explained += 2 * last * double(totals[t]) - last * last * double(counts[t]);
  }
  table_.upload(means);
  const double squares = -double(totals[size_]);  // behind the gradient: the sum of target^2
  return (squares - explained) / n / 2;
}

void TimeBaseline::save(TensorFile& file) const {
  file.put<float>("baseline/table", {std::uint64_t(size_)}, table_.download());
}

void TimeBaseline::load(const TensorFile& file) {
  table_.upload(finite_floats(file, "baseline/table", std::size_t(size_)));
}

}  // namespace gallop

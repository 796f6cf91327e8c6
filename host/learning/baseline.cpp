#include <gallop/host/learning/baseline.h>

#include <limits>

#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/linear_baseline.h>
#include <gallop/host/learning/time_baseline.h>

namespace gallop {
namespace {

// b = 0. The learner's values are 0 from the beginning, and nothing writes them.
class NoBaseline : public Baseline {
 public:
  void evaluate() override {}
  double fit() override { return 0.0; }
  void save(TensorFile&) const override {}
  void load(const TensorFile&) override {}
};

// b = the mean of the last rollout's targets, 0 in the first.
class MeanBaseline : public Baseline {
 public:
  MeanBaseline(const AlgorithmContext& context, OnPolicyLearner& learner)
      : backend_(context.backend), learner_(learner) {}

  void evaluate() override {
    const RolloutArrays& a = learner_.arrays();
    const std::vector<float> values(std::size_t(a.n_steps + 1) * a.n_envs, float(mean_));
    backend_.to_device(a.value, values.data(), values.size() * sizeof(float));
    backend_.to_device(a.final_value, values.data(),
                       std::size_t(learner_.n_samples()) * sizeof(float));
  }
  double fit() override {
    const RolloutArrays& a = learner_.arrays();
    const Moments m = moments(backend_, a.target, a.n_steps, a.n_envs, a.n_envs);
    require_finite(m.mean, "the mean of the baseline's targets");
    mean_ = m.mean;
    return m.sum_of_squares / double(m.count) / 2;
  }
  void save(TensorFile& file) const override { file.put_scalar<double>("baseline/mean", mean_); }
  void load(const TensorFile& file) override {
    constexpr double kGreatest = std::numeric_limits<float>::max();
    mean_ = finite_number(file, "baseline/mean", -kGreatest, kGreatest);
  }

 private:
  Backend& backend_;
  OnPolicyLearner& learner_;
  double mean_ = 0;
};

class NetworkBaseline : public Baseline {
 public:
  NetworkBaseline(const AlgorithmContext& context, OnPolicyLearner& learner)
      : learner_(learner), fit_(context, learner) {}
  void evaluate() override { learner_.evaluate_values(); }
  double fit() override { return fit_.run(); }
  void save(TensorFile& file) const override { fit_.save(file); }
  void load(const TensorFile& file) override { fit_.load(file); }

 private:
  OnPolicyLearner& learner_;
  ValueFit fit_;
};

}  // namespace

std::unique_ptr<Baseline> make_baseline(const AlgorithmContext& context, OnPolicyLearner& learner) {
  const std::string& name = context.options.text("baseline");
  if (name == "none") return std::make_unique<NoBaseline>();
  if (name == "mean") return std::make_unique<MeanBaseline>(context, learner);
  if (name == "time") return std::make_unique<TimeBaseline>(context, learner);
  if (name == "linear") return std::make_unique<LinearBaseline>(context, learner);
  return std::make_unique<NetworkBaseline>(context, learner);
}

BaselineAlgorithm::BaselineAlgorithm(const AlgorithmContext& context)
    : OnPolicyAlgorithm(context), baseline_(make_baseline(context, learner_)) {}

void BaselineAlgorithm::save(TensorFile& file) const {
  OnPolicyAlgorithm::save(file);
  baseline_->save(file);
}

void BaselineAlgorithm::load_state(const TensorFile& file) {
  OnPolicyAlgorithm::load_state(file);
  baseline_->load(file);
}

}  // namespace gallop

#include <gallop/host/learning/black_box_algorithm.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/member_returns.h>
#include <gallop/host/learning/network_parameters.h>
#include <gallop/host/learning/own_policy.h>
#include <gallop/host/learning/policy_metric.h>
#include <gallop/host/learning/policy_model.h>
#include <gallop/host/learning/sample_mean.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

constexpr std::uint64_t kMostSteps = std::uint64_t(1) << 62;

constexpr auto kRows = rows(
    integer_row("episodes", 1, {.min = 1, .max = 1 << 20, .unit = "episodes"},
                "that each member plays in a generation"),
    choice_row("common", "none", "none,policy,dynamics,both",
               "random numbers that the members of a generation have in common: of sampled "
               "actions, of the environment, both"),
    boolean_row("sample_actions", false,
                "members draw their actions; else they take the most probable one, or the mean"),
    real_row("action_noise", 0, {.min = 0, .max = 7},
             "initial standard deviation of continuous actions, which is then a parameter that is "
             "learnt; 0 for none"),
    real_row("reward_shift", 0, {.min = -1e6, .max = 1e6},
             "added to each reward in training, as -1 takes away a bonus for staying alive; "
             "reported returns are without it"),
    integers_row("hidden", "", {.min = 1, .max = kMaxWidth, .unit = "units"}, kMaxLayers - 1,
                 "hidden layers", "hidden layers of the policy; none for a linear one"),
    choice_row("activation", "tanh", "tanh,relu", "of the hidden layers"), own_policy_row(),
    real_row("statistics_fraction", 1, {.min = 1e-6, .max = 1},
             "of the members whose observations normalise later ones"));

constexpr OptionSpec kNormalize =
    boolean_row("normalize_observations", false, "running normalisation to mean 0 and deviation 1");

PolicyShape policy_shape(const Environments& environments, const Options& options) {
  const EnvironmentSpec& spec = environments.spec();
  std::vector<std::int64_t> hidden = options.integers("hidden");
  if (takes_own_policy(environments, options)) hidden.clear();
  PolicyShape shape = {};
  shape.head = spec.action_kind == SpaceKind::kDiscrete ? Head::kCategorical
               : options.real("action_noise") > 0       ? Head::kGaussian
                                                        : Head::kDeterministic;
  shape.n_actions = environments.action_size();
  shape.network =
      network_shape(environments.has_index_observations(), environments.observation_size(),
                    {hidden.begin(), hidden.end()}, options.text("activation"),
                    head_outputs(shape.head, shape.n_actions));
  return shape;
}

PolicyShape shape_of(const AlgorithmContext& context) {
  EnvironmentOptions options;
  Environments environments(context.backend, context.environment, options);
  context.configure(environments);
  return policy_shape(environments, context.options);
}

// Of a point of the search: what is learnt of a policy's parameters [D], all of them where `learnt`
// is empty.
template <class T>
std::vector<double> learnt_of(const std::vector<long>& learnt, const std::vector<T>& all) {
  if (learnt.empty()) return {all.begin(), all.end()};
  std::vector<double> point;
  for (const long k : learnt) point.push_back(double(all[std::size_t(k)]));
  return point;
}

// The numbers of the parameters that are learnt, none where all are. Throws, before anything of
// their size is there, where a search of so many is beyond the optimizer.
std::vector<long> learnt_numbers(const OptimizerDescriptor& descriptor,
                                 const AlgorithmContext& context, const LearntPart& part,
                                 const PolicyShape& shape) {
  std::vector<long> learnt = part.learnt();
  if (descriptor.require_dimension != nullptr && !context.plays_only) {
    descriptor.require_dimension(learnt.empty() ? parameter_count(shape) : long(learnt.size()));
  }
  return learnt;
}

class BlackBoxAlgorithm : public Algorithm {
 public:
  BlackBoxAlgorithm(const OptimizerDescriptor& descriptor, const AlgorithmContext& context)
      : options_(context.options),
        shape_(shape_of(context)),
        part_(context.options.text("policy") == "own"
                  ? own_part(spec_of(context.environment), shape_)
                  : LearntPart{}),
        learnt_(learnt_numbers(descriptor, context, part_, shape_)),
        evaluation_(context, shape_),
        fixed_(context.backend, part_.fixed.size()),
        parameters_(context.backend, std::size_t(parameter_count(shape_))) {
    require_checkpoint(context);
    const double noise = std::max(context.options.real("action_noise"), 1e-30);
    std::vector<float> initial = initial_policy(shape_, context.seed, float(std::log(noise)));
    part_.apply(initial);
    initial = first_values(context, "policy/parameters", std::move(initial));
    part_.require(initial, "policy/parameters");
    parameters_.upload(initial);
    fixed_.upload(part_.fixed);
    bool normalizes = false;
    if (!context.plays_only) {
      // Of a few weights the layers of a network say nothing.
      OptimizerContext own = {context.backend, context.options, context.seed,
                              learnt_of(learnt_, initial),
                              learnt_.empty() ? shape_ : PolicyShape{}};
      if (context.options.has("natural") && context.options.flag("natural")) {
        metric_.emplace(context, shape_, context.options.real("damping"));
        own.metric = [this](std::span<const double> gradient) {
          const std::vector<double> all = of_all_parameters(gradient);
          return learnt_of(learnt_, metric_->solve(policy(), optimizer_->generation(), all));
        };
      }
      optimizer_ = descriptor.create(own);
      normalizes = optimizer_->normalizes().value_or(false);
    } else if (descriptor.sets_normalization) {
      normalizes = descriptor.create({context.backend, context.options, context.seed, {0.0}, {}})
                       ->normalizes()
                       .value_or(false);
    }
    if (context.options.has(kNormalize.name)) normalizes = context.options.flag(kNormalize.name);
    const Environments& environments = evaluation_.environments();
    normalizer_ = ObservationNormalizer(context.backend, environments.observation_rows(),
                                        normalizes && !environments.has_index_observations());
    if (context.initial != nullptr) normalizer_.begin_with(*context.initial, "normalizer");
  }

  Metrics iterate() override {
    if (optimizer_ == nullptr) {
      throw internal_error("a learner that was made to play its policy is to learn");
    }
    Candidates candidates;
    optimizer_->ask(candidates);
    complete(candidates);
    const MemberReturns r =
        evaluation_.evaluate(candidates, optimizer_->generation(), normalizer_.view());
    const auto [low, high] = std::minmax_element(r.fitness.begin(), r.fitness.end());
    const bool is_constant = *low == *high;
    if (is_constant) {
      optimizer_->skip();
    } else {
      optimizer_->tell(r.fitness);
      upload_center();
    }
    evaluation_.update(normalizer_, options_.real("statistics_fraction"));
    steps_ += r.steps;
    nonfinite_ += std::uint64_t(r.nonfinite);
    return metrics(r, is_constant);
  }

  std::uint64_t steps() const override { return steps_; }
  // At least: an episode takes a step.
  std::uint64_t steps_per_iteration() const override {
    return std::uint64_t(evaluation_.episodes());
  }
  PolicyView policy() const override {
    return {shape_, parameters_.data(), normalizer_.view(),
            part_.fixed.empty() ? nullptr : fixed_.data()};
  }
  std::uint64_t nonfinite_instances() const override { return nonfinite_; }

  void save(TensorFile& file) const override {
    file.put<float>("policy/parameters", {parameters_.size()}, parameters_.download());
    normalizer_.save(file, "normalizer");
    file.put_scalar<std::uint64_t>("steps", steps_);
    file.put_scalar<std::uint64_t>("nonfinite_instances", nonfinite_);
    if (optimizer_ != nullptr) optimizer_->save(file);
  }

 protected:
  void load_state(const TensorFile& file) override {
    const std::vector<float> parameters =
        finite_floats(file, "policy/parameters", parameters_.size());
    part_.require(parameters, "policy/parameters");
    const std::uint64_t steps = checked_count(file, "steps", kMostSteps, "steps");
    normalizer_.load(file, "normalizer", steps);
    nonfinite_ = checked_count(file, "nonfinite_instances", steps, "steps");
    if (optimizer_ != nullptr) {
      optimizer_->load(file);
      if (optimizer_->evaluations() > steps / std::uint64_t(evaluation_.episodes())) {
        throw checkpoint_error(fmt::format(
            "tensor 'optimizer/evaluations' is {}, of {} episodes each, but tensor 'steps' is {}; "
            "expected a step in each episode at least",
            optimizer_->evaluations(), evaluation_.episodes(), steps));
      }
      require_center(parameters);
    }
    parameters_.upload(parameters);
    steps_ = steps;
  }

 private:
  std::vector<float> center() const {
    std::vector<float> all = part_.values;
    const std::vector<double> center = optimizer_->center();
    if (learnt_.empty()) return {center.begin(), center.end()};
    for (std::size_t k = 0; k < learnt_.size(); k++)
      all[std::size_t(learnt_[k])] = float(center[k]);
    return all;
  }
  // Of all parameters [D], 0 where one is fixed.
  std::vector<double> of_all_parameters(std::span<const double> learnt) const {
    if (learnt_.empty()) return {learnt.begin(), learnt.end()};
    std::vector<double> all(parameters_.size(), 0.0);
    for (std::size_t k = 0; k < learnt_.size(); k++) all[std::size_t(learnt_[k])] = learnt[k];
    return all;
  }
  // Members of whole policies in place of points of the search, where some parameters are fixed.
  void complete(Candidates& candidates) const {
    if (learnt_.empty()) return;
    make_points(optimizer_->backend(), candidates);
    std::vector<double> whole;
    for (int m = 0; m < candidates.n; m++) {
      std::vector<double> all = of_all_parameters(candidates.point(m));
      for (std::size_t k = 0; k < all.size(); k++) {
        if (part_.fixed[k] != 0) all[k] = double(part_.values[k]);
      }
      whole.insert(whole.end(), all.begin(), all.end());
    }
    candidates = {.dimension = long(parameters_.size()),
                  .n = candidates.n,
                  .points = std::move(whole),
                  .scenarios = candidates.scenarios};
  }
  void upload_center() { parameters_.upload(center()); }

  // The policy that acts is where the search stands.
  void require_center(const std::vector<float>& parameters) const {
    const std::vector<float> expected = center();
    for (std::size_t k = 0; k < expected.size(); k++) {
      if (expected[k] == parameters[k]) continue;
      throw checkpoint_error(fmt::format(
          "tensor 'policy/parameters': element {} is {}; expected {}, where the search stands", k,
          parameters[k], expected[k]));
    }
  }

  void require_checkpoint(const AlgorithmContext& context) const {
    if (context.checkpoint == nullptr) return;
    const TensorShape& shape = context.checkpoint->tensor("policy/parameters").shape;
    if (shape == TensorShape{parameters_.size()}) return;
    throw checkpoint_error(
        fmt::format("tensor 'policy/parameters' has the shape {}, but hidden or the environment of "
                    "the run makes it [{}]",
                    shape_text(shape), parameters_.size()));
  }

  Metrics metrics(const MemberReturns& r, bool is_constant) const {
    const SampleMean fitness = sample_mean(r.fitness);
    const auto [low, high] = std::minmax_element(r.fitness.begin(), r.fitness.end());
    Metrics metrics = {
        {"episodes", double(r.episodes)}, {"return", r.mean_return}, {"length", r.mean_length}};
    if (options_.has("nonfinite") && options_.text("nonfinite") == "reset") {
      metrics.emplace_back("nonfinite_instances", double(r.nonfinite));
    }
    metrics.emplace_back("fitness_best", *high);
    metrics.emplace_back("fitness_mean", fitness.mean);
    metrics.emplace_back("fitness_worst", *low);
    metrics.emplace_back("fitness_spread",
                         std::sqrt(fitness.sum_of_squares / double(fitness.count)));
    metrics.emplace_back("constant", is_constant ? 1 : 0);
    const Metrics own = optimizer_->metrics();
    metrics.insert(metrics.end(), own.begin(), own.end());
    return metrics;
  }

  const Options& options_;
  PolicyShape shape_;
  LearntPart part_;
  std::vector<long> learnt_;  // of the parameters, empty where all are
  MemberEvaluation evaluation_;
  DeviceArray<std::uint8_t> fixed_;               // [D], empty where everything is learnt
  DeviceArray<float> parameters_;                 // [D] the centre
  std::optional<PolicyMetric> metric_;            // of methods that step along it
  std::unique_ptr<BlackBoxOptimizer> optimizer_;  // null where this learner only plays
  ObservationNormalizer normalizer_;
  std::uint64_t steps_ = 0, nonfinite_ = 0;
};

}  // namespace

std::vector<OptionSpec> black_box_rows(const OptimizerDescriptor& optimizer) {
  std::vector<OptionSpec> all(optimizer.options.begin(), optimizer.options.end());
  all.insert(all.end(), kRows.begin(), kRows.end());
  if (!optimizer.sets_normalization) all.push_back(kNormalize);
  return all;
}

std::unique_ptr<Algorithm> make_black_box_algorithm(const OptimizerDescriptor& optimizer,
                                                    const AlgorithmContext& context) {
  return std::make_unique<BlackBoxAlgorithm>(optimizer, context);
}

}  // namespace gallop

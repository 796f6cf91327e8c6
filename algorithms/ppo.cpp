// Proximal policy optimisation with the clipped surrogate.
//
//   maximise  mean of min(rho A, clip(rho, 1 - epsilon, 1 + epsilon) A),
//   rho = pi(u | s) / pi_old(u | s)
//
// Each iteration: N instances run T steps; then for some epochs the samples are visited in
// minibatches of a random order, and policy and value network take a step of Adam each. Advantages
// by GAE (arXiv:1506.02438v6, eq. 16). epsilon is the option clip. Deviations from the paper: the
// two networks share nothing, so the value loss needs no coefficient; learning rates fall linearly
// to zero. With the option target_kl an iteration makes no further pass once the mean divergence
// KL(pi_old, pi) of the last minibatch of one is greater (OpenAI Spinning Up's and CleanRL's early
// stop). With value_clip the value loss is, as in OpenAI Baselines, the mean of
//
//   max((V - R)^2, (V_old + clip(V - V_old, -c, c) - R)^2) / 2,   c = value_clip,
//
// where Stable-Baselines3's clip_range_vf has the second square alone. With normalize_rewards
// rewards are divided by the running deviation of discounted returns (arXiv:2005.12729, section 3).
//
// Source: Schulman, Wolski, Dhariwal, Radford and Klimov, arXiv:1707.06347v2, Algorithm 1 and
// eq. 7.
//
// Verified: the loss and its gradient against definition and differences
// (tests/learning/gradient_test.cpp), Adam against its recursion (tests/learning/adam_test.cpp),
// learning on cartpole (tests/training/learning_test.cpp).
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/minibatches.h>
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/reward_normalizer.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    on_policy_rows({.n_envs = 64, .n_steps = 64, .gamma = 0.99, .gae_lambda = 0.95}),
    real_row("learning_rate", 0.001, {.min = 0, .max = 10}, "initial step of the policy's Adam"),
    real_row("value_learning_rate", 0.001, {.min = 0, .max = 10},
             "initial step of the value network's Adam"),
    boolean_row("anneal", true, "learning rates fall linearly to zero over the run"),
    integer_row("epochs", 4, {.min = 1, .max = 1000}, "passes over the samples of an iteration"),
    integer_row("minibatch", 512, {.min = 1, .max = 1 << 28, .unit = "samples"},
                "samples of one step"),
    real_row("clip", 0.2, {.min = 0, .max = 1}, "the ratio's range is 1 - clip to 1 + clip"),
    real_row("value_clip", 0, {.min = 0, .max = 1e9},
             "an update gains nothing by moving a value further than this from that of the network "
             "that acted, in the scale of rewards; 0 for no limit"),
    real_row("entropy_coefficient", 0, {.min = 0, .max = 10}, "weight of the entropy bonus"),
    real_row("max_gradient_norm", 0.5, {.min = 0, .max = 1e9},
             "gradients are scaled down to this norm; 0 for no limit"),
    real_row("target_kl", 0, {.min = 0, .max = 1e6, .unit = "nats"},
             "an iteration ends after the pass whose last minibatch has a greater mean KL "
             "divergence from the policy that acted; 0 for all epochs"),
    boolean_row("normalize_rewards", false,
                "rewards in learning are divided by the running deviation of discounted returns, "
                "before reward_scale; reported returns are not"));

class Ppo : public OnPolicyAlgorithm {
 public:
  explicit Ppo(const AlgorithmContext& context)
      : OnPolicyAlgorithm(context),
        minibatches_(context, learner_, context.options.integer("minibatch")) {
    if (!context.options.flag("normalize_rewards")) return;
    normalizer_.emplace(int(context.options.integer("n_envs")), context.options.real("gamma"));
  }

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    learner_.collect();
    // Of a copy: where the iteration fails, the statistics are what they were.
    std::optional<RewardNormalizer> normalizer = normalizer_;
    if (normalizer) {
      normalizer->update(learner_.rollout());
      learner_.set_reward_scale(context_.options.real("reward_scale") * normalizer->scale());
    }
    learner_.estimate_advantages();
    Metrics metrics = learner_.rollout().episode_metrics();
    update(metrics);
    learner_.update_normalizer();
    if (normalizer) metrics.emplace_back("reward_deviation", 1 / normalizer->scale());
    normalizer_ = std::move(normalizer);
    return metrics;
  }

  void save(TensorFile& file) const override {
    OnPolicyAlgorithm::save(file);
    file.put_scalar<std::uint64_t>("shuffles", minibatches_.passes());
    if (normalizer_) normalizer_->save(file, "reward_normalizer");
  }

 private:
  void load_state(const TensorFile& file) override {
    OnPolicyAlgorithm::load_state(file);
    minibatches_.load_passes(file, "shuffles", context_.options.integer("epochs"));
    if (normalizer_) normalizer_->load(file, "reward_normalizer", learner_.steps());
  }

  void update(Metrics& metrics) {
    const Options& options = context_.options;
    const double left = rate_left();
    TrainedParameters& policy = learner_.policy().parameters();
    TrainedParameters& value = learner_.value().parameters();
    policy.set_learning_rate(left * options.real("learning_rate"));
    value.set_learning_rate(left * options.real("value_learning_rate"));
    const double target_kl = options.real("target_kl");
    const double last = double(minibatches_.size_of(minibatches_.count() - 1));
    long epoch = 0;
    for (bool goes_on = true; goes_on && epoch < options.integer("epochs"); epoch++) {
      minibatches_.pass([&](const Samples& samples, long) { step(samples); });
      goes_on = target_kl == 0 || policy.statistics()[kStatKl] / last <= target_kl;
    }
    require_finite(policy.last_norm(), "the norm of the policy's gradient");
    require_finite(value.last_norm(), "the norm of the value network's gradient");
    report(minibatches_.size_of(minibatches_.count() - 1), metrics);
    if (target_kl > 0) metrics.emplace_back("epochs", double(epoch));
    metrics.emplace_back("learning_rate", left * options.real("learning_rate"));
  }

  void step(const Samples& samples) {
    PolicyGradientRequest r = learner_.policy().gradient_request(samples);
    const Options& options = context_.options;
    r.loss = PolicyLoss::kClippedSurrogate;
    r.clip = float(options.real("clip"));
    r.entropy_coefficient = float(options.real("entropy_coefficient"));
    const StepOptions limited = {.max_norm = options.real("max_gradient_norm")};
    Backend& backend = context_.backend;
    backend.both(
        [&] {
          backend.policy_step({r, learner_.policy().parameters().step_request(limited)});
        },
        [&] {
          backend.value_step({learner_.value_request(samples, options.real("value_clip")),
                              learner_.value().parameters().step_request(limited)});
        });
  }

  // Means over the last minibatch.
  void report(long count, Metrics& metrics) {
    const std::vector<float> policy = learner_.policy().parameters().statistics();
    const std::vector<float> value = learner_.value().parameters().statistics();
    const double n = double(count);
    require_finite(value[0], "the value network's loss");
    metrics.emplace_back("policy_loss", policy[kStatSurrogate] / n);
    metrics.emplace_back("value_loss", value[0] / n / 2);
    metrics.emplace_back("entropy", policy[kStatEntropy] / n);
    metrics.emplace_back("kl", policy[kStatKl] / n);
    metrics.emplace_back("clip_fraction", policy[kStatClipped] / n);
  }

  Minibatches minibatches_;
  std::optional<RewardNormalizer> normalizer_;  // of the option normalize_rewards
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Ppo)

const gallop::AlgorithmDescriptor& gallop_algorithm_Ppo() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "ppo",
      "proximal_policy_optimization",
      "proximal policy optimisation, clipped surrogate",
      "arXiv:1707.06347v2, Algorithm 1",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Ppo>(context);
      }};
  return kDescriptor;
}

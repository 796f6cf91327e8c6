// Stochastic value gradients: SVG(k) follows the policy's actions for k steps through the
// derivatives of a learned model, along what was really recorded, and leaves the rest to a value
// function.
//
//   maximise  r[t] + gamma r[t + 1] + ... + gamma^(k - 1) r[t + k - 1] + gamma^k V(s[t + k])
//
//   w = (s' - g(s, u)) / sigma,  v = (u - m(s)) / sigma_pi      noise that explains a transition
//   v_s     = r_s + pi_s' r_u + gamma (f_s' + pi_s' f_u') v_s'
//   v_theta = pi_theta' (r_u + gamma f_u' v_s'), summed over the actions
//
// Under the inferred noise the model passes through the recorded states, so that its derivatives
// are taken there and its own predictions are never followed: no error of it adds up.
//
//   k = 0         no model: a Q function of recorded transitions, and the reparameterised action
//                 that the policy would take now; Q' follows Q by tau
//   k = 1         transitions of all that is kept, each weighed by min(pi / pi of the time,
//                 max_weight); V of the policy of now, fitted to the last rollout
//   k = 2, 3, ... windows of k steps along the last rollout, one behind the other, V behind each
//   infinity      the last rollout as a whole, without a value function
//
// For k = 0 and 1 an iteration takes `updates` steps of minibatches, else one step. g, sigma and
// the reward's model are those of host/learning/dynamics_model.h, V that of the other algorithms
// here. Beyond the action space's bounds, to which the environment limits actions, a derivative by
// the action counts only where it leads back.
//
// Deviations: V is fitted to lambda-returns of the last rollout, without weights, in place of
// one-step targets of replayed transitions; states count undiscounted; sigma does not depend on
// the state, so that no derivative goes through it.
//
// Slip: the lecture counts k + 1 rewards before V and calls that k; here k is the number of steps
// through the model, as in the paper.
//
// Source: Heess, Wayne, Silver, Lillicrap, Tassa and Erez, "Learning continuous control policies by
// stochastic value gradients", arXiv:1510.09142v1.
//
// Verified: for k = 0, 1, 2, 3, 5 and infinity the gradients with exact models and values against
// the exact one of a linear-quadratic system (tests/learning/value_gradients_test.cpp).
#include <gallop/host/error.h>
#include <gallop/host/learning/model_based.h>
#include <gallop/host/learning/policy_gradient_step.h>
#include <gallop/host/learning/replayed_critic.h>

#include <fmt/format.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(collecting_rows({.n_envs = 16, .n_steps = 50, .gamma = 0.99, .gae_lambda = 0.95}),
         policy_step_rows("adam"), value_fit_rows({.learning_rate = 0.003, .epochs = 10}),
         model_rows(10, 1),
         text_row("k", "1",
                  "steps through the model before the value function: 0, 1, 2, ..., or infinity"),
         integer_row("minibatch", 256, {.min = 1, .max = 1 << 24, .unit = "samples"},
                     "transitions of one step of the policy, for k = 0 and 1"),
         integer_row("updates", 40, {.min = 1, .max = 1 << 20},
                     "steps of the policy in an iteration, for k = 0 and 1"),
         real_row("max_weight", 2, {.min = 1, .max = 1e6},
                  "importance weights are limited to this, for k = 1"),
         real_row("tau", 0.005, {.min = 0, .max = 1},
                  "part of the way that the slow Q function goes in a step, for k = 0"),
         real_row("max_adjoint", 0, {.min = 0, .max = 1e9},
                  "norms of adjoints are limited to this in the sweep; 0 for no limit"),
         real_row("entropy_coefficient", 0, {.min = 0, .max = 10}, "weight of an entropy bonus"));

constexpr int kInfinity = -1, kMost = 1 << 20;

int steps_of(const Options& options) {
  const std::string& text = options.text("k");
  if (text == "infinity" || text == "inf") return kInfinity;
  const bool is_number =
      !text.empty() && text.size() < 8 && text.find_first_not_of("0123456789") == std::string::npos;
  if (is_number && std::stoi(text) <= kMost) return std::stoi(text);
  throw value_error(fmt::format("k is '{}' ({}); expected a whole number from 0 to {}, or infinity",
                                text, options.origin("k"), kMost));
}

class Svg : public ModelBasedAlgorithm {
 public:
  explicit Svg(const AlgorithmContext& context)
      : ModelBasedAlgorithm("svg", context, steps_of(context.options) != 0,
                            steps_of(context.options) > 0),
        k_(steps_of(context.options)) {
    if (context.plays_only) return;
    const Options& options = context.options;
    if (k_ == 0) {
      critic_ = std::make_unique<ReplayedCritic>(context_, learner_.policy(), *store_);
    } else if (k_ == 1) {
      paths_ = std::make_unique<ModelPaths>(make_paths(1, options.integer("minibatch")));
    } else {
      paths_ = std::make_unique<ModelPaths>(make_paths(store_->n_steps(), store_->n_envs()));
    }
  }

  Metrics iterate() override {
    const Guard guard(*this);
    if (critic_ != nullptr) critic_->remember();
    Metrics metrics = collect();
    try {
      update(metrics);
    } catch (...) {
      if (critic_ != nullptr) critic_->restore();
      throw;
    }
    learner_.update_normalizer();
    return metrics;
  }

  void save(TensorFile& file) const override {
    ModelBasedAlgorithm::save(file);
    if (critic_ != nullptr) critic_->save(file);
  }

 private:
  void load_state(const TensorFile& file) override {
    ModelBasedAlgorithm::load_state(file);
    if (critic_ != nullptr) critic_->load(file, learner_.steps());
  }

  void update(Metrics& metrics) {
    if (k_ == 0) return through_critic(metrics);
    if (k_ > 0) fit_value(metrics);
    fit_model(metrics);
    if (k_ == 1) return through_replay(metrics);
    paths_->recall(*store_, store_->newest());
    paths_->weigh(store_->newest_weights());
    paths_->differentiate(sweep(0));
    metrics.emplace_back("gradient_norm", step_policy());
    metrics.emplace_back("greatest_adjoint", paths_->greatest_adjoint());
  }

  ModelPaths::Sweep sweep(long update) const {
    const Options& options = context_.options;
    ModelPaths::Sweep sweep;
    sweep.member =
        int((learner_.iterations() + std::uint64_t(update)) % std::uint64_t(model_->members()));
    sweep.gamma = options.real("gamma");
    sweep.reward_scale = options.real("reward_scale");
    sweep.window = k_ > 0 ? k_ : 0;
    sweep.value = k_ > 0 ? &learner_.value() : nullptr;
    sweep.max_adjoint = options.real("max_adjoint");
    sweep.entropy_coefficient = options.real("entropy_coefficient");
    return sweep;
  }

  void through_replay(Metrics& metrics) {
    const long updates = context_.options.integer("updates"), n = paths_->n();
    double norm = 0;
    for (long u = 0; u < updates; u++) {
      paths_->recall(*store_, draw(u * n, n));
      paths_->weigh_by_importance(*store_, float(context_.options.real("max_weight")));
      paths_->differentiate(sweep(u));
      norm += step_policy() / double(updates);
    }
    metrics.emplace_back("gradient_norm", norm);
  }

  void through_critic(Metrics& metrics) {
    const long updates = context_.options.integer("updates"), n = critic_->minibatch();
    critic_->update_statistics();
    double norm = 0, loss = 0;
    for (long u = 0; u < updates; u++) {
      const std::uint64_t call = learner_.iterations() * std::uint64_t(updates) + std::uint64_t(u);
      loss += critic_->learn(draw(u * n, n), std::uint32_t(call)) / double(updates);
      critic_->differentiate(context_.options.real("entropy_coefficient"), std::uint32_t(call));
      norm += step_policy() / double(updates);
    }
    metrics.emplace_back("value_loss", loss);
    metrics.emplace_back("gradient_norm", norm);
  }

  int k_;
  std::unique_ptr<ModelPaths> paths_;
  std::unique_ptr<ReplayedCritic> critic_;
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Svg)

const gallop::AlgorithmDescriptor& gallop_algorithm_Svg() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "svg",
      "stochastic_value_gradients",
      "stochastic value gradients SVG(k), k = 0, 1, ..., infinity, with a learned model",
      "arXiv:1510.09142v1",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Svg>(context);
      },
      gallop::continuous_refusal};
  return kDescriptor;
}

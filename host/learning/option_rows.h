// Rows of options that several algorithms have; an algorithm's table names them with the defaults
// that are its own.
#pragma once

#include <gallop/host/learning/own_policy.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/kernels/network/shape.h>
#include <gallop/kernels/policy/heads/gaussian.h>

namespace gallop {

struct OnPolicyDefaults {
  int n_envs = 64;
  int n_steps = 64;
  double gamma = 0.99;
  double gae_lambda = 0.97;
};

// Of every learner that collects rollouts of its policy and has a value network; a table begins
// with them.
constexpr auto collecting_rows(OnPolicyDefaults defaults) {
  return rows(
      integer_row("n_envs", defaults.n_envs, {.min = 1, .max = 1 << 24},
                  "instances that run side by side"),
      integer_row("n_steps", defaults.n_steps, {.min = 1, .max = 1 << 20, .unit = "steps"},
                  "length of a rollout"),
      real_row("gamma", defaults.gamma, {.min = 0, .max = 1}, "discount of rewards"),
      real_row("gae_lambda", defaults.gae_lambda, {.min = 0, .max = 1},
               "lambda of generalised advantage estimation; 1 is Monte Carlo"),
      integers_row("hidden", "64,64", {.min = 1, .max = kMaxWidth, .unit = "units"}, kMaxLayers - 1,
                   "hidden layers", "hidden layers of the policy; none for a linear one"),
      integers_row("value_hidden", "0", {.min = 0, .max = kMaxWidth, .unit = "units"},
                   kMaxLayers - 1, "hidden layers",
                   "hidden layers of the value network; 0 for those of the policy"),
      choice_row("activation", "tanh", "tanh,relu", "of the hidden layers"), own_policy_row(),
      choice_row("log_std", "parameter", "parameter,network",
                 "where the log standard deviation of continuous actions comes from"),
      real_row("init_log_std", 0, {.min = kMinLogStd, .max = kMaxLogStd},
               "initial log standard deviation of continuous actions"),
      real_row("reward_scale", 1, {.min = 1e-9, .max = 1e9},
               "factor of rewards in learning; reported returns are unscaled"),
      boolean_row("normalize_observations", false,
                  "running normalisation to mean 0 and deviation 1"));
}

// Of those that learn by advantages.
constexpr auto on_policy_rows(OnPolicyDefaults defaults) {
  return rows(
      collecting_rows(defaults),
      boolean_row("normalize_advantages", true,
                  "advantages of a batch to mean 0 and deviation 1; a single one stays as it is"));
}

struct ValueFitDefaults {
  double learning_rate = 0.003;
  int epochs = 5;
  int minibatch = 256;
};

// Of a fit of the value network.
constexpr auto value_fit_rows(ValueFitDefaults defaults) {
  return rows(
      real_row("value_learning_rate", defaults.learning_rate, {.min = 0, .max = 10},
               "step of the value network's Adam"),
      integer_row("value_epochs", defaults.epochs, {.min = 1, .max = 1000},
                  "passes over the samples in a fit of the value network"),
      integer_row("value_minibatch", defaults.minibatch,
                  {.min = 1, .max = 1 << 28, .unit = "samples"}, "samples of one step of the fit"),
      real_row("max_gradient_norm", 0, {.min = 0, .max = 1e9},
               "gradients of Adam are scaled down to this norm; 0 for no limit"));
}

// Of algorithms that estimate advantages against a baseline, with those of its fit.
constexpr auto baseline_rows(const char* baseline, ValueFitDefaults fit) {
  return rows(
      choice_row("baseline", baseline, "none,mean,time,linear,network",
                 "what is subtracted from returns: nothing, their mean, a function of the step in "
                 "the episode, one that is linear in features, a network"),
      real_row("value_proximal", 0, {.min = 0, .max = 1e9},
               "weight of |phi - phi_i|^2 in a fit of the baseline (linear: beside the sum of "
               "squared errors; network: half of it beside half their mean)"),
      value_fit_rows(fit));
}

constexpr OptionSpec value_target_row() {
  return choice_row("value_target", "monte_carlo", "td,monte_carlo,lambda",
                    "what the baseline is fitted to");
}

// Of a step along the policy gradient. The limit of the gradient's norm is the option
// max_gradient_norm of the value fit.
constexpr auto policy_step_rows(const char* step) {
  return rows(
      choice_row("step", step, "plain,adam,rmsprop",
                 "plain: theta + learning_rate g; adam, rmsprop: scaled by running moments of g"),
      real_row("learning_rate", 0, {.min = 0, .max = 1e6},
               "of the policy's step; 0 for what suits the step: plain 0.3, adam 0.01, rmsprop "
               "0.003"));
}

// Of the solution for the natural gradient.
constexpr auto solver_rows() {
  return rows(
      real_row("damping", 0.1, {.min = 0, .max = 1e6},
               "zeta, added to the diagonal of the Fisher matrix"),
      integer_row("cg_iterations", 10, {.min = 1, .max = 10000},
                  "at most, of the conjugate gradient"),
      real_row("cg_tolerance", 1e-10, {.min = 0, .max = 1},
               "the conjugate gradient stops at this part of |g|^2"),
      choice_row("fisher", "auto", "auto,fused,cublas",
                 "products with the Fisher matrix on CUDA in mode fast: by the fused kernel, by "
                 "cuBLAS, or by the one that is found faster; in mode strict by the kernel"));
}

}  // namespace gallop

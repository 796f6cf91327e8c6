// Rows of options that off-policy actor-critics have.
#pragma once

#include <gallop/host/options/option_rows.h>
#include <gallop/kernels/network/shape.h>
#include <gallop/kernels/replay/replay.h>

namespace gallop {

struct OffPolicyDefaults {
  int n_steps = 256;
  int buffer_size = 1000000;
  int batch_size = 256;
  int learning_starts = 1000;
  double learning_rate = 3e-4;
  double value_learning_rate = 3e-4;
  const char* hidden = "256,256";
};

// Of every one of them; a table begins with them.
constexpr auto off_policy_rows(OffPolicyDefaults defaults) {
  return rows(
      integer_row("n_envs", 1, {.min = 1, .max = 1 << 24}, "instances that run side by side"),
      integer_row("n_steps", defaults.n_steps, {.min = 1, .max = 1 << 20, .unit = "steps"},
                  "of each instance in an iteration, which reports once"),
      integer_row("train_freq", 1, {.min = 1, .max = 1 << 20, .unit = "steps"},
                  "of each instance between updates; a part of n_steps"),
      integer_row("gradient_steps", 1, {.min = 0, .max = 1 << 20},
                  "updates after every train_freq steps; 0 for as many as transitions were made"),
      integer_row("buffer_size", defaults.buffer_size,
                  {.min = 1, .max = double(kMostReplayed), .unit = "transitions"},
                  "that are kept, the oldest replaced first"),
      integer_row("batch_size", defaults.batch_size,
                  {.min = 1, .max = 1 << 24, .unit = "transitions"}, "of one update"),
      integer_row("learning_starts", defaults.learning_starts,
                  {.min = 0, .max = 1e15, .unit = "steps"},
                  "in all, by uniformly random actions, before the first update"),
      real_row("gamma", 0.99, {.min = 0, .max = 1}, "discount of rewards"),
      integers_row("hidden", defaults.hidden, {.min = 1, .max = kMaxWidth, .unit = "units"},
                   kMaxLayers - 1, "hidden layers",
                   "hidden layers of the policy; none for a linear one"),
      integers_row("value_hidden", "0", {.min = 0, .max = kMaxWidth, .unit = "units"},
                   kMaxLayers - 1, "hidden layers",
                   "hidden layers of the Q networks; 0 for those of the policy"),
      choice_row("activation", "relu", "tanh,relu", "of the hidden layers"),
      real_row("learning_rate", defaults.learning_rate, {.min = 0, .max = 10},
               "step of the policy's Adam"),
      real_row("value_learning_rate", defaults.value_learning_rate, {.min = 0, .max = 10},
               "step of the Q networks' Adam"),
      real_row("reward_scale", 1, {.min = 1e-9, .max = 1e9},
               "factor of rewards in learning; reported returns are unscaled"));
}

// Of those with target networks.
constexpr OptionSpec tau_row(double value) {
  return real_row("tau", value, {.min = 0, .max = 1},
                  "part of the way that target networks go in an update; 1 copies");
}

// Of those whose policy is deterministic and explores by noise.
constexpr auto exploration_rows(double noise) {
  return rows(
      choice_row("noise", "gaussian", "gaussian,ou",
                 "exploration: independent normal noise, or an Ornstein-Uhlenbeck process"),
      real_row("exploration_noise", noise, {.min = 0, .max = 10},
               "its deviation, or sigma of the process, in units of half the range of actions"),
      real_row("ou_theta", 0.15, {.min = 0, .max = 1e3}, "rate at which the process returns to 0"),
      real_row("ou_time_step", 1, {.min = 1e-9, .max = 1e3}, "dt of the process"));
}

}  // namespace gallop

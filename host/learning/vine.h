// Branches from recorded states: the vine of Schulman et al., arXiv:1502.05477v5, section 5.2.
#pragma once

#include <vector>

#include <gallop/host/learning/on_policy.h>

namespace gallop {

struct VineOptions {
  long states;      // J at most: a rollout of fewer samples gives all of its states
  int branches;     // K from each state, where actions are continuous
  int steps;        // L of a branch
  bool bootstraps;  // V of the state where a branch is cut stands for what would have followed
};
VineOptions vine_options(const Options& options);

// From each of J states that the last rollout went through, spread evenly over its steps and
// instances, K branches begin with an action each, and then follow the policy for L steps. Actions
// are drawn from the policy where they are continuous; where they are not each one is taken once,
// which is q uniform. Time limits end no branch.
//
// The branches of a state have their random numbers in common from their first step on, those of
// the environment and those of the policy: instances of one id (EnvironmentOptions::ids). Ids stand
// behind those of a run's own instances and before those of its evaluations, others in every
// iteration, so nothing of this has to be kept for a resumed run.
class Vine {
 public:
  // Samples of a vine of these options, K x J.
  static long sample_count(const AlgorithmContext& context);

  // The learner records its states from now on.
  Vine(const AlgorithmContext& context, OnPolicyLearner& learner);

  // Grows the branches from the learner's last rollout, under its policy. Throws an Error
  // (non_finite) that names the first state whose branch met a number that is not finite; with
  // nonfinite = reset nothing is learned from such a state instead. Waits.
  void grow();

  // First actions [K, J] with
  //
  //   log_prob   log q(a | s)
  //   advantage  Q(s, a) - mean over the K branches of the state
  //              (with normalize_advantages over their deviation, of more than one state)
  //
  // so that the mean of pi / q times advantage over them is eq. 15 of all actions, and of sampled
  // ones has the gradient of the self-normalised eq. 16 at the policy that acted.
  Samples samples() const;

  std::uint64_t steps() const { return steps_; }       // that the last branches took
  double mean_value() const { return mean_value_; }    // of Q, in units of the rewards
  double mean_spread() const { return mean_spread_; }  // deviation of Q in a state, likewise

 private:
  Environments make_environments(const std::vector<std::uint32_t>& ids, ResetMode mode) const;
  std::vector<std::uint32_t> ids(bool in_common) const;
  std::vector<float> chosen_states();
  DeviceArray<float> open(const std::vector<float>& states);
  std::vector<double> follow(const std::vector<float>& states, const DeviceArray<float>& action);
  void add_rewards(int n_steps, const std::vector<float>& reward,
                   const std::vector<std::uint8_t>& terminated, std::vector<double>& value);
  void add_cut_values(Environments& branches, std::vector<double>& value);
  void note_nonfinite(const Environments& branches);
  void center(const std::vector<double>& value);

  AlgorithmContext context_;
  OnPolicyLearner& learner_;
  VineOptions options_;
  bool normalizes_;  // advantages of more than one state to deviation 1; their mean is 0
  bool takes_every_action_;
  int n_branches_;  // K
  long n_states_;   // J
  int observation_rows_, action_rows_;
  std::uint64_t steps_ = 0;
  double mean_value_ = 0, mean_spread_ = 0;
  double discount_ = 1;                                             // of the next reward
  std::vector<std::uint8_t> ended_;                                 // [K, J] whose branch has ended
  std::vector<std::uint8_t> is_left_out_;                           // [J]
  DeviceArray<float> observation_, action_, log_prob_, advantage_;  // [K, O, J] [K, A, J] [K, J]
};

}  // namespace gallop

#pragma once

#include <cstdint>
#include <vector>

namespace gallop {

// A rollout on the host, in the order of Trajectory.
struct HostRollout {
  int n_steps, n_envs, observation_rows, action_rows;
  std::vector<float> observation, action, log_prob, reward, final_observation, ended_return;
  std::vector<std::uint8_t> terminated, truncated;
  std::vector<std::int32_t> ended_length;
};

// What of a rollout is not learned from: the transitions of an instance that met a number which is
// not finite, from the beginning of the episode in which it did, as far as that lies in the
// rollout. They are replaced by transitions that repeat one with finite observation and action,
// each cut off as by a time limit, with reward 0. The learner gives them the advantage 0 and the
// value's own target.
class RolloutMask {
 public:
  RolloutMask() = default;
  // `first` [N]: the transition in which each instance met the number, n_steps where it met none.
  // Repairs the rollout. Throws an Error (non_finite) where no instance is whole.
  RolloutMask(const std::vector<int>& first, HostRollout& rollout);

  bool empty() const { return masked_from_.empty(); }
  // Where transition t of instance i is not learned from.
  bool hides(int t, int i) const { return !empty() && t >= masked_from_[i]; }
  // Transitions whose flags say that an episode was cut off, and are of this mask's making.
  long n_cuts() const { return n_cuts_; }

 private:
  void repair(int i, int from, int donor, HostRollout& rollout);

  std::vector<int> masked_from_;  // [N] or none
  long n_cuts_ = 0;
};

}  // namespace gallop

#pragma once

#include <functional>

#include <gallop/host/learning/algorithm.h>
#include <gallop/host/learning/rollout_mask.h>
#include <gallop/host/runtime/environments.h>

namespace gallop {

// Sums over the episodes that ended in one or several rollouts.
struct EpisodeTotals {
  double episodes = 0, returns = 0, lengths = 0;
  double nonfinite_instances = 0;

  EpisodeTotals& operator+=(const EpisodeTotals& other);
  // Number, mean return and mean length (NaN of none), and where asked for the instances that met
  // a number which is not finite.
  Metrics metrics(bool counts_nonfinite) const;
};

// A recorded rollout of T steps by N instances, and what of it is learned from. All arrays are in
// the backend's memory.
class RolloutBuffer {
 public:
  // For rollouts of `n_steps` of these environments. Where `resets_nonfinite`, an instance that
  // meets a number that is not finite begins anew, and its spoilt episode is masked.
  RolloutBuffer(Backend& backend, const Environments& environments, int n_steps,
                bool resets_nonfinite);

  int n_steps() const { return trajectory_.n_steps; }
  int n_envs() const { return trajectory_.n_envs; }
  long n_samples() const { return long(n_steps()) * n_envs(); }
  const Trajectory& trajectory() const { return trajectory_; }
  // [T + 1, N] steps since the episode began; null unless they are tracked.
  const float* age() const { return age_.data(); }
  // From now on final observations are those of every episode, one row a step. Before, they are
  // those of episodes that were cut off, from which values are bootstrapped, in rows that steps
  // share (Trajectory): half of the memory of observations less. Where resets_nonfinite they always
  // are.
  void keep_every_final_observation();
  // Ages are computed with every rollout from now on, and saved.
  void track_ages();
  // States of the environment are recorded with every rollout from now on: all T + 1, or those
  // where the steps 0, every, 2 every, ... begin. Rollouts have the same bits for any.
  void track_states(const Environments& environments, int every = 1);
  // [T + 1, S, N], or [ceil(T / every), S, N], of the last rollout, where they are recorded.
  const float* state() const { return state_.data(); }
  std::vector<float> states() const { return state_.download(); }  // waits

  // Policies act by the mode of what they choose from now on, without noise.
  void act_deterministically() { is_deterministic_ = true; }
  // The counters of instances at the recorded states [ceil(T / every), N], where every > 1.
  const std::uint32_t* state_episode() const { return state_episode_.data(); }
  const std::int32_t* state_elapsed() const { return state_elapsed_.data(); }

  // Runs the policy for T steps. Throws an Error (non_finite) if an instance met such a number and
  // that is not masked, or no instance is left.
  void collect(Environments& environments, const PolicyView& policy);
  // The same with uniformly random actions, which have no log-probability.
  void collect_random(Environments& environments);
  // The same with the actions [A, N] that `act` leaves for observations [O, N], step by step; they
  // have no log-probability.
  void collect_by(Environments& environments,
                  const std::function<void(const float* observation, float* action)>& act);
  // The same from the beginning of new episodes.
  void collect_from_reset(Environments& environments, const PolicyView& policy);

  // [T, N] of the last rollout on the host: rewards, and whether an episode ended there. Wait.
  std::vector<float> downloaded_rewards() const { return reward_.download(); }
  std::vector<std::uint8_t> downloaded_ends() const;

  const RolloutMask& mask() const { return mask_; }
  bool resets_nonfinite() const { return resets_nonfinite_; }
  // Instances that were reset since they met a number that is not finite, so far.
  std::uint64_t nonfinite_instances() const { return nonfinite_instances_; }
  // Mean return and length of the episodes that ended in the last rollout, and their number. Waits.
  Metrics episode_metrics() const { return episode_totals().metrics(resets_nonfinite_); }
  // The sums behind them. Waits.
  EpisodeTotals episode_totals() const;

  // Ages and the count of instances that were reset; `environments` are those of the checkpoint,
  // after so many rollouts.
  void save(TensorFile& file) const;
  void load(const TensorFile& file, const Environments& environments, std::uint64_t rollouts);

 private:
  void begin();
  void run(Environments& environments, const PolicyView& policy, ActionSource source);
  void roll_in_parts(Environments& environments, const PolicyView& policy, ActionSource source);
  void finish(Environments& environments, std::uint32_t time_before);
  void make_final_rows(int interval);
  void mask_nonfinite(Environments& environments, std::uint32_t time_before);
  std::vector<float> last_ages() const;

  Backend* backend_;
  bool resets_nonfinite_, shares_rows_, tracks_ages_ = false;
  RolloutMask mask_;
  long nonfinite_in_rollout_ = 0;
  std::uint64_t nonfinite_instances_ = 0;
  Trajectory trajectory_;
  DeviceArray<float> observation_, action_, log_prob_, reward_, final_observation_, ended_return_;
  int state_interval_ = 1;
  bool is_deterministic_ = false;
  DeviceArray<std::uint32_t> state_episode_;
  DeviceArray<std::int32_t> state_elapsed_;
  DeviceArray<float> age_, state_;
  DeviceArray<std::uint8_t> terminated_, truncated_;
  DeviceArray<std::int32_t> ended_length_;
};

}  // namespace gallop

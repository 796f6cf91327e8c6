#pragma once

#include <string>
#include <vector>

#include <gallop/host/learning/rollout_buffer.h>

namespace gallop {

// Transitions of the last rollouts, in the backend's memory: a ring of rows, one row a step of the
// N instances. Transition (t, i) has the number t * N + i, t being its row. What a rollout leaves
// masked is kept in its place and not learned from.
class TransitionStore {
 public:
  // Room for the option buffer_size of transitions, in whole rollouts. Throws a value error where
  // that is less than one rollout, and where memory is short. What an instance does in a rollout is
  // held out, all of it, with the probability `held_out`; the first instance never is.
  TransitionStore(const AlgorithmContext& context, const Environments& environments,
                  RolloutBuffer& rollout, double held_out);

  int n_envs() const { return n_envs_; }
  int n_steps() const { return n_steps_; }  // of a rollout
  int observation_rows() const { return observation_rows_; }
  int action_rows() const { return action_rows_; }
  long capacity() const { return long(rows_) * n_envs_; }  // transitions
  int n_rows() const { return n_kept_; }                   // rows that there are

  // Takes the last rollout in; where there is no room left, in place of the oldest. Random numbers:
  // purpose kRandomModel, id: the instance, below those of paths through models.
  void add(const RolloutBuffer& rollout);

  // Numbers of the transitions that models and policies learn from, and of those held out.
  std::vector<std::uint32_t> learned() const { return numbers(kLearned); }
  std::vector<std::uint32_t> held_out() const { return numbers(kHeldOut); }
  // Of the first step of the last rollout, [N].
  std::vector<std::uint32_t> newest() const;
  // 0 for transitions of the last rollout that are not learned from, else 1: [T, N], or nothing
  // where all are.
  std::vector<float> newest_weights() const;

  const float* input() const { return input_.data(); }        // [rows, O + A, N]
  const float* next() const { return next_.data(); }          // [rows, O, N]
  const float* reward() const { return reward_.data(); }      // [rows, N]
  const float* action() const { return action_.data(); }      // [rows, A, N] unclipped
  const float* log_prob() const { return log_prob_.data(); }  // [rows, N]
  const float* continues() const { return continues_.data(); }
  const float* cut() const { return cut_.data(); }
  const float* low() const { return low_.data(); }  // [A] bounds of the actions
  const float* high() const { return high_.data(); }

  // The first `rows` of the `all_rows` components from `from` on, of the transitions that stand
  // `later` rows after n chosen ones (device memory), into [rows, n].
  void gather(const float* from, int all_rows, int rows, const std::uint32_t* chosen, int later,
              long n, float* to) const;

  void save(TensorFile& file) const;
  // After so many rollouts.
  void load(const TensorFile& file, std::uint64_t rollouts);

 private:
  enum Use : std::uint8_t { kLearned, kHeldOut, kMasked };

  std::vector<std::uint32_t> numbers(Use use) const;
  int newest_row() const;

  Backend* backend_;
  std::uint64_t seed_;
  double held_out_;
  int n_steps_, n_envs_, observation_rows_, action_rows_, rows_;
  int n_kept_ = 0;
  std::uint64_t rollouts_ = 0;     // taken in so far
  std::vector<std::uint8_t> use_;  // [rows, N]
  DeviceArray<float> low_, high_;
  DeviceArray<float> input_, next_, reward_, action_, log_prob_, continues_, cut_;
};

}  // namespace gallop

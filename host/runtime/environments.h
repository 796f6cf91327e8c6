#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/runtime/backend.h"

namespace gallop {

class TensorFile;

// How a batch of instances is made.
struct EnvironmentOptions {
  int n_envs = 1;
  std::uint64_t seed = 0;       // below 2^56
  std::uint32_t id_offset = 0;  // instance i has the global id id_offset + i
  int time_limit = -1;          // steps; 0 for none, -1 for the environment's own
  ResetMode reset_mode = ResetMode::kSameStep;
  bool clip_actions = true;  // continuous actions are limited to the action space's bounds
  Arithmetic arithmetic = Arithmetic::kStrict;  // of a policy's network in rollouts
};

// The first instance that met a number that is not finite.
struct NonFinite {
  bool found = false;
  std::uint32_t instance = 0;  // global id
  std::uint32_t time = 0;      // step since creation, counted from 1
};

// A batch of instances of one environment on a backend. Everything is a pure function of
// (parameters, seed, global id, actions): splits of a batch, threads and devices do not change a
// bit. Arrays given to its functions are the caller's, in the backend's memory, with the stated
// shapes.
class Environments {
 public:
  // Throws a value error for a count, seed or id out of range.
  Environments(Backend& backend, const EnvironmentEntry& entry, const EnvironmentOptions& options);

  const EnvironmentSpec& spec() const { return *spec_; }
  const EnvironmentEntry& entry() const { return *entry_; }
  const EnvironmentOptions& options() const { return options_; }
  int n_envs() const { return options_.n_envs; }
  int observation_size() const { return sizes_.observation; }  // components, or number of states
  int action_size() const { return sizes_.action; }            // components, or number of actions
  int observation_rows() const;                                // floats of one observation
  int action_rows() const;                                     // floats of one action
  int time_limit() const { return time_limit_; }
  void set_time_limit(int steps);               // 0 for none; a value error below that
  std::uint32_t time() const { return time_; }  // steps since creation

  // Named parameters. The defaults are the specification's. A value error names an unknown
  // parameter, a value out of range, or a size that the running batch cannot change. Changes take
  // effect at the next step; sizes only before the first reset.
  void set_parameter(std::string_view name, double value);
  double parameter(std::string_view name) const;
  // One value for each instance [N].
  void set_parameter(std::string_view name, std::span<const float> values);
  // The shared table of environments that have one, [spec().table_capacity] floats on the host.
  void set_table(std::span<const float> table);

  // Begins episode 0 of every instance.
  void reset();
  // Begins the next episode where mask [N] (device memory) is not 0.
  void reset_where(const std::uint8_t* mask);
  // Observations now: [O, N].
  void observe(float* observation);
  // One step: action [A, N]; `out.time` is filled in. In ResetMode::kDisabled stepping an instance
  // whose episode ended is a value error that names it.
  void step(const float* action, StepOutput out);
  // T fused steps under a policy or random actions; fills in environment, batch and time.
  void rollout(ActionSource source, const PolicyView& policy, bool deterministic,
               const Trajectory& out);
  // Whether options().arithmetic has a rollout under this policy that is not the strict one.
  bool has_fast_rollout(const PolicyView& policy) const;

  NonFinite first_nonfinite() const;

  // States [S, N] as the host sees them, in the order of spec().state_names.
  std::vector<float> get_state() const;
  // Throws a value error where the count is not S * N. Episode counters stay; the episode's time
  // and return begin at 0.
  void set_state(std::span<const float> state);

  // Everything that a resumed run needs, under names that begin with `prefix`.
  void save(TensorFile& file, const std::string& prefix) const;
  void load(const TensorFile& file, const std::string& prefix);

 private:
  int find_parameter(std::string_view name) const;
  void check_parameter(int index, double value) const;
  void upload_parameters();
  EnvironmentBatch view() const;
  RolloutRequest rollout_request(ActionSource source, const PolicyView& policy) const;
  void refuse_ended() const;
  void advance_time(int steps);

  Backend* backend_;
  const EnvironmentEntry* entry_;
  const EnvironmentSpec* spec_;
  EnvironmentOptions options_;
  Sizes sizes_;
  int time_limit_;
  long stride_;
  std::uint32_t time_ = 0;
  bool started_ = false;
  bool per_instance_ = false;
  std::vector<double> parameter_values_;
  DeviceArray<float> parameters_;  // [P] or [P, stride]
  DeviceArray<float> table_;
  DeviceArray<float> state_, episode_return_;
  DeviceArray<std::uint32_t> episode_, nonfinite_, nonfinite_any_;
  DeviceArray<std::int32_t> elapsed_;
  DeviceArray<std::uint8_t> ended_;
};

}  // namespace gallop

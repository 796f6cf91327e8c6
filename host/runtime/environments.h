#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/runtime/backend.h>
#include <gallop/host/runtime/parameter_values.h>

namespace gallop {

class TensorFile;

// Global ids of evaluation instances begin here, so that they share no random number with training.
constexpr std::uint32_t kEvaluationIds = std::uint32_t(1) << 31;

// How a batch of instances is made.
struct EnvironmentOptions {
  int n_envs = 1;
  std::uint64_t seed = 0;          // below 2^56
  std::uint32_t id_offset = 0;     // instance i has the global id id_offset + i,
  std::vector<std::uint32_t> ids;  // or ids[i], where there are [n_envs]; of one id, equal draws
  int time_limit = -1;             // steps; 0 for none, -1 for the environment's own
  ResetMode reset_mode = ResetMode::kSameStep;
  bool clip_actions = true;  // continuous actions are limited to the action space's bounds
  Arithmetic arithmetic = Arithmetic::kStrict;  // of a policy's network in rollouts
};

// Instances of a batch that stand elsewhere, in the backend's memory, as many as the batch has.
struct InstanceArrays {
  float* state;                  // [S, stride]
  std::uint32_t* episode;        // [stride]
  std::int32_t* elapsed;         // [stride]
  float* episode_return;         // [stride]
  std::uint8_t* ended;           // [stride]
  std::uint32_t* nonfinite;      // [stride]
  std::uint32_t* nonfinite_any;  // [1]
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
// shapes. It keeps references: the backend and the entry have to outlive it. A call that throws a
// usage, value or checkpoint error has changed nothing.
class Environments {
 public:
  // Throws a value error for a count, seed, id or choice out of range.
  Environments(Backend& backend, const EnvironmentEntry& entry, const EnvironmentOptions& options);

  const EnvironmentSpec& spec() const { return *spec_; }
  const EnvironmentEntry& entry() const { return *entry_; }
  const EnvironmentOptions& options() const { return options_; }
  int n_envs() const { return options_.n_envs; }
  std::uint32_t id(int i) const;                               // global id of instance i
  int observation_size() const { return sizes_.observation; }  // components, or number of states
  int action_size() const { return sizes_.action; }            // components, or number of actions
  bool has_index_observations() const { return spec_->observation_kind == SpaceKind::kDiscrete; }
  int observation_rows() const;  // floats of one observation
  int action_rows() const;       // floats of one action
  int time_limit() const { return time_limit_; }
  void set_time_limit(int steps);               // 0 for none; a value error below that
  std::uint32_t time() const { return time_; }  // steps since creation, or since reset_anew
  bool has_begun() const { return started_; }   // by a first reset, set_state or load

  // Named parameters. The defaults are the specification's. A value error names an unknown
  // parameter, a value out of range, or a size that the running batch cannot change. Changes take
  // effect at the next step; sizes only before the first reset. Values that exclude each other (an
  // interval whose lower end is above the upper one) are refused by the next call that runs the
  // batch: they are set one by one.
  void set_parameter(std::string_view name, double value);
  // One value for each instance [N].
  void set_parameter(std::string_view name, std::span<const float> values);
  // The value of all instances; a value error where they differ.
  double parameter(std::string_view name) const;
  // Those of the present episodes where they draw it; before the first reset of episode 0.
  std::vector<float> parameter_values(std::string_view name) const;  // [N]
  // Has every episode draw a parameter anew, the present ones too, from the next step on: a pure
  // function of (seed, id, number of the episode), on every backend, in rollouts, populations and
  // derivatives. Throws a usage error for an unknown parameter and a value error for what cannot be
  // a range (ParameterRanges::set). A parameter that is drawn cannot be set; once it is not any
  // more, instances have the value from before. Random numbers: purpose kRandomParameters.
  void randomize(std::string_view name, const DrawnRange& range);
  void stop_randomizing(std::string_view name);
  void stop_randomizing();
  const ParameterRanges& ranges() const { return parameter_values_.ranges(); }
  // The shared table of environments that have one, [spec().table_capacity] floats on the host.
  void set_table(std::span<const float> table);

  // Begins episode 0 of every instance; called again, or after set_state or load, the next episode
  // of every instance.
  void reset();
  // Begins the next episode where mask [N] (device memory) is not 0.
  void reset_where(const std::uint8_t* mask);
  // Begins everything anew under another seed: episode 0 of every instance, with the ids that the
  // options gave, as a batch that was just made. Parameters and table stay. A value error for a
  // seed of 2^56 or above.
  void reset_anew(std::uint64_t seed);
  // Begins episode 0, under the batch's seed, of the instances where mask [N] (host memory; empty
  // for all) is not 0, which draw by ids [N] from now on; the others go on as they are, and their
  // ids are not looked at. A value error for an id of kEvaluationIds or above, and for a mask that
  // leaves instances out before the first reset.
  void reset_with_ids(std::span<const std::uint32_t> ids, std::span<const std::uint8_t> mask = {});
  // Observations now: [O, N]. Like every call below it throws a value error before the first reset,
  // set_state or load.
  void observe(float* observation);
  // The same into another layout: [observation_rows(), N] numbers by the strides of the view, of
  // any kind where observations are states of a table, else floats.
  void observe(const ArrayView& observation);
  // One step: action [A, N]; `out.time` is filled in. In ResetMode::kDisabled an instance whose
  // episode ended stands still, with reward 0 and both flags false, until reset_where. A discrete
  // action has to be one of 0 .. action_size() - 1: for any other number, a fraction or NaN that
  // instance's reward is NaN, which first_nonfinite() reports, as it does for a continuous action
  // that is not finite.
  void step(const float* action, StepOutput out);
  // The same with actions [action_rows(), N] and observations in other layouts; actions may be
  // whole numbers where they are discrete. `out.observation` is this batch's to fill in; where
  // `observation.data` is null there is none. Final observations stay [O, N].
  void step(const ArrayView& action, const ArrayView& observation, StepOutput out);
  // T fused steps under a policy or random actions; fills in environment, batch and time.
  void rollout(ActionSource source, const PolicyView& policy, bool deterministic,
               const Trajectory& out);
  // Whole episodes of every member of a population (kernels/rollout/population_request.h), in
  // instances of their own: of this batch it takes the seed, the id offset, the parameters, the
  // table, the time limit and whether actions are clipped, and fills in `environment`, `scenario`
  // and `clip`. The batch stays as it is, and need not have been reset. Throws a value error for a
  // population that the environment does not fit, for one of ids beyond 2^32, for episodes without
  // a time limit, and where parameters differ from instance to instance or ids are given one by
  // one.
  void evaluate_population(PopulationRequest request);
  // Policies' actions are drawn by this seed in rollouts from now on, in place of the batch's,
  // which initial states and dynamics are drawn by. Until reset_anew; not part of what is saved. A
  // value error for a seed of 2^56 or above.
  void set_action_seed(std::uint64_t seed);
  // Derivatives of a recorded step, backwards (kernels/rollout/pull_back.h); fills in
  // `environment`, `scenario`, `n_envs` and `clip`. Throws a value error, with the reason, where
  // the environment is not smooth.
  void pull_back(PullBackRequest request) const;
  // The step that this batch's instances would take from where these stand: under its seed, ids,
  // parameters and time limit, with its own draws. action [A, N]. The batch stays as it is.
  void step_elsewhere(const InstanceArrays& instances, const float* action, ResetMode mode,
                      StepOutput out) const;
  // Whether options().arithmetic has a rollout under this policy that is not the strict one.
  bool has_fast_rollout(const PolicyView& policy) const;

  NonFinite first_nonfinite() const;
  // When each instance first met such a number [N], counted from 1; 0 for never.
  std::vector<std::uint32_t> nonfinite_times() const;
  // Begins the next episode of every instance that has met one, and forgets that it did.
  void restart_nonfinite();

  // States as they are, in the backend's memory: component k of instance i at [k * stride() + i],
  // in the order of spec().state_names. Written by every call that runs the batch.
  const float* state() const { return state_.data(); }
  // Likewise [N] whether the last episode of an instance has ended and none has begun since, in the
  // modes that do not reset at once; the sum of rewards and the number of steps of its episode.
  const std::uint8_t* ended() const { return ended_.data(); }
  const float* episode_return() const { return episode_return_.data(); }
  const std::int32_t* episode_length() const { return elapsed_.data(); }
  // Likewise the number of the episode that an instance is in, counted from 0.
  const std::uint32_t* episode() const { return episode_.data(); }
  long stride() const { return stride_; }

  // States [S, N] as the host sees them, in the order of spec().state_names.
  std::vector<float> get_state() const;
  // States [S, N], or [spec().n_given_state, N]: then the other components are evaluated from
  // these, as they also are where an instance's others are all 0 and the environment cannot be in
  // such a state. Throws a value error for another count, and for a number that the environment
  // cannot hold, with instance and component. Episode counters stay; the episode's time and return
  // begin at 0.
  void set_state(std::span<const float> state);

  // Everything that a resumed run needs, under names that begin with `prefix`. Table and time limit
  // are not part of it. `load` throws a checkpoint error with the tensor's name where one is
  // missing, of another size, or holds what a batch like this one cannot hold. Numbers that are not
  // finite are taken where the tensor "nonfinite" says that the instance has met one.
  void save(TensorFile& file, const std::string& prefix) const;
  void load(const TensorFile& file, const std::string& prefix);

  // The whole batch as bytes, from which it goes on bit for bit: states, counters, parameters,
  // table, seed, ids and time limit. At any time, before the first reset too.
  std::vector<std::byte> snapshot() const;
  // Takes all of that from the snapshot of a batch of the same environment, number of instances and
  // reset mode, on whatever device. Throws a checkpoint error for any other, and for bytes that are
  // no snapshot. Arrays keep their places in memory, but for parameters.
  void restore(std::span<const std::byte> snapshot);

 private:
  struct Saved;

  void refuse_options() const;
  void require_started(const char* call) const;
  void require_parameters() const;
  Saved read(const TensorFile& file, const std::string& prefix) const;
  void require_counters(const Saved& saved, const std::string& prefix) const;
  EnvironmentBatch host_view(float* state, std::span<const float> parameters) const;
  void upload_parameters();
  void upload_ranges();
  std::vector<float> drawn(int index, std::span<const std::uint32_t> episodes) const;
  std::vector<float> rows_in(const ParameterValues& values,
                             std::span<const std::uint32_t> episodes) const;
  void save_ranges(TensorFile& file) const;
  void restore_ranges(const TensorFile& file);
  EnvironmentBatch view() const;
  RolloutRequest rollout_request(ActionSource source, const PolicyView& policy) const;
  void note_strict_rollout();
  void advance_time(int steps);
  void set_ids(std::vector<std::uint32_t> ids);
  void take_parameters(const TensorFile& file);
  void take(Environments&& other);
  void require_view(const ArrayView& view, int rows, bool is_discrete, const char* what) const;

  Backend* backend_;
  const EnvironmentEntry* entry_;
  const EnvironmentSpec* spec_;
  EnvironmentOptions options_;
  std::vector<std::uint32_t> given_ids_;  // those of the options that the batch was made with
  int time_limit_;
  long stride_;
  ParameterValues parameter_values_;
  Sizes sizes_;
  DeviceArray<std::uint32_t> ids_;  // [stride] or none
  std::uint32_t time_ = 0;
  bool started_ = false;
  bool noted_strict_ = false;
  std::uint64_t action_seed_bits_ = 0;  // RolloutRequest::action_seed_bits
  DeviceArray<float> parameters_;       // [P] or [P, stride]
  DeviceArray<ParameterRange> ranges_;  // [P], or none before the first one
  std::vector<float> table_values_;
  DeviceArray<float> table_;  // the same
  DeviceArray<float> state_, episode_return_;
  DeviceArray<std::uint32_t> episode_, nonfinite_, nonfinite_any_;
  DeviceArray<std::int32_t> elapsed_;
  DeviceArray<std::uint8_t> ended_;
  DeviceArray<float> given_action_, own_observation_;  // [A, N] and [O, N] beside other layouts
};

}  // namespace gallop

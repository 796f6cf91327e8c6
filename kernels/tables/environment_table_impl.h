// Implements EnvironmentTable for one environment and the instruction set of the translation unit.
// Included only by generated files.
#pragma once

#include <gallop/kernels/bodies/skeleton.h>
#include <gallop/kernels/environment/environment_table.h>
#include <gallop/kernels/environment/restart.h>
#include <gallop/kernels/environment/runner.h>
#include <gallop/kernels/numerics/native.h>
#include <gallop/kernels/rollout/pull_back_lanes.h>

namespace gallop::inline GALLOP_ISA {

template <class Env>
struct EnvironmentFunctions {
  using F = Native;
  using P = typename Env::template Parameters<F>;
  using S = typename Env::template State<F>;
  using T = Traits<Env>;
  static constexpr int kW = kLanesOf<F>;

  // Calls body(i, count, parameters) for each register of instances. Shared parameters are loaded
  // once, so what an environment derives from them leaves the loop. Only the last register may hold
  // fewer instances than lanes, so that full ones need not ask.
  template <class Body>
  static GALLOP_HD void for_each_register(const EnvironmentBatch& batch, int begin, int end,
                                          Body body) {
    P p;
    int i = begin;
    if (batch.parameters_per_instance == 0) {
      broadcast_struct<F>(p, batch.parameters);
      for (; i + kW <= end; i += kW) body(i, kW, p);
    } else {
      for (; i + kW <= end; i += kW) {
        load_struct<F>(p, batch.parameters + i, batch.stride, kW);
        body(i, kW, p);
      }
    }
    if (i == end) return;
    if (batch.parameters_per_instance != 0) {
      load_struct<F>(p, batch.parameters + i, batch.stride, kW);
    }
    body(i, end - i, p);
  }

  static void reset(const EnvironmentBatch& batch, int begin, int end, const std::uint8_t* mask) {
    for_each_register(batch, begin, end, [&](int i, int count, const P& p) GALLOP_INLINE_LAMBDA {
      Instances<Env, F> in;
      load_instances(batch, i, in);
      Mask<F> chosen = F(0.0f) == F(0.0f);
      if (mask == nullptr) {
        in.episode = Word<F>(0u);
      } else {
        chosen = load_mask(mask + (i - begin), count, F());
        in.episode = in.episode + to_word(mask_to_int<F>(chosen));
      }
      begin_episode<Env, F>(batch, p, in, chosen);
      store_instances(batch, i, in, count);
      for (int lane = 0; lane < count; lane++) {
        if (mask == nullptr || mask[i - begin + lane] != 0) batch.ended[i + lane] = 0;
      }
    });
  }

  static void observe(const EnvironmentBatch& batch, int begin, int end, float* observation,
                      long stride) {
    for_each_register(batch, begin, end, [&](int i, int count, const P& p) GALLOP_INLINE_LAMBDA {
      S s;
      load_struct<F>(s, batch.state + i, batch.stride, kW);
      write_observation(batch, p, s, observation + (i - begin), stride, count);
    });
  }

  static GALLOP_HD void write_observation(const EnvironmentBatch& batch, const P& p, const S& s,
                                          float* to, long stride, int count) {
    F o[T::kObservationRows];
    gallop::observe<Env, F>(batch.shared, p, s, o);
    const int rows = observation_rows<Env>(batch.shared);
    for (int k = 0; k < rows; k++) store_lanes(to + k * stride, o[k], count);
  }

  static GALLOP_HD void load_action(const EnvironmentBatch& batch, const float* from, long stride,
                                    int count, F* action) {
    const int rows = action_rows<Env>(batch.shared);
    for (int k = 0; k < rows; k++) action[k] = load_lanes(from + k * stride, count, F());
    for (int k = rows; k < T::kActionRows; k++) action[k] = F(0.0f);
  }

  template <ResetMode kMode>
  static void step_range(const EnvironmentBatch& batch, int begin, int end, const float* action,
                         long action_stride, bool clip, const StepOutput& out) {
    // Same-step resets wait until all have stepped: kernels/environment/restart.h.
    constexpr bool kRestarts = kMode == ResetMode::kSameStep;
    EndedList<F> ended;
    Restart<Env, F> restart{batch, begin, out};
    for_each_register(batch, begin, end, [&](int i, int count, const P& p) GALLOP_INLINE_LAMBDA {
      const int column = i - begin;
      Instances<Env, F> in;
      load_instances(batch, i, in);
      F a[T::kActionRows];
      load_action(batch, action + column, action_stride, count, a);
      Mask<F> was_ended = F(0.0f) != F(0.0f);
      if constexpr (!kRestarts) was_ended = load_mask(batch.ended + i, count, F());
      const Mask<F> was_action =
          take_action<Env, F>(batch.shared, out.checks_actions != 0, clip, a) | was_ended;
      Transition<Env, F> to;
      constexpr ResetMode kAtOnce = kRestarts ? ResetMode::kByCaller : kMode;
      advance<Env, F>(batch, p, in, kAtOnce, was_ended, a, to);
      if (!all(was_action)) spoil(was_action, kAtOnce, in, to);
      store_instances(batch, i, in, count);
      if (!all(to.finite)) note_lanes(batch, i, count, to.finite, out.time);
      write_transition(batch, out, column, count, to);
      if constexpr (kRestarts) {
        ended.append(first_lanes<F>(to.ended, count), i);
        if (ended.full()) restart.run(ended);
      } else {
        store_mask(batch.ended + i, is_ended(kMode, was_ended, to.ended), count);
        write_ended(batch, out, column, count, to);
      }
    });
    if constexpr (kRestarts) restart.run(ended);
  }

  static GALLOP_HD void note_lanes(const EnvironmentBatch& batch, int i, int count, Mask<F> finite,
                                   std::uint32_t time) {
    std::uint8_t flags[kW];
    store_mask(flags, finite, kW);
    for (int lane = 0; lane < count; lane++) {
      if (flags[lane] == 0) note_nonfinite(batch, i + lane, time);
    }
  }

  static GALLOP_HD void write_transition(const EnvironmentBatch& batch, const StepOutput& out,
                                         int column, int count, const Transition<Env, F>& from) {
    if (out.reward != nullptr) store_lanes(out.reward + column, from.reward, count);
    if (out.terminated != nullptr) store_mask(out.terminated + column, from.terminated, count);
    if (out.truncated != nullptr) store_mask(out.truncated + column, from.truncated, count);
    for (int k = 0; k < T::kTerms && out.terms != nullptr; k++) {
      store_lanes(out.terms + k * out.observation_stride + column, from.terms[k], count);
    }
    const int rows = observation_rows<Env>(batch.shared);
    if (out.observation != nullptr) {
      for (int k = 0; k < rows; k++) {
        store_lanes(out.observation + k * out.observation_stride + column, from.observation[k],
                    count);
      }
    }
  }

  static GALLOP_HD void write_ended(const EnvironmentBatch& batch, const StepOutput& out,
                                    int column, int count, const Transition<Env, F>& from) {
    if (!any(from.ended)) return;
    const int rows = observation_rows<Env>(batch.shared);
    if (out.ended_return != nullptr) {
      store_where(out.ended_return + column, from.ended, from.ended_return, count);
    }
    if (out.ended_length != nullptr) {
      store_where(out.ended_length + column, from.ended, from.ended_length, count);
    }
    if (out.first_return != nullptr) {
      const Int<F> none = load_words(out.first_length + column, count, Int<F>());
      const Mask<F> first = from.ended & (none == Int<F>(0));
      store_where(out.first_return + column, first, from.ended_return, count);
      store_where(out.first_length + column, first, from.ended_length, count);
    }
    if (out.final_observation != nullptr) {
      const Mask<F> kept = out.final_of_cut != 0 ? from.truncated : from.ended;
      for (int k = 0; k < rows; k++) {
        store_where(out.final_observation + k * out.observation_stride + column, kept,
                    from.final_observation[k], count);
      }
    }
  }

  static void step(const EnvironmentBatch& batch, int begin, int end, const float* action,
                   long action_stride, int clip, ResetMode mode, const StepOutput& out) {
    if (mode == ResetMode::kSameStep) {
      step_range<ResetMode::kSameStep>(batch, begin, end, action, action_stride, clip != 0, out);
    } else if (mode == ResetMode::kNextStep) {
      step_range<ResetMode::kNextStep>(batch, begin, end, action, action_stride, clip != 0, out);
    } else {
      step_range<ResetMode::kDisabled>(batch, begin, end, action, action_stride, clip != 0, out);
    }
  }

  static void pull_back(const PullBackRequest& r, int begin, int end) {
    using D = Dual<F, kTangents>;
    typename Env::template Parameters<D> p;
    if (r.scenario.parameters_per_instance == 0) broadcast_struct<D>(p, r.scenario.parameters);
    for (int i = begin; i < end; i += kW) {
      if (r.scenario.parameters_per_instance != 0) {
        load_struct<D>(p, r.scenario.parameters + i, r.scenario.stride, kW);
      }
      pull_back_lanes<Env, F>(r, p, i, end - i < kW ? end - i : kW);
    }
  }
  static constexpr auto pull_back_function() -> void (*)(const PullBackRequest&, int, int) {
    if constexpr (T::kSmooth)
      return &pull_back;
    else
      return nullptr;
  }

  static constexpr double reward_threshold() {
    if constexpr (requires { Env::kRewardThreshold; })
      return Env::kRewardThreshold;
    else
      return __builtin_nan("");
  }
  static constexpr const ComponentSpec* observation_components() {
    if constexpr (T::kIndexObservation)
      return nullptr;
    else
      return Env::kObservation;
  }
  static constexpr const ComponentSpec* action_components() {
    if constexpr (T::kDiscreteAction)
      return nullptr;
    else
      return Env::kAction;
  }
  static constexpr const char* const* term_names() {
    if constexpr (T::kTerms > 0)
      return Env::kTerms;
    else
      return nullptr;
  }
  static constexpr auto sizes_function() -> Sizes (*)(const double*) {
    if constexpr (T::kHasSizes)
      return &Env::sizes;
    else
      return nullptr;
  }
  static constexpr auto table_function() -> void (*)(float*) {
    if constexpr (T::kHasTable)
      return &Env::default_table;
    else
      return nullptr;
  }

  static constexpr auto range_function() -> StateRange (*)(int, const Sizes&) {
    if constexpr (requires(const Sizes& sizes) { Env::state_range(0, sizes); })
      return &Env::state_range;
    else
      return nullptr;
  }
  static constexpr int interval_count() {
    if constexpr (requires { Env::kIntervals; })
      return count_of(Env::kIntervals);
    else
      return 0;
  }
  static constexpr const IntervalSpec* intervals() {
    if constexpr (interval_count() > 0)
      return Env::kIntervals;
    else
      return nullptr;
  }

  static constexpr const Skeleton* skeleton() {
    if constexpr (requires {
                    typename Env::Model;
                    Env::kFrameSkip;
                  })
      return &kSkeleton<Env>;
    else
      return nullptr;
  }

  static constexpr bool equal_texts(const char* a, const char* b) {
    while (*a != 0 && *a == *b) a++, b++;
    return *a == *b;
  }
  // -2 where there is none.
  static constexpr int parameter_called(const char* name) {
    for (int k = 0; k < T::kParameters; k++) {
      if (equal_texts(Env::kParameters[k].name, name)) return k;
    }
    return -2;
  }
  static constexpr int time_step_parameter() {
    if constexpr (requires(const char* name) { name = Env::kTimeStep; }) {
      return parameter_called(Env::kTimeStep);
    } else {
      return -1;
    }
  }
  static_assert(time_step_parameter() != -2, "kTimeStep names no parameter of kParameters");
  static constexpr double time_step() {
    if constexpr (requires(double seconds) { seconds = Env::kTimeStep; }) {
      static_assert(Env::kTimeStep > 0, "kTimeStep is the seconds between two steps, above 0");
      return Env::kTimeStep;
    } else if constexpr (requires { Env::kFrameSkip* Env::Model::kWorld.timestep; } &&
                         time_step_parameter() < 0) {
      return Env::kFrameSkip * Env::Model::kWorld.timestep;
    } else {
      return 0;
    }
  }

  static constexpr int observation_parameter() {
    if constexpr (requires { Env::kObservationParameter; }) {
      return parameter_called(Env::kObservationParameter);
    } else {
      return -1;
    }
  }
  static_assert(observation_parameter() != -2,
                "kObservationParameter names no parameter of kParameters");
  static constexpr int controller_count() {
    if constexpr (requires { Env::kControllers; })
      return count_of(Env::kControllers);
    else
      return 0;
  }
  static constexpr const ControllerSpec* controllers() {
    if constexpr (controller_count() > 0)
      return Env::kControllers;
    else
      return nullptr;
  }
  static constexpr OwnPolicySpec own_policy() {
    if constexpr (requires { Env::kOwnWeights; }) {
      static_assert(!T::kDiscreteAction && count_of(Env::kOwnConstants) == T::kAction,
                    "kOwnConstants has a number for each component of a continuous action");
      return {count_of(Env::kOwnWeights), Env::kOwnWeights, Env::kOwnConstants};
    } else {
      return {};
    }
  }

  static constexpr EnvironmentSpec kSpec = {
      Env::kName,
      Env::kAliases,
      Env::kSource,
      Env::kTimeLimit,
      reward_threshold(),
      T::kIndexObservation ? SpaceKind::kDiscrete : SpaceKind::kBox,
      T::kDiscreteAction ? SpaceKind::kDiscrete : SpaceKind::kBox,
      T::kObservation,
      T::kAction,
      observation_components(),
      action_components(),
      T::kState,
      Env::kStateNames,
      T::given_state(),
      T::kTerms,
      term_names(),
      T::kParameters,
      Env::kParameters,
      T::kLongSteps,
      T::kTable,
      sizes_function(),
      table_function(),
      skeleton(),
      range_function(),
      interval_count(),
      intervals(),
      time_step(),
      time_step_parameter(),
      controller_count(),
      controllers(),
      own_policy(),
      observation_parameter(),
      T::not_smooth()};

  static constexpr EnvironmentTable kTable = {&kSpec, &reset, &observe, &step,
                                              pull_back_function()};
};

}  // namespace gallop::inline GALLOP_ISA

// Defines gallop_environment_<Type>_<isa>(), found by the generated registry.
#define GALLOP_INSTANTIATE_CPU(Type)                                                      \
  extern "C" const gallop::EnvironmentTable* GALLOP_OF_ISA(gallop_environment_##Type)() { \
    return &gallop::GALLOP_ISA::EnvironmentFunctions<gallop::GALLOP_ISA::Type>::kTable;   \
  }

// Values from outside: states, checkpoints, actions and parameters of every registered environment.
// What an environment cannot hold is refused by name, and changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/runtime/processor.h>
#include "tests/host/edited_tensors.h"
#include "tests/host/expect_error.h"
#include "tests/learning/kernel_sets.h"
#include "tests/runtime/recorded_rollout.h"

namespace gallop::testing {
namespace {

using test::expect_error_with;
using test::tensor_values;
using test::with_element;

constexpr int kInstances = 21, kVictim = 17;
constexpr std::uint32_t kFirstId = 100;
constexpr float kInf = std::numeric_limits<float>::infinity();

class EnvironmentValues : public ::testing::TestWithParam<const EnvironmentEntry*> {
 protected:
  const EnvironmentEntry& entry() const { return *GetParam(); }
  const EnvironmentSpec& spec() const { return spec_of(entry()); }
  Environments batch(ResetMode mode = ResetMode::kSameStep, int time_limit = -1) {
    return make_batch(*backend_, entry(), kInstances, kFirstId, mode, time_limit);
  }
  StateRange range(const Environments& e, int k) const {
    if (spec().state_range == nullptr) return {};
    return spec().state_range(k, {e.observation_size(), e.action_size()});
  }
  // Component k of the victim's state in a row of a checkpoint.
  static std::size_t in_checkpoint(int k) { return std::size_t(k) * 64 + kVictim; }

  std::unique_ptr<Backend> backend_ = make_cpu_backend(2);
};
INSTANTIATE_TEST_SUITE_P(Registry, EnvironmentValues, ::testing::ValuesIn(all_environments()),
                         [](const auto& info) { return std::string(spec_of(*info.param).name); });

// Numbers that component k cannot hold.
std::vector<float> impossible(const StateRange& range) {
  std::vector<float> values = {NAN, kInf, -kInf};
  if (range.whole) values.insert(values.end(), {0.5f, float(range.low) + 0.25f});
  if (std::isfinite(range.low)) values.push_back(float(range.low) - 1.0f);
  if (std::isfinite(range.high)) {
    values.insert(values.end(), {float(range.high) + 1.0f, 1e9f, 1e30f});
  }
  return values;
}

TEST_P(EnvironmentValues, StatesThatItCannotHoldAreRefusedAndChangeNothing) {
  Environments e = batch();
  RecordedRollout r(e, 5);
  e.rollout(ActionSource::kUniform, {}, false, r.trajectory());
  TensorFile before;
  e.save(before, "batch");
  const std::vector<float> good = e.get_state();
  for (int k = 0; k < spec().n_state; k++) {
    for (const float value : impossible(range(e, k))) {
      std::vector<float> state = good;
      state[std::size_t(k) * kInstances + kVictim] = value;
      expect_error_with(
          ExitCode::value, [&] { e.set_state(state); }, "instance 117", spec().state_names[k],
          spec().name, "expected");
    }
  }
  TensorFile after;
  e.save(after, "batch");
  for (const auto& [name, tensor] : before.tensors()) {
    EXPECT_EQ(tensor.bytes, after.tensor(name).bytes) << name;
  }
}

TEST_P(EnvironmentValues, CheckpointsThatItCannotHaveWrittenAreRefusedAndChangeNothing) {
  Environments e = batch(ResetMode::kSameStep, kShortLimit), other = batch();
  other.set_time_limit(kShortLimit);
  RecordedRollout r(e, 5), s(e, 7);
  e.rollout(ActionSource::kUniform, {}, false, r.trajectory());
  other.rollout(ActionSource::kUniform, {}, false, s.trajectory());
  TensorFile file, before;
  e.save(file, "batch");
  other.save(before, "batch");

  const auto refuse = [&](const TensorFile& bad, const std::string& name) {
    expect_error_with(
        ExitCode::checkpoint, [&] { other.load(bad, "batch"); }, "'batch/" + name + "'");
  };
  for (int k = 0; k < spec().n_state; k++) {
    for (const float value : impossible(range(e, k))) {
      refuse(with_element(file, "batch/state", in_checkpoint(k), value), "state");
    }
    // Behind the last instance.
    refuse(with_element(file, "batch/state", std::size_t(k) * 64 + kInstances, 3.0f), "state");
  }
  for (const std::int32_t elapsed : {-1, 6, kShortLimit, 1 << 30, INT32_MIN, INT32_MAX}) {
    refuse(with_element(file, "batch/elapsed", kVictim, elapsed), "elapsed");
  }
  for (const int flag : {1, 2, 255}) {
    refuse(with_element(file, "batch/ended", kVictim, std::uint8_t(flag)), "ended");
  }
  for (const std::uint32_t time : {6u, 0xffffffffu}) {
    refuse(with_element(file, "batch/nonfinite", kVictim, time), "nonfinite");
  }
  for (const float value : {NAN, kInf, -kInf}) {
    refuse(with_element(file, "batch/episode_return", kVictim, value), "episode_return");
  }
  for (const char* name : {"elapsed", "episode", "episode_return", "ended", "nonfinite"}) {
    const std::string tensor = std::string("batch/") + name;
    const DType dtype = file.tensor(tensor).dtype;
    if (dtype == DType::i32) refuse(with_element(file, tensor, 60, std::int32_t(1)), name);
    if (dtype == DType::u32) refuse(with_element(file, tensor, 60, std::uint32_t(1)), name);
    if (dtype == DType::u8) refuse(with_element(file, tensor, 60, std::uint8_t(1)), name);
    if (dtype == DType::f32) refuse(with_element(file, tensor, 60, 1.0f), name);
  }
  for (int k = 0; k < spec().n_parameters; k++) {
    const ParameterSpec& p = spec().parameters[k];
    for (const float value :
         {NAN, kInf, std::nextafter(float(p.low), -kInf), std::nextafter(float(p.high), kInf)}) {
      refuse(with_element(file, "batch/parameters", k, value), "parameters");
    }
    if (p.whole) refuse(with_element(file, "batch/parameters", k, 1.5f), "parameters");
  }
  for (const auto& [name, tensor] : file.tensors()) {
    refuse(test::without_tensor(file, name), name.substr(6));
  }
  TensorFile after;
  other.save(after, "batch");
  for (const auto& [name, tensor] : before.tensors()) {
    EXPECT_EQ(tensor.bytes, after.tensor(name).bytes) << name;
  }
  EXPECT_EQ(other.time(), 7u);
  other.load(file, "batch");
  EXPECT_EQ(other.time(), 5u);
  EXPECT_TRUE(same_bits(other.get_state(), e.get_state()));
}

// A batch saves an instance that met such a number; what it holds then is its own affair.
TEST_P(EnvironmentValues, AnInstanceThatMetANumberThatIsNotFiniteIsSavedAndLoaded) {
  Environments e = batch();
  RecordedRollout r(e, 5);
  e.rollout(ActionSource::kUniform, {}, false, r.trajectory());
  TensorFile file;
  e.save(file, "batch");
  file = with_element(file, "batch/nonfinite", kVictim, std::uint32_t(3));
  file = with_element(file, "batch/episode_return", kVictim, float(NAN));
  const bool index = range(e, 0).whole;
  if (!index) file = with_element(file, "batch/state", in_checkpoint(0), float(NAN));
  Environments other = batch();
  other.load(file, "batch");
  EXPECT_TRUE(other.first_nonfinite().found);
  EXPECT_EQ(other.first_nonfinite().instance, kFirstId + kVictim);
  EXPECT_EQ(other.first_nonfinite().time, 3u);
  if (index) {
    // Others are read by it.
    expect_error_with(
        ExitCode::checkpoint,
        [&] { other.load(with_element(file, "batch/state", kVictim, float(NAN)), "batch"); },
        "'batch/state'");
  }
}

// The components that the others follow from are enough, and give what a reset gives.
TEST_P(EnvironmentValues, GivenComponentsAreCompletedAsAResetDoes) {
  const int given = spec().n_given_state, n = spec().n_state;
  Environments e = batch(), other = batch();
  const std::vector<float> state = e.get_state();
  RecordedRollout r(other, 5);
  other.rollout(ActionSource::kUniform, {}, false, r.trajectory());
  other.set_state(std::span(state).first(std::size_t(given) * kInstances));
  EXPECT_TRUE(same_bits(other.get_state(), state));
  std::vector<float> zeros(state.size(), 0.0f);
  std::copy_n(state.begin(), std::size_t(given) * kInstances, zeros.begin());
  other.set_state(zeros);
  bool can_be_zero = true;
  for (int k = given; k < n; k++) can_be_zero = can_be_zero && range(e, k).low <= 0;
  EXPECT_TRUE(same_bits(other.get_state(), can_be_zero ? zeros : state));
  if (given + 1 < n) {
    expect_error_with(
        ExitCode::value,
        [&] { other.set_state(std::span(state).first(std::size_t(given + 1) * kInstances)); },
        std::to_string(given * kInstances), std::to_string(n * kInstances));
  }
}

TEST_P(EnvironmentValues, ActionsThatAreNoneSpoilTheRewardOfTheirInstance) {
  const bool discrete = spec().action_kind == SpaceKind::kDiscrete;
  for (const ResetMode mode : {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
    for (const float bad : {float(NAN), -1.0f, 0.5f, 20.0f, kInf, -kInf, 1e30f, 2147483648.0f}) {
      if (!discrete && std::isfinite(bad)) continue;
      // The episode of every instance ends with its second step.
      Environments clean = batch(mode, 2), hurt = batch(mode, 2);
      RecordedRollout a(clean, 2), b(clean, 2);
      const int n = kInstances, rows = clean.action_rows();
      std::vector<float> action(std::size_t(n) * rows, 0.0f), spoilt = action;
      for (int k = 0; k < rows; k++) spoilt[std::size_t(k) * n + kVictim] = bad;
      const auto step = [&](Environments& e, const std::vector<float>& actions,
                            RecordedRollout& to) {
        StepOutput out = {};
        out.reward = to.reward.data();
        out.ended_return = to.ended_return.data();
        out.observation = to.observation.data();
        e.step(actions.data(), out);
      };
      step(clean, action, a);
      step(hurt, action, b);
      step(clean, action, a);
      step(hurt, spoilt, b);
      EXPECT_TRUE(std::isnan(b.reward[kVictim])) << bad;
      EXPECT_TRUE(std::isnan(b.ended_return[kVictim])) << bad;
      const NonFinite found = hurt.first_nonfinite();
      ASSERT_TRUE(found.found) << bad;
      EXPECT_EQ(found.instance, kFirstId + kVictim) << bad;
      EXPECT_EQ(found.time, 2u) << bad;
      EXPECT_FALSE(clean.first_nonfinite().found);
      for (int i = 0; i < n; i++) {
        if (i == kVictim) continue;
        ASSERT_EQ(b.reward[i], a.reward[i]);
        ASSERT_EQ(b.observation[i], a.observation[i]);
      }
    }
  }
}

// An action that is not taken is not looked at.
TEST_P(EnvironmentValues, AnActionOfAnInstanceThatIsResetInItsPlaceMayBeAnything) {
  Environments e = batch(ResetMode::kNextStep, 1);
  const std::vector<float> zeros(std::size_t(kInstances) * e.action_rows(), 0.0f),
      nans(zeros.size(), NAN);
  e.step(zeros.data(), {});
  e.step(nans.data(), {});
  EXPECT_FALSE(e.first_nonfinite().found);
}

TEST_P(EnvironmentValues, IntervalsOfParametersThatAreEmptyAreRefusedWhereTheyAreUsed) {
  for (int k = 0; k < spec().n_intervals; k++) {
    const IntervalSpec interval = spec().intervals[k];
    Environments e = batch();
    const double low = e.parameter(interval.low), high = e.parameter(interval.high);
    std::vector<float> action(std::size_t(kInstances) * e.action_rows(), 0.0f);
    RecordedRollout r(e, 2);
    const std::vector<std::uint8_t> mask(kInstances, 1);
    const std::vector<float> state = e.get_state();
    const auto refuse_all = [&](const std::string& text) {
      const auto refuse = [&](const auto& call) {
        expect_error_with(ExitCode::value, call, interval.low, interval.high, text);
      };
      refuse([&] { e.step(action.data(), {}); });
      refuse([&] { e.rollout(ActionSource::kUniform, {}, false, r.trajectory()); });
      refuse([&] { e.reset(); });
      refuse([&] { e.reset_where(mask.data()); });
      refuse([&] { e.set_state(state); });
    };
    e.set_parameter(interval.low, high + 0.25);
    refuse_all("above");
    e.set_parameter(interval.low, high);
    if (interval.open) {
      refuse_all("not below");
    } else {
      EXPECT_NO_THROW(e.step(action.data(), {}));
    }
    // Both moved, the upper end last.
    e.set_parameter(interval.low, high + 0.25);
    e.set_parameter(interval.high, high + 0.5);
    EXPECT_NO_THROW(e.step(action.data(), {}));
    // One instance alone.
    e.set_parameter(interval.low, low);
    std::vector<float> highs(kInstances, float(high));
    highs[kVictim] = float(low) - 0.5f;
    e.set_parameter(interval.high, highs);
    refuse_all("instance 17");
    // Such a checkpoint.
    Environments good = batch();
    TensorFile file;
    good.save(file, "batch");
    int at = 0;
    while (spec().parameters[at].name != std::string_view(interval.low)) at++;
    expect_error_with(
        ExitCode::checkpoint,
        [&] { good.load(with_element(file, "batch/parameters", at, float(high + 0.25)), "batch"); },
        "'batch/parameters'", interval.low);
  }
}

TEST_P(EnvironmentValues, ParametersOfInstancesAreKnown) {
  for (int k = 0; k < spec().n_parameters; k++) {
    const ParameterSpec& p = spec().parameters[k];
    if (p.whole || spec().sizes != nullptr) continue;
    Environments e = batch();
    EXPECT_EQ(e.parameter(p.name), p.value);
    std::vector<float> values(kInstances, float(p.value));
    e.set_parameter(p.name, values);
    EXPECT_EQ(e.parameter(p.name), p.value) << p.name;
    const float other =
        std::nextafter(float(p.value), p.value == p.high ? float(p.low) : float(p.high));
    values[kVictim] = other;
    e.set_parameter(p.name, values);
    EXPECT_EQ(e.parameter_values(p.name), values);
    expect_error_with(
        ExitCode::value, [&] { (void)e.parameter(p.name); }, p.name, "instance 17");
    // Saved and loaded into a batch without, whose later changes keep them.
    const ParameterSpec& next = spec().parameters[(k + 1) % spec().n_parameters];
    if (spec().n_parameters > 1) e.set_parameter(next.name, next.value);
    TensorFile file;
    e.save(file, "batch");
    Environments loaded = batch();
    loaded.load(file, "batch");
    EXPECT_EQ(loaded.parameter_values(p.name), values) << p.name;
    loaded.set_parameter(p.name, double(other));
    EXPECT_EQ(float(loaded.parameter(p.name)), other);
  }
}

TEST_P(EnvironmentValues, AParameterSetAfterALoadKeepsTheOthersThatWereLoaded) {
  if (spec().sizes != nullptr || spec().n_parameters < 2) return;
  const ParameterSpec &first = spec().parameters[0], &second = spec().parameters[1];
  const double low = first.low > -1e30 ? first.low : -1;
  Environments e = batch();
  e.set_parameter(first.name, low);
  TensorFile file;
  e.save(file, "batch");
  Environments other = batch();
  other.load(file, "batch");
  EXPECT_EQ(float(other.parameter(first.name)), float(low));
  EXPECT_EQ(other.parameter(second.name), second.value);
  other.set_parameter(second.name, second.value);
  TensorFile again;
  other.save(again, "batch");
  EXPECT_EQ(again.tensor("batch/parameters").bytes, file.tensor("batch/parameters").bytes);
}

// Gymnasium 1.4.0 with MuJoCo 3.5 after set_state(qpos, qvel): the last number observed is the
// force at the rail's end, cut at 10.
TEST(EnvironmentValues, TheForceOfTheRailBelongsToTheStateThatIsGiven) {
  const std::vector<const EnvironmentEntry*> all = all_environments();
  const auto found = std::find_if(all.begin(), all.end(), [](const EnvironmentEntry* entry) {
    return std::string_view(spec_of(*entry).name) == "inverted_double_pendulum";
  });
  if (found == all.end()) GTEST_SKIP() << "not built";
  const auto backend = make_cpu_backend(1);
  Environments e = make_batch(*backend, **found, 3);
  e.set_state(std::vector<float>{1.02f, -1.05f, 0.5f, 0.1f, 0.1f, 0.1f, -0.05f, -0.05f, -0.05f,
                                 0.2f, 0.2f, 0.2f, -0.1f, -0.1f, -0.1f, 0.3f, 0.3f, 0.3f});
  const std::vector<float> state = e.get_state();
  EXPECT_NEAR(state[18], -1122.0713109719868, 1);
  EXPECT_NEAR(state[19], 1551.7478379164118, 1);
  EXPECT_NEAR(state[20], 0, 1e-5);
  std::vector<float> observation(27);
  e.observe(observation.data());
  EXPECT_EQ(observation[24], -10);
  EXPECT_EQ(observation[25], 10);
  EXPECT_EQ(observation[26], state[20]);
}

// Where a state comes with the orientation of a free root: one of no length is none.
TEST_P(EnvironmentValues, AQuaternionOfNoLengthIsNoRotation) {
  int w = -1;
  for (int k = 0; k < spec().n_given_state; k++) {
    if (spec().state_names[k] == std::string_view("qw")) w = k;
  }
  if (w < 0) return;
  for (const float length : {0.0f, 1e-16f, -1e-20f, 1e-38f}) {
    for (int component = 0; component < 4; component++) {
      Environments unit = batch(), none = batch();
      std::vector<float> state = unit.get_state();
      state.resize(std::size_t(spec().n_given_state) * kInstances);
      for (int k = 0; k < 4; k++) state[std::size_t(w + k) * kInstances + kVictim] = k == 0;
      unit.set_state(state);
      for (int k = 0; k < 4; k++) {
        state[std::size_t(w + k) * kInstances + kVictim] = k == component ? length : 0.0f;
      }
      none.set_state(state);
      RecordedRollout a(unit, 2), b(unit, 2);
      const std::vector<float> action(std::size_t(kInstances) * unit.action_rows(), 0.1f);
      StepOutput out = {};
      out.observation = a.observation.data();
      out.reward = a.reward.data();
      unit.step(action.data(), out);
      out.observation = b.observation.data();
      out.reward = b.reward.data();
      none.step(action.data(), out);
      EXPECT_FALSE(none.first_nonfinite().found);
      EXPECT_TRUE(same_bits(a.observation.data(), b.observation.data(),
                            std::size_t(kInstances) * unit.observation_rows()));
      EXPECT_TRUE(same_bits(a.reward.data(), b.reward.data(), kInstances));
      EXPECT_TRUE(same_bits(unit.get_state(), none.get_state()));
    }
  }
}

}  // namespace
}  // namespace gallop::testing

// Every transition that Gymnasium itself made, repeated by the compiled environments in double and
// in float. tests/data/make_golden.py made golden_transitions.json.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/sims/environment_tables.h"

namespace gallop::testing {
namespace {

using Numbers = std::vector<double>;

// How near a transition must come to the reference's.
//   double: 1e-12; to float32 where the reference stores float32.
//   float:  1e-6 * max(1, |x|). From states beyond kModerate (a pendulum after many turns, an
//           acrobot at full speed) also a few times what the double transition itself moves by when
//           its inputs move by half an ulp of float: no computation in float can be nearer.
constexpr double kDoubleTolerance = 1e-12;
constexpr double kFloatTolerance = 1e-6;
constexpr double kFloatUlp = 0x1p-24;
constexpr double kModerate = 8.5;
constexpr double kRoundings = 4;  // operations on the way, each moving the result like an input

struct Transition {
  Numbers state, action, next, observation;
  double reward;
  bool terminated;
};

nlohmann::json read_json(const std::string& name) {
  std::ifstream file(std::string(GALLOP_TEST_SOURCE_DIR) + "/tests/data/" + name);
  EXPECT_TRUE(file.good()) << name;
  return nlohmann::json::parse(file);
}

Numbers numbers(const nlohmann::json& json) {
  return json.is_array() ? json.get<Numbers>() : Numbers{json.get<double>()};
}

std::vector<Transition> many_transitions(const std::string& name) {
  std::vector<Transition> found;
  const nlohmann::json file = read_json("golden_transitions.json");
  for (const auto& row : file.at(name)) {
    found.push_back({numbers(row[0]), numbers(row[1]), numbers(row[2]), numbers(row[3]),
                     row[4].get<double>(), row[5].get<bool>()});
  }
  return found;
}

// The episodes of golden_classic_control.json, each step from the state that the one before left.
std::vector<Transition> episode_transitions(const std::string& gym_id) {
  std::vector<Transition> found;
  const nlohmann::json file = read_json("golden_classic_control.json");
  for (const auto& episode : file.at(gym_id)) {
    Numbers state = numbers(episode.at("s0"));
    for (const auto& step : episode.at("steps")) {
      const Numbers next = numbers(step.at("state"));
      found.push_back({state, numbers(step.at("action")), next, numbers(step.at("obs32")),
                       step.at("reward").get<double>(), step.at("terminated").get<bool>()});
      state = next;
    }
  }
  return found;
}

struct Result {
  Numbers state, observation;
  double reward;
  bool terminated;
};

Result run(const CompiledEnvironment& e, const Numbers& state, const Numbers& action,
           bool in_double) {
  const Numbers parameters = default_parameters(e.spec());
  const SharedData data(e.spec(), parameters);
  Result r = {state, Numbers(e.spec().observation_capacity, std::nan("")), std::nan(""), false};
  const auto transition =
      in_double ? e.transitions->transition_double : e.transitions->transition_float;
  r.terminated = transition(data.shared, parameters.data(), 0, 0, r.state.data(), action.data(),
                            r.observation.data(), &r.reward, nullptr) != 0;
  return r;
}

// How far each number of the double transition moves when one input moves by half an ulp of float.
Result sensitivity(const CompiledEnvironment& e, const Transition& t, const Result& at) {
  Result most = {Numbers(at.state.size()), Numbers(at.observation.size()), 0, false};
  for (size_t k = 0; k < t.state.size(); k++) {
    Numbers moved = t.state;
    moved[k] += kFloatUlp * std::max(1.0, std::abs(moved[k]));
    const Result r = run(e, moved, t.action, true);
    for (size_t i = 0; i < r.state.size(); i++) {
      most.state[i] = std::max(most.state[i], std::abs(r.state[i] - at.state[i]));
    }
    for (size_t i = 0; i < r.observation.size(); i++) {
      most.observation[i] =
          std::max(most.observation[i], std::abs(r.observation[i] - at.observation[i]));
    }
    most.reward = std::max(most.reward, std::abs(r.reward - at.reward));
  }
  return most;
}

void expect_near(double got, double want, double tolerance, const std::string& what) {
  EXPECT_LE(std::abs(got - want), tolerance)
      << what << ": got " << got << ", reference " << want << ", difference " << got - want;
}

void check_double(const CompiledEnvironment& e, const Transition& t, const std::string& what,
                  bool float32_state) {
  const Result r = run(e, t.state, t.action, true);
  for (size_t k = 0; k < t.next.size(); k++) {
    const double tolerance = float32_state ? 0x1p-23 * std::abs(t.next[k]) : kDoubleTolerance;
    expect_near(r.state[k], t.next[k], tolerance, what + " state " + std::to_string(k));
  }
  for (size_t k = 0; k < t.observation.size(); k++) {
    expect_near(r.observation[k], t.observation[k],
                kFloatUlp * std::max(1.0, std::abs(t.observation[k])),
                what + " observation " + std::to_string(k));
  }
  expect_near(r.reward, t.reward, kDoubleTolerance, what + " reward");
  EXPECT_EQ(r.terminated, t.terminated) << what;
}

void check_float(const CompiledEnvironment& e, const Transition& t, const std::string& what) {
  bool moderate = true;
  for (const double x : t.state) moderate = moderate && std::abs(x) <= kModerate;
  const Result at = run(e, t.state, t.action, true);
  const Result r = run(e, t.state, t.action, false);
  const Result moved = sensitivity(e, t, at);
  const auto tolerance = [&](double x, double move) {
    return kFloatTolerance * std::max(1.0, std::abs(x)) + (moderate ? 0 : kRoundings * move);
  };
  for (size_t k = 0; k < t.next.size(); k++) {
    expect_near(r.state[k], t.next[k], tolerance(t.next[k], moved.state[k]),
                what + " float state " + std::to_string(k));
  }
  for (size_t k = 0; k < t.observation.size(); k++) {
    expect_near(r.observation[k], t.observation[k],
                tolerance(t.observation[k], moved.observation[k]),
                what + " float observation " + std::to_string(k));
  }
  expect_near(r.reward, t.reward, tolerance(t.reward, moved.reward), what + " float reward");
  EXPECT_EQ(r.terminated, t.terminated) << what << " float";
}

const std::map<std::string, std::string> kGymIds = {
    {"cartpole", "CartPole-v1"},
    {"pendulum", "Pendulum-v1"},
    {"mountain_car", "MountainCar-v0"},
    {"mountain_car_continuous", "MountainCarContinuous-v0"},
    {"acrobot", "Acrobot-v1"}};

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    compiled_ = environments_named(GetParam());
    ASSERT_FALSE(compiled_.empty()) << "no compiled table of " << GetParam();
  }
  bool float32_state() const { return GetParam() == "mountain_car_continuous"; }
  std::vector<CompiledEnvironment> compiled_;
};

TEST_P(GoldenTest, BearsGymnasiumsId) {
  EXPECT_EQ(compiled_[0].spec().aliases, kGymIds.at(GetParam()));
}

TEST_P(GoldenTest, EpisodesInDoubleAndFloat) {
  const std::vector<Transition> transitions = episode_transitions(kGymIds.at(GetParam()));
  ASSERT_GE(transitions.size(), 5u);
  for (const CompiledEnvironment& e : compiled_) {
    for (size_t i = 0; i < transitions.size(); i++) {
      const std::string what = e.label() + " step " + std::to_string(i);
      check_double(e, transitions[i], what, float32_state());
      check_float(e, transitions[i], what);
    }
  }
}

TEST_P(GoldenTest, ManyTransitionsInDouble) {
  const std::vector<Transition> transitions = many_transitions(GetParam());
  ASSERT_GE(transitions.size(), 200u);
  for (const CompiledEnvironment& e : compiled_) {
    for (size_t i = 0; i < transitions.size(); i++) {
      check_double(e, transitions[i], e.label() + " row " + std::to_string(i), float32_state());
    }
  }
}

TEST_P(GoldenTest, ManyTransitionsInFloat) {
  const std::vector<Transition> transitions = many_transitions(GetParam());
  ASSERT_GE(transitions.size(), 200u);
  for (const CompiledEnvironment& e : compiled_) {
    for (size_t i = 0; i < transitions.size(); i++) {
      check_float(e, transitions[i], e.label() + " row " + std::to_string(i));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ClassicControl, GoldenTest,
                         ::testing::Values("cartpole", "pendulum", "mountain_car",
                                           "mountain_car_continuous", "acrobot"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gallop::testing

// The helicopter against numbers of an implementation of its own in double precision, and the
// shipped controller under gusts.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include <gallop/host/error.h>
#include <gallop/host/learning/controller.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/registry/registry.h>
#include "tests/sims/environment_tables.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using Numbers = std::vector<double>;

struct Step {
  Numbers state, observation;
  double reward;
  bool terminated;
};

// Flights of one helicopter from the origin, without gusts unless they are asked for.
class Flight {
 public:
  explicit Flight(bool in_double = true,
                  const std::vector<std::pair<std::string, double>>& set = {})
      : e_(environments_named("helicopter").front()),
        in_double_(in_double),
        parameters_(default_parameters(e_.spec())) {
    set_parameter("gust_scale", 0);
    for (const auto& [name, value] : set) set_parameter(name, value);
    state_.assign(20, 0.0);
    state_[12] = 1;
  }

  Step step(const Numbers& action) {
    const SharedData data(e_.spec(), parameters_);
    Step s = {state_, Numbers(12, std::nan("")), std::nan(""), false};
    const auto transition =
        in_double_ ? e_.transitions->transition_double : e_.transitions->transition_float;
    s.terminated = transition(data.shared, parameters_.data(), 1, int(state_[19]), s.state.data(),
                              action.data(), s.observation.data(), &s.reward, nullptr) != 0;
    state_ = s.state;
    return s;
  }

  // The controller that ships with the competition.
  static Numbers baseline(const Numbers& observation) {
    const EnvironmentSpec& spec = environments_named("helicopter").front().spec();
    const double* w = spec.controllers[0].parameters;
    Numbers action(w + 48, w + 52);
    for (int k = 0; k < 12; k++) {
      for (int j = 0; j < 4; j++) action[j] += w[4 * k + j] * observation[k];
    }
    return action;
  }

  Numbers& state() { return state_; }

 private:
  void set_parameter(const std::string& name, double value) {
    const int k = parameter_index(e_.spec(), name);
    ASSERT_GE(k, 0) << name;
    parameters_[std::size_t(k)] = value;
  }

  CompiledEnvironment e_;
  bool in_double_;
  Numbers parameters_, state_;
};

const Numbers kZero = {0, 0, 0, 0};

TEST(Helicopter, FallsAsKnownWithoutControl) {
  for (const bool in_double : {true, false}) {
    const double tolerance = in_double ? 1e-12 : 1e-6;
    Flight flight(in_double);
    Step s = flight.step(kZero);
    EXPECT_NEAR(s.state[3], 0, 1e-12);
    EXPECT_NEAR(s.state[4], -0.00240234459853615, tolerance);
    EXPECT_NEAR(s.state[5], 0.0435730893342842, tolerance);
    EXPECT_NEAR(s.state[1], -0.0529669918226295, tolerance);
    EXPECT_NEAR(s.state[2], 0.959649186226201, tolerance);
    EXPECT_NEAR(s.reward, -0.925636448221052, tolerance);
    for (int t = 1; t < 5; t++) s = flight.step(kZero);
    EXPECT_FALSE(s.terminated);
    EXPECT_NEAR(s.state[5], 1.11269838553583, 10 * tolerance);
    EXPECT_NEAR(s.state[2], 4.35977779108744, 10 * tolerance);
    EXPECT_NEAR(s.reward, -20.3088338266291, 30 * tolerance);
    s = flight.step(kZero);
    EXPECT_TRUE(s.terminated);
    EXPECT_NEAR(s.reward, -10482187.6514569, in_double ? 1e-6 : 1.0);
  }
}

TEST(Helicopter, MovesAsKnownUnderOneAction) {
  const Numbers known = {-0.0161801238811874,   -0.0391002427753524,  1.37221509114772,
                         -0.000789371973538884, -0.00173567845962799, 0.062309620445295,
                         0.192661629225343,     0.215968522172995,    0.990857534304572,
                         0.00538985299319287,   0.00578772457593797,  0.0257291294783871};
  for (const bool in_double : {true, false}) {
    const double tolerance = in_double ? 1e-12 : 1e-6;
    const Step s = Flight(in_double).step({0.1, -0.1, 0.2, -0.1});
    EXPECT_NEAR(s.reward, -2.95493510186358, 3 * tolerance);
    for (int k = 0; k < 12; k++) EXPECT_NEAR(s.observation[k], known[k], tolerance) << k;
  }
}

TEST(Helicopter, ClipsControlsToOne) {
  const Step wide = Flight().step({3, -7, 2, 1.5}), most = Flight().step({1, -1, 1, 1});
  EXPECT_EQ(wide.state, most.state);
}

// All 6000 steps without gusts; the controller, which has no integral action, ends off the middle.
TEST(Helicopter, HoversAsKnownUnderTheShippedController) {
  for (const double last_zero : {0.0, 1.0}) {
    Flight flight(true, {{"last_reward_zero", last_zero}});
    Numbers observation(12, 0.0);
    double sum = 0;
    Step s;
    for (int t = 1; t <= 6000; t++) {
      s = flight.step(Flight::baseline(observation));
      ASSERT_FALSE(s.terminated);
      observation = s.observation;
      sum += s.reward;
      if (t == 1) {
        EXPECT_NEAR(s.reward, -0.00435943394538, 1e-12);
        EXPECT_NEAR(s.state[1], -0.05235133699, 1e-10);
        EXPECT_NEAR(s.state[2], 0.01126460104, 1e-10);
        EXPECT_NEAR(s.state[6], 0.0385323, 1e-7);
      }
      if (t == 10) {
        EXPECT_NEAR(sum, -0.500648048726, 1e-10);
      }
      if (t == 100) {
        EXPECT_NEAR(sum, -4.73282977993, 1e-9);
      }
      if (t == 1000) {
        EXPECT_NEAR(sum, -8.16110707339, 1e-9);
      }
    }
    EXPECT_NEAR(sum, last_zero != 0 ? -27.1726 : -27.1764, 1e-4);
    EXPECT_NEAR(s.state[9], 0.027533374, 1e-9);  // sin(phi / 2) with sin phi = 0.54 / 9.81
    EXPECT_NEAR(s.state[4], -0.03217, 1e-5);
    EXPECT_NEAR(s.state[5], 0.04483, 1e-5);
  }
}

// Given apart from the rest of a state, it stands for a turn, whatever its length is.
TEST(Helicopter, TakesGivenQuaternionsOfAnyLength) {
  const CompiledEnvironment e = environments_named("helicopter").front();
  const Numbers parameters = default_parameters(e.spec());
  const double q[] = {0.1, -0.05, 0.1, 0.98}, length = std::sqrt(0.0225 + 0.9604);
  for (const bool in_double : {true, false}) {
    const auto complete =
        in_double ? e.transitions->complete_double : e.transitions->complete_float;
    for (const double scale : {1.0, 5.0, -0.3, 1e30, 1e-30, 1e-37}) {
      Numbers state(20, 0.25);
      for (int k = 0; k < 4; k++) state[9 + k] = scale * q[k];
      complete(parameters.data(), state.data());
      for (int k = 0; k < 9; k++) EXPECT_EQ(state[k], 0.25);
      for (int k = 0; k < 4; k++) {
        const double unit = std::copysign(q[k] / length, q[k] * scale);
        EXPECT_NEAR(state[9 + k], unit, in_double ? 1e-15 : 1e-7) << scale;
      }
      for (int k = 13; k < 20; k++) EXPECT_EQ(state[k], 0);
      const Numbers once = state;
      complete(parameters.data(), state.data());
      EXPECT_EQ(state, once);
    }
    for (const double same : {0.0, double(INFINITY)}) {
      Numbers state(20, 0.0);
      state[9] = same;
      complete(parameters.data(), state.data());
      EXPECT_EQ(state[9], same);
    }
  }
}

// A deviation of gusts from step to step of 0.2 sigma, and 2/3 sigma in the long run: n <- 0.8 n +
// 0.2 2 sigma N has the variance 0.16 sigma^2 / (1 - 0.64).
TEST(Helicopter, FiltersItsGusts) {
  const double sigma[] = {0.1941, 0.2975, 0.6058, 0.1508, 0.2492, 0.0734};
  Flight flight(true, {{"gust_scale", 2}});
  double squares[6] = {}, products[6] = {};
  constexpr int kSteps = 200000;
  Numbers before(20, 0.0);
  for (int t = 0; t < kSteps; t++) {
    // At rest again, with the gusts and the time as they are.
    for (int k = 0; k < 13; k++) flight.state()[k] = k == 12 ? 1 : 0;
    const Step s = flight.step({0, 0, 0, 0.23});
    for (int k = 0; k < 6; k++) {
      squares[k] += s.state[13 + k] * s.state[13 + k];
      products[k] += s.state[13 + k] * before[13 + k];
    }
    before = s.state;
  }
  for (int k = 0; k < 6; k++) {
    const double deviation = std::sqrt(squares[k] / kSteps);
    EXPECT_NEAR(deviation / sigma[k], 2.0 / 3, 0.01) << k;
    EXPECT_NEAR(products[k] / squares[k], 0.8, 0.01) << k;
  }
}

TEST(Helicopter, EndsWhereTheModelSays) {
  struct Case {
    int component;
    double value;
    bool ends;
  };
  const double q = std::sin(15.01 * M_PI / 180), w = std::cos(15.01 * M_PI / 180);
  for (const Case& c :
       {Case{0, 5.2, true}, Case{0, 4.8, false}, Case{1, -5.2, true}, Case{3, 20.1, true},
        Case{4, -20.1, true}, Case{5, 20.1, true}, Case{4, 19.9, false}, Case{6, 16, true},
        Case{7, -15.9, true}, Case{8, 15, true}, Case{8, 3, false}}) {
    Flight flight;
    flight.state()[c.component] = c.value;
    EXPECT_EQ(flight.step({0, 0, 0, 0.2324}).terminated, c.ends) << c.component << " " << c.value;
  }
  Flight leaning;
  leaning.state()[10] = q, leaning.state()[12] = w;
  EXPECT_TRUE(leaning.step({0, 0, 0, 0.2324}).terminated);
  // The competition's environment never looks at the height.
  Flight high(true, {{"z_limit", 0}});
  high.state()[5] = -20.1;
  EXPECT_FALSE(high.step({0, 0, 0, 0.2324}).terminated);
}

// -1748.780055... for every step that is left, none at the last one.
TEST(Helicopter, PaysACrashForWhatIsLeft) {
  const double worst =
      3 * 400 + 3 * 12.566 * 12.566 + 3 * 25 + 1 - std::pow(std::cos(M_PI / 12), 2);
  for (const double elapsed : {0.0, 100.0, 5999.0}) {
    Flight flight;
    flight.state()[0] = 6;
    flight.state()[19] = elapsed;
    const Step s = flight.step(kZero);
    EXPECT_TRUE(s.terminated);
    EXPECT_NEAR(s.reward, -worst * (5999 - elapsed), 1e-6);
    EXPECT_EQ(s.state[19], elapsed + 1);
  }
}

TEST(Helicopter, DriftsWithTheWind) {
  // The first hundredth of a second from rest: dv = -0.18 wind_north dt, as the drag has it.
  const auto after = [](const std::vector<std::pair<std::string, double>>& set) {
    return Flight(true, set).step({0, 0, 0, 0.2324});
  };
  const Step still = after({}), north = after({{"wind_north", 5}}),
             east = after({{"wind_east", 5}});
  EXPECT_NEAR(north.state[0] - still.state[0], -0.18 * 5 * 0.1, 2e-3);
  EXPECT_NEAR(east.state[1] - still.state[1], -0.43 * 5 * 0.1, 5e-3);
  EXPECT_LT(north.state[0], 0);
  // A wave of a quarter of a turn ahead and no frequency is a steady wind.
  const Step wave = after({{"wave_north", 5}, {"phase_north", M_PI / 2}});
  for (int k = 0; k < 13; k++) EXPECT_NEAR(wave.state[k], north.state[k], 1e-12) << k;
  // One of many turns a step is none on average.
  const Step fast = after({{"wave_north", 5}, {"frequency_north", 20 * M_PI}});
  EXPECT_NEAR(fast.state[0], still.state[0], 1e-3);
}

TEST(Helicopter, ShowsTheFeaturesOfItsOwnPolicy) {
  Flight plain, bent(true, {{"features", 1}});
  const Numbers action = {0.3, -0.2, 0.4, 0.1};
  Step s, f;
  for (int t = 0; t < 8; t++) s = plain.step(action), f = bent.step(action);
  EXPECT_EQ(s.state, f.state);
  for (int k = 0; k < 6; k++) {
    EXPECT_NEAR(f.observation[k], 5 * std::tanh(s.observation[k] / 5), 1e-12) << k;
  }
  for (int k = 6; k < 9; k++) EXPECT_EQ(f.observation[k], s.observation[k]) << k;
  const double length =
      std::sqrt(s.state[9] * s.state[9] + s.state[10] * s.state[10] + s.state[11] * s.state[11]);
  const double factor = 2 * std::atan2(length, s.state[12]) / length;
  for (int k = 0; k < 3; k++) {
    const double level = k == 0 ? std::asin(0.54 / 9.81) : 0;
    EXPECT_NEAR(f.observation[9 + k], factor * s.state[9 + k] - level, 1e-12) << k;
  }
  // At rest in the attitude of hovering, all of them are 0: it stays there under the fixed
  // controls.
  Flight hover(true, {{"features", 1}});
  const double lean = std::asin(0.54 / 9.81);
  hover.state()[9] = std::sin(lean / 2), hover.state()[12] = std::cos(lean / 2);
  const EnvironmentSpec& spec = environments_named("helicopter").front().spec();
  const double* fixed = spec.own_policy.constants;
  const Step still = hover.step({fixed[0], fixed[1], fixed[2], fixed[3]});
  for (const double x : still.observation) EXPECT_NEAR(x, 0, 1e-12);
}

// -972.4 +- 1.2 in 2000 episodes, as deviates 55 in a single one, and no crash.
TEST(Helicopter, IsHeldInGustsByTheShippedController) {
  const std::unique_ptr<Backend> backend = make_cpu_backend(2);
  const EnvironmentEntry& entry = find_environment("helicopter");
  const auto configure = [](Environments&) {};
  const Controller controller(*backend, entry, "baseline", configure);
  constexpr int kEpisodes = 256;
  const Evaluation e =
      evaluate_policy(*backend, entry, controller.view(), kEpisodes, 5, true, configure);
  EXPECT_EQ(e.mean_length, 6000);
  EXPECT_NEAR(e.mean, -972.4, 3 * std::hypot(1.2, e.std / std::sqrt(kEpisodes)));
  EXPECT_NEAR(e.std, 55, 10);
}

TEST(Helicopter, RefusesWhatNoControllerCan) {
  const auto refused = [](const std::vector<std::string>& arguments, int code,
                          const std::string& text) {
    const ProgramResult r = run_program(arguments);
    EXPECT_EQ(r.code, code) << r.err;
    EXPECT_NE(r.err.find(text), std::string::npos) << r.err;
  };
  refused({"eval", "helicopter", "--controller", "baselin"}, 2, "baseline");
  refused({"eval", "cartpole", "--controller", "baseline"}, 2, "no controller");
  refused({"eval", "helicopter", "--controller", "baseline", "--features", "1"}, 3, "features");
  refused({"eval", "helicopter", "--controller", "baseline", "--gust_scale", "nan"}, 3,
          "gust_scale");
  refused({"eval", "helicopter", "--controller", "baseline", "--sample"}, 2, "--sample");
  refused({"train", "helicopter", "--policy", "own", "--features", "0", "--algorithm", "cem"}, 3,
          "features");
  refused({"train", "cartpole", "--policy", "own", "--algorithm", "cem"}, 3, "own");
}

}  // namespace
}  // namespace gallop::testing

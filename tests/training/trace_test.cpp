// Single transitions from given states: those of Gymnasium 1.4.0 with MuJoCo 3.5, where a state's
// first step depends on what qpos and qvel determine besides, and where a quaternion has no length.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <gallop/host/registry/registry.h>
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;

struct Reference {
  const char *environment, *state, *actions;
  double reward, x_velocity, y_velocity;
  double tolerance;
};

// set_state(qpos, qvel) on an environment after mj_resetData, then one step.
constexpr Reference kReferences[] = {
    {"humanoid",
     "-0.166,-0.105,1.821,1.033,-0.162,-0.027,-0.008,-0.136,0.094,-0.155,-0.044,0.007,-0.028,0.035,"
     "0.095,0.183,-0.086,0.059,0.078,-0.083,-0.199,0.189,-0.081,-0.074,-0.11,0.324,1.161,-0.162,"
     "-0.146,0.601,-0.532,-0.175,0.53,0.348,0.055,0.402,-1.697,0.613,-0.576,-1.001,0.166,0.42,"
     "-0.267,-0.646,0.016,-0.032,0.843",
     "0.28,-0.085,-0.016,-0.283,0.159,-0.166,0.297,-0.18,0.049,-0.08,0.09,-0.243,-0.256,0.197,"
     "0.202,0.054,0.337",
     4.976293011549288, 0.035194409239430735, 0.34041709879140125, 1e-8},
    {"ant",
     "0.029,-0.073,1.097,1.033,-0.158,-0.023,-0.044,0.083,-0.165,-0.132,0.005,-0.038,0.066,-0.067,"
     "-0.121,0.289,1.478,-0.148,-0.334,-0.703,-0.801,0.315,0.51,0.006,0.2,0.07,0.083,-0.916,"
     "-0.275",
     "0.305,-0.358,0.071,-0.261,0.214,0.35,0.031,-0.393", -0.10178301205552254, 0.20724548794447745,
     1.72312562606238, 1e-8},
    {"ant", "0,0,1,0,0,0,0,0,0,0,0,0,0,0,0,1,0,0,0.3,-0.2,0.1,0,0,0,0,0,0,0,0", "0,0,0,0,0,0,0,0",
     0.9931841071348111, 0.9931841071348111, -0.010331741161207927, 1e-8},
    {"ant", "0,0,1,0,1e-16,0,0,0,0,0,0,0,0,0,0,1,0,0,0.3,-0.2,0.1,0,0,0,0,0,0,0,0",
     "0,0,0,0,0,0,0,0", 0.9931841071348111, 0.9931841071348111, -0.010331741161207927, 1e-8},
};

bool is_built(const std::string& environment) {
  for (const EnvironmentEntry* entry : all_environments()) {
    if (spec_of(*entry).name == environment) return true;
  }
  return false;
}

json traced(const Reference& r, const std::string& state, const std::string& precision) {
  const ProgramResult result = run_program(
      {"trace", r.environment, "--state", state, "--actions", r.actions, "--precision", precision});
  EXPECT_EQ(result.code, 0) << result.err;
  return json::parse(result.out, nullptr, false);
}

void expect_reference(const Reference& r, const std::string& state, const std::string& precision,
                      double tolerance) {
  const json step = traced(r, state, precision);
  ASSERT_TRUE(step.is_object()) << r.environment;
  EXPECT_NEAR(double(step.at("reward")), r.reward, tolerance) << r.environment;
  EXPECT_NEAR(double(step.at("info").at("x_velocity")), r.x_velocity, tolerance) << r.environment;
  EXPECT_NEAR(double(step.at("info").at("y_velocity")), r.y_velocity, tolerance) << r.environment;
}

TEST(Trace, TheFirstStepFromAStateIsThatOfTheReference) {
  for (const Reference& r : kReferences) {
    if (!is_built(r.environment)) continue;
    expect_reference(r, r.state, "double", r.tolerance);
    expect_reference(r, r.state, "float", 2e-4);
    // The state as a whole, with zeros where the rest was not known.
    const EnvironmentSpec& spec = spec_of(find_environment(r.environment));
    std::string whole = r.state;
    for (int k = spec.n_given_state; k < spec.n_state; k++) whole += ",0";
    expect_reference(r, whole, "double", r.tolerance);
  }
}

TEST(Trace, AStateHasTheComponentsThatAreGivenOrAll) {
  for (const EnvironmentEntry* entry : all_environments()) {
    const EnvironmentSpec& spec = spec_of(*entry);
    if (spec.n_given_state + 1 >= spec.n_state) continue;
    std::string state = "0";
    for (int k = 0; k < spec.n_given_state; k++) state += ",0";
    std::string action = "0";
    for (int k = 1; k < spec.action_capacity; k++) action += ",0";
    const ProgramResult result =
        run_program({"trace", spec.name, "--state", state, "--actions", action});
    EXPECT_EQ(result.code, 3) << spec.name;
    EXPECT_NE(result.err.find(std::to_string(spec.n_given_state) + ", or " +
                              std::to_string(spec.n_state)),
              std::string::npos)
        << result.err;
  }
}

TEST(Trace, StatesThatAnEnvironmentCannotHoldAreRefused) {
  for (const char* state : {"3", "20", "1e9", "-1", "0.5", "1e300"}) {
    const ProgramResult result = run_program({"trace", "mdp", "--state", state, "--actions", "0"});
    EXPECT_EQ(result.code, 3) << state;
    EXPECT_NE(result.err.find("state of mdp is"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("a whole number from 0 to 2"), std::string::npos) << result.err;
  }
  EXPECT_EQ(run_program({"trace", "mdp", "--state", "2", "--actions", "0"}).code, 0);
  EXPECT_EQ(run_program({"trace", "bandit", "--state", "0", "--actions", "0"}).code, 3);
}

TEST(Trace, ParametersThatExcludeEachOtherAreRefused) {
  struct Case {
    const char *environment, *low, *high, *action;
    bool open;
  };
  for (const Case& c : {Case{"mountain_car", "reset_low", "reset_high", "0", false},
                        Case{"mountain_car", "min_position", "max_position", "0", false},
                        Case{"mountain_car_continuous", "reset_low", "reset_high", "0", false},
                        Case{"mountain_car_continuous", "min_position", "max_position", "0", false},
                        Case{"walker2d", "healthy_z_min", "healthy_z_max", "0,0,0,0,0,0", true},
                        Case{"ant", "healthy_z_min", "healthy_z_max", "0,0,0,0,0,0,0,0", false},
                        Case{"humanoid", "healthy_z_min", "healthy_z_max",
                             "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0", true}}) {
    if (!is_built(c.environment)) continue;
    const auto code = [&](const std::string& low, const std::string& high) {
      return run_program({"trace", c.environment, "--actions", c.action, "--set",
                          std::string(c.low) + "=" + low, "--set",
                          std::string(c.high) + "=" + high})
          .code;
    };
    EXPECT_EQ(code("0.7", "0.6"), 3) << c.environment << " " << c.low;
    EXPECT_EQ(code("0.7", "0.7"), c.open ? 3 : 0) << c.environment << " " << c.low;
    EXPECT_EQ(code("0.6", "0.7"), 0) << c.environment << " " << c.low;
  }
}

}  // namespace
}  // namespace gallop::testing

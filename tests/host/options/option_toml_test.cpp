// Options as TOML: dumped, and taken back.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <tuple>

#include <gallop/host/options/option_value.h>
#include "tests/host/expect_error.h"
#include "tests/host/options/option_table.h"

namespace gallop {
namespace {

using test::expect_error;
using test::expect_error_with;
using test::options;

TEST(Options, TheDumpIsTomlAndComesBackTheSame) {
  Options o = options();
  EXPECT_EQ(o.to_toml(),
            "steps = 100000\nseed = 1\nlearning_rate = 3e-04\nanneal = true\nnote = "
            "\"\"\nactivation = \"tanh\"\n"
            "hidden = [64, 64]\n\n[environment]\ngravity = 9.8\nmass = 0.1\n");
  o.set("note", "a \"b\" \\ é # not a comment", "test");
  o.set("hidden", "", "test");
  o.set("environment.gravity", "-0", "test");
  o.set("environment.mass", "1e300", "test");
  o.set("seed", "-9223372036854775808", "test");
  Options back = options();
  back.apply_toml(o.to_toml(), "config.toml");
  EXPECT_TRUE(back.difference(o).empty());
  EXPECT_EQ(back.to_toml(), o.to_toml());
  EXPECT_TRUE(std::signbit(back.real("environment.gravity")));
}

TEST(Options, EveryRealRoundTripsToTheBit) {
  constexpr OptionSpec kReal[] = {
      {"x", OptionType::real, "0", -kUnbounded, kUnbounded, nullptr, "", "any"}};
  std::mt19937_64 random(7);
  int n_tested = 0;
  while (n_tested < 2000) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    Options o(kReal), from_text(kReal), from_toml(kReal);
    o.set("x", option_text(OptionValue(value)), "test");
    ASSERT_EQ(std::bit_cast<uint64_t>(o.real("x")), std::bit_cast<uint64_t>(value));
    from_text.set("x", o.value_text("x"), "test");
    from_toml.apply_toml(o.to_toml(), "test");
    ASSERT_EQ(std::bit_cast<uint64_t>(from_text.real("x")), std::bit_cast<uint64_t>(value));
    ASSERT_EQ(std::bit_cast<uint64_t>(from_toml.real("x")), std::bit_cast<uint64_t>(value))
        << o.to_toml();
    ++n_tested;
  }
}

TEST(Options, TomlTakesTheTypesOfTheTable) {
  Options o = options();
  o.apply_toml("steps = 2e3\nlearning_rate = 1\nhidden = [8]\n[environment]\nmass = 2\n", "a.toml");
  EXPECT_EQ(o.integer("steps"), 2000);
  EXPECT_EQ(o.real("learning_rate"), 1.0);
  EXPECT_EQ(o.integers("hidden"), (std::vector<int64_t>{8}));
  EXPECT_EQ(o.real("environment.mass"), 2.0);
  EXPECT_EQ(o.origin("environment.mass"), "a.toml:5");
  EXPECT_EQ(o.origin("seed"), "default");
}

// What a file says counts as what the command line says.
TEST(Options, TomlTakesWhatSetTakes) {
  for (const auto& [name, toml, text] :
       {std::tuple<const char*, const char*, const char*>{"steps", "'200k'", "200k"},
        {"steps", "0x10", "0x10"},
        {"steps", "1_000", "1_000"},
        {"steps", "'5'", "5"},
        {"learning_rate", "'1e-3'", "1e-3"},
        {"learning_rate", "1", "1"},
        {"anneal", "0", "0"},
        {"anneal", "'off'", "off"},
        {"anneal", "'False'", "False"},
        {"note", "1", "1"},
        {"note", "true", "true"},
        {"activation", "'ReLU'", "ReLU"},
        {"hidden", "64", "64"},
        {"hidden", "'8, 8'", "8, 8"},
        {"hidden", "[8.0, 8]", "8.0,8"},
        {"hidden", "[]", ""}}) {
    Options file = options(), line = options();
    file.apply_toml(std::string(name) + " = " + toml, "a.toml");
    line.set(name, text, "--set");
    EXPECT_TRUE(file.difference(line).empty()) << name << " = " << toml;
    EXPECT_FALSE(file.difference(options()).empty()) << name << " = " << toml;
  }
  // And refuses what it refuses.
  for (const auto& [name, toml, text] :
       {std::tuple<const char*, const char*, const char*>{"steps", "true", "true"},
        {"steps", "inf", "inf"},
        {"learning_rate", "nan", "nan"},
        {"learning_rate", "'x'", "x"},
        {"anneal", "2", "2"},
        {"anneal", "1.5", "1.5"},
        {"activation", "1", "1"},
        {"hidden", "''", ""},
        {"hidden", "1.5", "1.5"},
        {"hidden", "true", "true"}}) {
    Options file = options(), line = options();
    bool by_file = false, by_line = false;
    try {
      file.apply_toml(std::string(name) + " = " + toml, "a.toml");
    } catch (const Error&) {
      by_file = true;
    }
    try {
      line.set(name, text, "--set");
    } catch (const Error&) {
      by_line = true;
    }
    EXPECT_EQ(by_file, by_line) << name << " = " << toml;
  }
}

TEST(Options, TomlWithABadValueChangesNothing) {
  for (const char* text : {"steps = 5\nsteps_ = 6",
                           "steps = 5\nlearning_rate = 7.0",
                           "steps = 5\nanneal = 2",
                           "steps = 5\nactivation = 'x'",
                           "steps = 5\nhidden = 6400",
                           "steps = 5\nseed = [1]",
                           "steps = 5\nnote = [1]",
                           "steps = 5\nhidden = '64;1'",
                           "steps = 5\nhidden = [0]",
                           "steps = 5\nhidden = [1.5]",
                           "steps = 5\nhidden = ['8']",
                           "steps = 5\nseed = 'x'",
                           "steps = 5\nseed = 1.5",
                           "steps = 5\nlearning_rate = nan",
                           "steps = 5\nsteps = 6",
                           "steps = 5\nSteps = 6",
                           "steps = 5\nmass = 1\n[environment]\nmass = 1",
                           "steps = 5\nlearning_rate = inf",
                           "steps = 5\nlearning_rate = true",
                           "steps = 5\n[environment.gravity]\nx = 1",
                           "steps = 5\n[envronment]\nmass = 1",
                           "steps = 5\nnote = \"a\\nb\"",
                           "steps = 5\n[steps]"}) {
    Options o = options();
    EXPECT_THROW(o.apply_toml(text, "a.toml"), Error) << text;
    EXPECT_EQ(o.integer("steps"), 100000) << text;
  }
  Options o = options();
  expect_error_with(
      ExitCode::usage, [&] { o.apply_toml("seed = 1\nstep = 5\n", "a.toml"); }, "'step'",
      "a.toml:2", "'steps'");
  expect_error_with(
      ExitCode::value, [&] { o.apply_toml("\nlearning_rate = 7.0", "a.toml"); }, "'7", "a.toml:2",
      "[1e-09, 1]");
  expect_error_with(
      ExitCode::value, [&] { o.apply_toml("hidden = 6400", "a.toml"); }, "'hidden'", "6400",
      "integers", "a.toml:1");
  expect_error_with(
      ExitCode::value, [&] { o.apply_toml("mass = 1\n[environment]\nmass = 1", "a.toml"); },
      "twice", "a.toml:1", "a.toml:3");
}

}  // namespace
}  // namespace gallop

#include <gallop/host/options/option.h>

#include <gtest/gtest.h>

#include <string>

#include <gallop/host/options/option_rows.h>
#include "tests/host/expect_error.h"
#include "tests/host/options/option_table.h"

namespace gallop {
namespace {

using test::expect_error;
using test::expect_error_with;
using test::kTable;
using test::options;

TEST(Options, StartFromTheirDefaults) {
  const Options o = options();
  EXPECT_EQ(o.integer("steps"), 100000);
  EXPECT_EQ(o.real("learning_rate"), 3e-4);
  EXPECT_TRUE(o.flag("anneal"));
  EXPECT_EQ(o.text("note"), "");
  EXPECT_EQ(o.text("activation"), "tanh");
  EXPECT_EQ(o.integers("hidden"), (std::vector<int64_t>{64, 64}));
  EXPECT_EQ(o.origin("steps"), "default");
  EXPECT_TRUE(o.has("environment.mass"));
  EXPECT_FALSE(o.has("mass"));
}

TEST(Options, SetTakesTextOfEveryType) {
  Options o = options();
  o.set("steps", "1e6", "--steps");
  EXPECT_EQ(o.integer("steps"), 1000000);
  EXPECT_EQ(o.origin("steps"), "--steps");
  o.set("seed", "-9223372036854775808", "test");
  EXPECT_EQ(o.integer("seed"), INT64_MIN);
  o.set("seed", " +42 ", "test");
  EXPECT_EQ(o.integer("seed"), 42);
  o.set("learning-rate", "1", "test");
  EXPECT_EQ(o.real("learning_rate"), 1.0);
  for (const char* no : {"false", "0", "no", "off"}) {
    o.set("anneal", "on", "test");
    o.set("anneal", no, "test");
    EXPECT_FALSE(o.flag("anneal")) << no;
  }
  for (const char* yes : {"true", "1", "yes"}) {
    o.set("anneal", "no", "test");
    o.set("anneal", yes, "test");
    EXPECT_TRUE(o.flag("anneal")) << yes;
  }
  o.set("note", " \"quoted\\ é", "test");
  EXPECT_EQ(o.text("note"), " \"quoted\\ é");
  o.set("hidden", "[ 32, 16 ]", "test");
  EXPECT_EQ(o.integers("hidden"), (std::vector<int64_t>{32, 16}));
  o.set("hidden", "", "test");
  EXPECT_TRUE(o.integers("hidden").empty());
  o.set_assignment("environment.gravity=-1.5e1", "--set");
  EXPECT_EQ(o.real("environment.gravity"), -15.0);
  o.set_assignment("note=a=b", "--set");
  EXPECT_EQ(o.text("note"), "a=b");
}

TEST(Options, WholeNumbersMayBeWrittenInAnyUsualWay) {
  Options o = options();
  for (const auto& [text, value] : {std::pair<const char*, int64_t>{"100k", 100000},
                                    {"100K", 100000},
                                    {"2M", 2000000},
                                    {"2m", 2000000},
                                    {"1.5M", 1500000},
                                    {"100.1k", 100100},
                                    {"1_000_000", 1000000},
                                    {"1e6", 1000000},
                                    {"1E6", 1000000},
                                    {"2.5e3", 2500},
                                    {"1_0e1_0", 100000000000},
                                    {"+7", 7},
                                    {"7.0", 7},
                                    {"0x1f", 31},
                                    {"0o17", 15},
                                    {"0b101", 5}}) {
    o.set("steps", text, "test");
    EXPECT_EQ(o.integer("steps"), value) << text;
  }
  o.set("hidden", "1k, 0x10,1_6", "test");
  EXPECT_EQ(o.integers("hidden"), (std::vector<int64_t>{1000, 16, 16}));
  o.set("learning_rate", "0.000_1", "test");
  EXPECT_EQ(o.real("learning_rate"), 1e-4);
}

// As doubles 2^53 + 1 is 2^53.
TEST(Options, WholeNumbersAreComparedAsSuch) {
  constexpr OptionSpec kRows[] = {
      {"seed", OptionType::integer, "0", 0, 9007199254740992.0, nullptr, "", ""},
      {"any", OptionType::integer, "0", -9223372036854775808.0, 9223372036854775808.0, nullptr, "",
       ""},
      {"half", OptionType::integer, "0", -0.5, 1.5, nullptr, "", ""},
      {"list", OptionType::integers, "0", 0, 9007199254740992.0, nullptr, "", ""}};
  Options o(kRows);
  o.set("seed", "9007199254740992", "test");
  // A number with a point or an exponent has been a double before it can be compared.
  for (const char* real : {"9007199254740993.0", "9.007199254740993e15", "9007199254740992e0"}) {
    test::expect_error_with(
        ExitCode::value, [&] { o.set("seed", real, "test"); }, real);
    test::expect_error_with(
        ExitCode::value, [&] { o.apply_toml(std::string("seed = ") + real, "x.toml"); },
        "x.toml:1");
  }
  for (const char* name : {"seed", "list"}) {
    expect_error_with(
        ExitCode::value, [&] { o.set(name, "9007199254740993", "test"); }, "9007199254740993",
        "[0, 9007199254740992]");
  }
  o.set("any", "-9223372036854775808", "test");
  o.set("any", "9223372036854775807", "test");
  o.set("half", "1", "test");
  expect_error(ExitCode::value, [&] { o.set("half", "2", "test"); });
  expect_error(ExitCode::value, [&] { o.set("half", "-1", "test"); });
}

TEST(Options, NamesAreKnownInCapitalsWithHyphensAndWithoutTheirTable) {
  Options o = options();
  o.set("LEARNING-RATE", "0.5", "test");
  EXPECT_EQ(o.real("learning_rate"), 0.5);
  o.set_assignment("Gravity=3", "--set");
  EXPECT_EQ(o.real("environment.gravity"), 3);
  o.apply_toml("mass = 5\nActivation = \"RELU\"\n", "a.toml");
  EXPECT_EQ(o.real("environment.mass"), 5);
  EXPECT_EQ(o.text("activation"), "relu");
  EXPECT_EQ(o.resolved("Mass"), "environment.mass");
  EXPECT_EQ(o.resolved("mas"), std::nullopt);
  // A row of that very name comes first; where two tables have it, it names neither.
  constexpr OptionSpec kMore[] = {{"mass", OptionType::integer, "3", 0, 9, nullptr, "", ""},
                                  {"other.gravity", OptionType::real, "3", 0, 9, nullptr, "", ""}};
  o.add(kMore);
  EXPECT_EQ(o.resolved("mass"), "mass");
  EXPECT_EQ(o.resolved("gravity"), std::nullopt);
  EXPECT_EQ(o.resolved("other.gravity"), "other.gravity");
}

TEST(Options, AssignmentsAreChangedOneByOne) {
  constexpr OptionSpec kMore[] = {assignments_row("ranges", "NAME=LOW..HIGH", "what is drawn"),
                                  real_row("parameters.mass", 1, {}, "")};
  Options o(kMore);
  EXPECT_EQ(o.text("ranges"), "");
  o.set("ranges", "mass=1..2, Length = 0.5..3:log", "test");
  EXPECT_EQ(o.text("ranges"), "length=0.5..3:log,mass=1..2");
  o.set("ranges.mass", "4..5", "--set");
  o.set_assignment("ranges=gravity=9..10", "--set");
  EXPECT_EQ(o.value_text("ranges"), "gravity=9..10,length=0.5..3:log,mass=4..5");
  EXPECT_EQ(o.origin("ranges"), "--set");
  EXPECT_EQ(o.resolved("ranges.any"), "ranges");
  EXPECT_EQ(
      o.to_toml(),
      "[parameters]\nmass = 1.0\n\n[ranges]\ngravity = \"9..10\"\nlength = \"0.5..3:log\"\nmass "
      "= \"4..5\"\n");
  Options back(kMore), text(kMore);
  back.apply_toml(o.to_toml(), "a.toml");
  text.set("ranges", o.value_text("ranges"), "test");
  EXPECT_TRUE(o.difference(back).empty());
  EXPECT_TRUE(o.difference(text).empty());
  o.set("ranges", "length=none", "test");
  EXPECT_EQ(o.text("ranges"), "gravity=9..10,mass=4..5");
  for (const char* bad :
       {"mass", "mass=", "=1..2", "mass=1..2,", "mass=a\"b", "ma ss=1", "m=1=2"}) {
    expect_error_with(
        ExitCode::value, [&] { o.set("ranges", bad, "--set"); }, "'ranges'", "NAME=LOW..HIGH");
  }
  expect_error(ExitCode::value,
               [&] { o.apply_toml("[ranges]\nmass = \"1..2\"\nMass = \"2..3\"\n", "a.toml"); });
  EXPECT_EQ(o.text("ranges"), "gravity=9..10,mass=4..5");
  o.set("ranges", "none", "test");
  EXPECT_EQ(o.text("ranges"), "");
  EXPECT_EQ(o.to_toml(), "[parameters]\nmass = 1.0\n");
}

TEST(Options, ListsHaveTheirOwnLimits) {
  constexpr OptionSpec kRow[] = {{.name = "hidden",
                                  .type = OptionType::integers,
                                  .default_value = "8",
                                  .min = 1,
                                  .max = 9,
                                  .most = 3,
                                  .elements = "hidden layers"}};
  Options o(kRow);
  o.set("hidden", "1,2,3", "test");
  expect_error_with(
      ExitCode::value, [&] { o.set("hidden", "1,2,3,4", "test"); }, "at most 3 hidden layers",
      "an integer in [1, 9]", "4 hidden layers");
}

TEST(Options, WordsOfOtherProgramsAreAnsweredWithTheNameHere) {
  Options o = options();
  for (const auto& [word, name] : {std::pair<const char*, const char*>{"lr", "'learning_rate'"},
                                   {"LR", "'learning_rate'"},
                                   {"total-timesteps", "'steps'"},
                                   {"hidden_sizes", "'hidden'"},
                                   {"anneal_lr", "'anneal'"}}) {
    expect_error_with(
        ExitCode::usage, [&, w = word] { o.set(w, "1", "--set"); }, word, "it is called", name);
  }
}

TEST(Options, ValuesThatAreNoneAreRefusedAndChangeNothing) {
  const std::pair<const char*, std::string> cases[] = {{"steps", ""},
                                                       {"steps", "x"},
                                                       {"steps", "0"},
                                                       {"steps", "-1"},
                                                       {"steps", "1e16"},
                                                       {"steps", "1e400"},
                                                       {"steps", "12 13"},
                                                       {"steps", "0x"},
                                                       {"steps", "0x-1"},
                                                       {"steps", "k"},
                                                       {"steps", "1.5"},
                                                       {"steps", "1.0005k"},
                                                       {"steps", "1e3k"},
                                                       {"steps", "1kk"},
                                                       {"steps", "1_"},
                                                       {"steps", "_1"},
                                                       {"steps", "1__0"},
                                                       {"steps", "1,000"},
                                                       {"steps", "1000000000000001"},
                                                       {"steps", "nan"},
                                                       {"steps", "++1"},
                                                       {"steps", "1e"},
                                                       {"seed", "9223372036854775808"},
                                                       {"learning_rate", ""},
                                                       {"learning_rate", "0"},
                                                       {"learning_rate", "1.1"},
                                                       {"learning_rate", "nan"},
                                                       {"learning_rate", "inf"},
                                                       {"learning_rate", "1,0"},
                                                       {"learning_rate", "1e-400"},
                                                       {"environment.mass", "inf"},
                                                       {"environment.mass", "-0.1"},
                                                       {"anneal", ""},
                                                       {"anneal", "tru"},
                                                       {"anneal", "2"},
                                                       {"note", "a\nb"},
                                                       {"note", "\x1b[0m"},
                                                       {"note", "\xff"},
                                                       {"note", std::string(5000, 'x')},
                                                       {"activation", ""},
                                                       {"activation", "tan-h"},
                                                       {"activation", "tanh,relu"},
                                                       {"hidden", "0"},
                                                       {"hidden", "64,"},
                                                       {"hidden", ",64"},
                                                       {"hidden", "64,,64"},
                                                       {"hidden", "64;64"},
                                                       {"hidden", "4097"},
                                                       {"hidden", "[64"},
                                                       {"hidden", std::string(200, '1')},
                                                       {"steps", std::string("1\0", 2)}};
  for (const auto& [name, text] : cases) {
    Options o = options();
    const std::string message =
        expect_error(ExitCode::value, [&, n = name, &t = text] { o.set(n, t, "somewhere"); });
    EXPECT_NE(message.find("'" + std::string(name) + "'"), std::string::npos) << message;
    EXPECT_NE(message.find("expected"), std::string::npos) << message;
    EXPECT_NE(message.find("(somewhere)"), std::string::npos) << message;
    EXPECT_LT(message.size(), 400u);
    EXPECT_TRUE(o.difference(options()).empty()) << name << " = " << text;
  }
  Options o = options();
  std::string long_list = "1";
  for (int i = 0; i < 64; ++i) long_list += ",1";
  expect_error_with(
      ExitCode::value, [&] { o.set("hidden", long_list, "test"); }, "at most 64");
  expect_error_with(
      ExitCode::value, [&] { o.set("steps", "0", "--steps"); }, "'0'", "[1, 1000000000000000]");
  expect_error_with(
      ExitCode::value, [&] { o.set("steps", "1,000", "--steps"); }, "1,000", "100k");
  expect_error_with(
      ExitCode::value, [&] { o.set("activation", "tahn", "--set"); }, "did you mean 'tanh'");
}

TEST(Options, UnknownNamesOfferTheNearest) {
  Options o = options();
  expect_error_with(
      ExitCode::usage, [&] { o.set("lerning_rate", "1", "--set"); }, "'lerning_rate'", "--set",
      "did you mean 'learning_rate'");
  expect_error_with(
      ExitCode::usage, [&] { o.set("environment.gravty", "1", "--set"); }, "'environment.gravity'");
  expect_error_with(
      ExitCode::usage, [&] { o.set("", "1", "--set"); }, "unknown");
  expect_error_with(
      ExitCode::usage, [&] { o.set_assignment("steps", "--set"); }, "key=value");
  expect_error_with(
      ExitCode::usage, [&] { o.set_assignment("=5", "--set"); }, "key=value");
  expect_error(ExitCode::usage, [&] { o.set(std::string(1 << 20, 'x'), "1", "--set"); });
}

TEST(Options, DifferencesAreListed) {
  Options a = options(), b = options();
  b.set("steps", "5", "test");
  b.set("hidden", "8", "test");
  b.set("seed", "1", "test");
  constexpr OptionSpec kMore[] = {{"extra", OptionType::integer, "3", 0, 9, nullptr, "", "more"}};
  b.add(kMore);
  const std::vector<OptionDifference> found = a.difference(b);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].name + found[0].mine + found[0].theirs, "steps1000005");
  EXPECT_EQ(found[1].name + found[1].mine + found[1].theirs, "hidden64,648");
  EXPECT_EQ(found[2].name + found[2].mine + found[2].theirs, "extra3");
  EXPECT_EQ(b.difference(a).back().mine, "3");
}

TEST(Options, HelpShowsEveryRow) {
  const std::string help = options().help_text();
  for (const OptionSpec& spec : kTable) {
    EXPECT_NE(help.find(spec.name), std::string::npos) << spec.name;
    EXPECT_NE(help.find(spec.help), std::string::npos) << spec.name;
    EXPECT_NE(help.find(spec.unit), std::string::npos) << spec.name;
  }
  for (const char* part :
       {"[1, 4096]", "tanh, relu, identity", "3e-4", "true or false", "at least 0"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part << "\n" << help;
  }
}

TEST(Options, BrokenTablesAreDefects) {
  const OptionSpec broken[] = {
      {"steps", OptionType::integer, "1", 0, 9, nullptr, "", "twice"},
      {"Bad", OptionType::integer, "1", 0, 9, nullptr, "", "capital"},
      {"", OptionType::integer, "1", 0, 9, nullptr, "", "empty"},
      {"a.b.c", OptionType::integer, "1", 0, 9, nullptr, "", "two dots"},
      {"a.", OptionType::integer, "1", 0, 9, nullptr, "", "dot at the end"},
      {".a", OptionType::integer, "1", 0, 9, nullptr, "", "dot at the start"},
      {"9a", OptionType::integer, "1", 0, 9, nullptr, "", "digit first"},
      {"a-b", OptionType::integer, "1", 0, 9, nullptr, "", "hyphen"},
      {"x", OptionType::integer, "10", 0, 9, nullptr, "", "default out of range"},
      {"x", OptionType::choice, "a", 0, 0, "b,c", "", "default no choice"},
      {"x", OptionType::choice, "", 0, 0, nullptr, "", "no choices"},
  };
  for (const OptionSpec& spec : broken) {
    Options o = options();
    expect_error_with(
        ExitCode::internal,
        [&] {
          o.add({&spec, 1});
        },
        "options table");
    EXPECT_EQ(o.names().size(), std::size(kTable)) << spec.help;
  }
}

TEST(Options, ReadingAnotherTypeIsADefect) {
  const Options o = options();
  expect_error_with(
      ExitCode::internal, [&] { o.integer("learning_rate"); }, "learning_rate", "real");
  expect_error_with(
      ExitCode::internal, [&] { o.real("steps"); }, "steps");
  expect_error_with(
      ExitCode::internal, [&] { o.flag("note"); }, "note");
  expect_error_with(
      ExitCode::internal, [&] { o.text("hidden"); }, "hidden");
  expect_error_with(
      ExitCode::internal, [&] { o.integers("text"); }, "text");
}

}  // namespace
}  // namespace gallop

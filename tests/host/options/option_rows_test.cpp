#include <gallop/host/options/option_rows.h>

#include <gtest/gtest.h>

#include <gallop/host/learning/option_rows.h>

namespace gallop {
namespace {

constexpr auto kGroup = rows(real_row("rate", 1e-4, {.min = 0, .max = 1, .unit = "1/s"}, "a rate"),
                             boolean_row("fall", true, "whether it falls"));
constexpr auto kTable =
    rows(integer_row("count", 1 << 28, {.min = 1}, "how many"), kGroup,
         choice_row("way", "left", "left,right", "where to"),
         integers_row("hidden", "64,64", {.min = 1, .max = 9}, 3, "layers", "sizes"),
         text_row("name", "", ""));

TEST(OptionRows, ATableHoldsItsRowsAndGroupsInTheOrderGiven) {
  static_assert(kTable.size() == 6);
  const Options options{std::span(kTable).first(4)};
  EXPECT_EQ(options.names(), (std::vector<std::string>{"count", "rate", "fall", "way"}));
  EXPECT_EQ(options.integer("count"), 268435456);
  EXPECT_EQ(options.real("rate"), 1e-4);
  EXPECT_TRUE(options.flag("fall"));
  EXPECT_EQ(options.text("way"), "left");
}

TEST(OptionRows, ARowHoldsWhatItsTypeHas) {
  EXPECT_EQ(kTable[0].max, kUnbounded);
  EXPECT_STREQ(kTable[1].unit, "1/s");
  EXPECT_EQ(kTable[1].max, 1);
  EXPECT_STREQ(kTable[3].choices, "left,right");
  EXPECT_EQ(kTable[4].type, OptionType::integers);
  EXPECT_EQ(kTable[5].type, OptionType::text);
  // A default outside the limits of its elements.
  EXPECT_ANY_THROW(Options(std::span(kTable)));
}

TEST(OptionRows, DefaultsAreWrittenAsAPersonWritesThem) {
  const auto text = [](OptionDefault value) { return value.text(); };
  EXPECT_EQ(text(1e-4), "0.0001");
  EXPECT_EQ(text(1e-10), "1e-10");
  EXPECT_EQ(text(1.0), "1");
  EXPECT_EQ(text(0.99), "0.99");
  EXPECT_EQ(text(-5), "-5");
  EXPECT_EQ(text(true), "true");
  EXPECT_EQ(text(false), "false");
  EXPECT_EQ(text("64,64"), "64,64");
}

TEST(OptionRows, SharedGroupsTakeTheDefaultsOfTheAlgorithm) {
  constexpr auto kRows = rows(on_policy_rows({.n_envs = 3, .gamma = 0.5}),
                              baseline_rows("time", {.learning_rate = 0.25}), solver_rows());
  const Options options{std::span(kRows)};
  EXPECT_EQ(options.integer("n_envs"), 3);
  EXPECT_EQ(options.integer("n_steps"), 64);
  EXPECT_EQ(options.real("gamma"), 0.5);
  EXPECT_EQ(options.text("baseline"), "time");
  EXPECT_EQ(options.real("value_learning_rate"), 0.25);
  EXPECT_EQ(options.integer("cg_iterations"), 10);
}

}  // namespace
}  // namespace gallop

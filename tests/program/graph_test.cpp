// gallop graph: its output, and an exit code and a message for bad input.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <gallop/host/graphs/examples/example.h>
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

ProgramResult graph(const Words& words) {
  Words all = {"graph"};
  all.insert(all.end(), words.begin(), words.end());
  return run_program(all);
}

TEST(GraphCommand, ListsAllExamples) {
  const ProgramResult listed = graph({});
  EXPECT_EQ(listed.code, 0) << listed.err;
  for (const GraphExample& example : graph_examples()) {
    EXPECT_NE(listed.out.find(std::string("\n  ") + example.name), std::string::npos)
        << example.name;
  }
}

TEST(GraphCommand, EstimatesBesideTheExactAnswerWithTheSameBitsForAnyThreads) {
  const Words words = {"row-5", "--samples", "5000", "--device", "cpu", "--json", "--threads"};
  Words one = words, two = words;
  one.push_back("1"), two.push_back("2");
  const ProgramResult first = graph(one), second = graph(two);
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(first.out, second.out);
  const json found = json::parse(first.out);
  EXPECT_EQ(found["example"], "row_5");
  EXPECT_EQ(found["samples"], 5000);
  ASSERT_EQ(found["results"].size(), 2u);
  EXPECT_EQ(found["results"][1]["name"], "d/d theta");
  EXPECT_NEAR(found["results"][1]["exact"].get<double>(), 4.172, 1e-12);
  const ProgramResult table = graph({"mixed", "--samples", "2000", "--threads", "1"});
  EXPECT_EQ(table.code, 0);
  EXPECT_NE(table.out.find("log p(b) held(f + price - "), std::string::npos) << table.out;
}

TEST(GraphCommand, Draws) {
  const ProgramResult dot = graph({"row_1", "--dot"}), loss = graph({"row_1", "--surrogate-dot"});
  EXPECT_EQ(dot.out.rfind("digraph {", 0), 0u) << dot.err;
  EXPECT_NE(dot.out.find("\"x\" -> \"y\""), std::string::npos);
  EXPECT_NE(loss.out.find("log p(y | x) held(f)"), std::string::npos) << loss.out;
}

TEST(GraphCommand, RefusesWhatIsNone) {
  const ProgramResult unknown = graph({"rwo_1"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("did you mean 'row_1'"), std::string::npos) << unknown.err;
  EXPECT_EQ(graph({"row_1", "--samples", "1"}).code, 3);
  EXPECT_EQ(graph({"row_1", "--seed", "-1"}).code, 3);
  EXPECT_EQ(graph({"row_1", "--sample", "100"}).code, 2);
}

}  // namespace
}  // namespace gallop::testing

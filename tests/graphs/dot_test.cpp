// Pictures: nodes by their kinds, edges through nodes without a name, scores with their costs.
#include <gallop/host/graphs/dot.h>

#include <gtest/gtest.h>

#include <gallop/host/graphs/examples/example.h>

namespace gallop::testing {
namespace {

std::string drawn(const char* example, std::string (*draw)(const Graph&)) {
  Graph graph;
  find_graph_example(example).build(graph);
  return draw(graph);
}

TEST(GraphDot, AGraphOfTheTable) {
  EXPECT_EQ(drawn("row_4", graph_dot), R"dot(digraph {
  rankdir = LR;
  node [fontname = "Helvetica"];
  "theta" [label = "theta", shape = plaintext];
  "x" [label = "x", shape = circle];
  "y" [label = "y = square(theta)", shape = box];
  "f" [label = "f = x * y", shape = box, penwidth = 2];
  "theta" -> "x";
  "theta" -> "y";
  "x" -> "f";
  "y" -> "f";
}
)dot");
}

// The score's square, and the cost that derivatives reach past the sample.
TEST(GraphDot, ItsSurrogate) {
  EXPECT_EQ(drawn("row_4", surrogate_dot), R"dot(digraph {
  rankdir = LR;
  node [fontname = "Helvetica"];
  "f" [label = "f = x * y", shape = box, penwidth = 2];
  "y" [label = "y = square(theta)", shape = box];
  "theta" [label = "theta", shape = plaintext];
  "theta" -> "y";
  "y" -> "f";
  "log p x" [label = "log p(x | theta) held(f)", shape = box, penwidth = 2];
  "theta" -> "log p x";
}
)dot");
}

TEST(GraphDot, BaselinesReparameterisedNodesAndQuotes) {
  const std::string mixed = drawn("mixed", graph_dot);
  EXPECT_NE(mixed.find("\"mu\" -> \"b\" [style = dashed, label = baseline]"), std::string::npos)
      << mixed;
  EXPECT_NE(mixed.find("\"z\" [label = \"z\", shape = circle, style = dashed]"), std::string::npos);
  EXPECT_NE(mixed.find("\"b\" -> \"z\""), std::string::npos);
  const std::string surrogate = drawn("mixed", surrogate_dot);
  EXPECT_NE(surrogate.find("log p(b | alpha) held(f + price - "), std::string::npos) << surrogate;
  Graph g;
  g.cost("a \"cost\"", g.parameter("p", 1.0));
  EXPECT_NE(graph_dot(g).find("\"p\" -> \"a \\\"cost\\\"\""), std::string::npos) << graph_dot(g);
}

}  // namespace
}  // namespace gallop::testing

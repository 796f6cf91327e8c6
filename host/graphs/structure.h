// What the whole of a graph shows, before it is compiled.
#pragma once

#include <vector>

#include <gallop/host/graphs/graph.h>

namespace gallop {

// A term of the surrogate loss: log p(node | parents) times the sum of these costs, less the node's
// baseline.
struct GraphScore {
  int node;
  std::vector<int> costs;  // those that depend on the node, in the order of their declaration
};

struct GraphStructure {
  std::vector<int> order;          // all nodes, operands before what is made of them
  std::vector<int> costs;          // in the order of their declaration
  std::vector<GraphScore> scores;  // in the order of their declaration
  // Whether a parameter reaches the node through derivatives alone.
  std::vector<bool> follows;
};

// Throws a value error for a graph without a cost, a node that was declared for later and not
// bound, a cycle, a baseline that depends on its node, and a parameter that reaches a cost, or the
// distribution of a node with a score, through a node that has no derivative: the last three with
// the path of nodes.
GraphStructure structure_of(const Graph& graph);

}  // namespace gallop

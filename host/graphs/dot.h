// Pictures of graphs in the language of Graphviz: `dot -Tsvg`.
#pragma once

#include <string>

#include <gallop/host/graphs/graph.h>

namespace gallop {

// Circles are stochastic nodes, squares deterministic ones, parameters and inputs have no border,
// as in the paper. Nodes without a name are left out: an edge goes through them. Dashed edges lead
// from baselines.
std::string graph_dot(const Graph& graph);

// The surrogate loss: the deterministic nodes that derivatives go through, and for each score a
// square log p(node | parents) with the costs that it is multiplied with, which are held. Throws as
// compile() does.
std::string surrogate_dot(const Graph& graph);

}  // namespace gallop

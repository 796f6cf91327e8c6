#pragma once

#include <string>
#include <vector>

#include <gallop/host/graphs/graph.h>
#include <gallop/host/graphs/tape_builder.h>

namespace gallop {

// A parameter or an input of a compiled graph.
struct GraphVariable {
  std::string name;
  GraphShape shape;
  int first = 0;               // of all parameters, or of the rows of all inputs
  std::vector<double> values;  // [size] of a parameter, by rows, to begin with
};

// A term of the surrogate loss, in words.
struct SurrogateTerm {
  std::string node;                // whose score it is
  std::vector<std::string> costs;  // that depend on the node
  std::string baseline;            // empty where there is none
};

// A graph that was checked and compiled. Keeps nothing of the graph.
struct CompiledGraph {
  std::vector<GraphVariable> parameters, inputs;
  int n_parameters = 0, input_rows = 0;  // scalars
  std::vector<SurrogateTerm> scores;
  // Outputs: the sum of the costs, then the derivatives of the surrogate loss by all parameters.
  TapeProgram gradient;
  // Outputs: the components of every node, by rows, operands before what is made of them.
  TapeProgram values;
  struct Value {
    std::string label;
    GraphShape shape;
    int first;  // of the outputs
    bool is_named;
  };
  std::vector<Value> nodes;

  // The variable of this name; a usage error with the nearest ones where there is none.
  const GraphVariable& parameter(const std::string& name) const;
  const GraphVariable& input(const std::string& name) const;
  const Value& node(const std::string& name) const;
};

// Throws a value error as structure_of() does (host/graphs/structure.h).
CompiledGraph compile(const Graph& graph);

}  // namespace gallop

// From nodes to expressions of single numbers.
#pragma once

#include <vector>

#include <gallop/host/graphs/structure.h>
#include <gallop/host/graphs/tape_builder.h>

namespace gallop {

class Lowering {
 public:
  // The graph's values and its surrogate loss, sum of costs + sum over scores of log p(w | parents)
  // (costs of w - baseline of w), whose second factor is held. The structure is the graph's.
  Lowering(const Graph& graph, const GraphStructure& structure);

  TapeBuilder& builder() { return builder_; }
  // The components of a node, by rows.
  const std::vector<int>& cells(int node) const { return cells_[std::size_t(node)]; }
  int objective() const { return objective_; }  // the sum of all costs
  int surrogate() const { return surrogate_; }
  // All parameters one after another, in the order of their declaration; and the rows of inputs.
  const std::vector<int>& parameters() const { return parameters_; }
  int input_rows() const { return n_inputs_; }

 private:
  using Cells = std::vector<int>;

  void lower(int node);
  Cells lower_source(const GraphEntry& entry);
  Cells lower_sample(int node, const GraphEntry& entry);
  Cells lower_structural(const GraphEntry& entry);
  Cells by_component(const GraphEntry& entry);
  int component(GraphKind kind, const int* x);
  int operand(const GraphEntry& entry, int k, int component) const;

  Cells log_softmax(const Cells& logits);
  int sum(const Cells& terms);
  int pick(const Cells& from, int index);
  Cells matmul(const GraphEntry& entry);
  int categorical(int node, const Cells& logits);
  // log p(x | parents), summed over the components.
  int log_density(GraphKind kind, const Cells& x, const GraphEntry& entry, int first_parent);

  const Graph& graph_;
  TapeBuilder builder_;
  std::vector<Cells> cells_;
  Cells parameters_;
  int n_inputs_ = 0, objective_ = 0, surrogate_ = 0;
};

}  // namespace gallop

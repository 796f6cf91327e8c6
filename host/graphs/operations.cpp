// The functions on nodes: each checks shapes and adds a node.
#include <fmt/format.h>

#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/graphs/graph.h>

namespace gallop {
namespace {

std::string label_of(const GraphNode& node) {
  if (node.graph() == nullptr) return fmt::format("{:g}", node.number());
  return node.graph()->label(node.id());
}

Graph& graph_of(const char* function, std::initializer_list<GraphNode> nodes) {
  for (const GraphNode& node : nodes) {
    if (node.graph() != nullptr) return *node.graph();
  }
  throw value_error(
      fmt::format("graph: {} of numbers alone; expected a node among them", function));
}

[[noreturn]] void refuse_shape(GraphKind kind, const GraphNode& node, const char* expected) {
  throw value_error(fmt::format("graph: {} of '{}', whose shape is {}; expected {}",
                                kind_name(kind), label_of(node), shape_text(node.shape()),
                                expected));
}

GraphNode make(GraphKind kind, GraphShape shape, std::initializer_list<GraphNode> operands,
               int index = 0) {
  Graph& graph = graph_of(kind_name(kind), operands);
  GraphEntry entry = {kind, "", shape, {}, {}, index};
  for (const GraphNode& operand : operands) entry.operands.push_back(graph.id_of(operand));
  return graph.add(std::move(entry));
}

GraphNode unary(GraphKind kind, GraphNode a) { return make(kind, a.shape(), {a}); }

// The shape of components that are combined: equal ones, or scalars beside others.
GraphShape combined(GraphKind kind, std::initializer_list<GraphNode> nodes) {
  GraphShape shape;
  const GraphNode* first = nullptr;
  for (const GraphNode& node : nodes) {
    if (node.shape() == GraphShape{}) continue;
    if (first != nullptr && node.shape() != shape) {
      throw value_error(
          fmt::format("graph: {} of '{}' and '{}', whose shapes are {} and {}; expected equal "
                      "ones, or a scalar",
                      kind_name(kind), label_of(*first), label_of(node), shape_text(shape),
                      shape_text(node.shape())));
    }
    first = &node;
    shape = node.shape();
  }
  return shape;
}

GraphNode binary(GraphKind kind, GraphNode a, GraphNode b) {
  return make(kind, combined(kind, {a, b}), {a, b});
}

GraphNode of_column(GraphKind kind, GraphNode a) {
  if (a.shape().columns != 1) refuse_shape(kind, a, "a column");
  return unary(kind, a);
}

void require_row(GraphKind kind, const GraphNode& a, int row, int column) {
  const GraphShape shape = a.shape();
  if (row >= 0 && row < shape.rows && column >= 0 && column < shape.columns) return;
  throw value_error(fmt::format("graph: {} ({}, {}) of '{}', whose shape is {}", kind_name(kind),
                                row, column, label_of(a), shape_text(shape)));
}

}  // namespace

GraphNode operator+(GraphNode a, GraphNode b) { return binary(GraphKind::kAdd, a, b); }
GraphNode operator-(GraphNode a, GraphNode b) { return binary(GraphKind::kSubtract, a, b); }
GraphNode operator*(GraphNode a, GraphNode b) { return binary(GraphKind::kMultiply, a, b); }
GraphNode operator/(GraphNode a, GraphNode b) { return binary(GraphKind::kDivide, a, b); }
GraphNode operator-(GraphNode a) { return unary(GraphKind::kNegate, a); }
GraphNode exp(GraphNode a) { return unary(GraphKind::kExp, a); }
GraphNode log(GraphNode a) { return unary(GraphKind::kLog, a); }
GraphNode tanh(GraphNode a) { return unary(GraphKind::kTanh, a); }
GraphNode sin(GraphNode a) { return unary(GraphKind::kSin, a); }
GraphNode cos(GraphNode a) { return unary(GraphKind::kCos, a); }
GraphNode square(GraphNode a) { return unary(GraphKind::kSquare, a); }
GraphNode sqrt(GraphNode a) { return unary(GraphKind::kSqrt, a); }
GraphNode abs(GraphNode a) { return unary(GraphKind::kAbs, a); }
GraphNode sigmoid(GraphNode a) { return unary(GraphKind::kSigmoid, a); }
GraphNode softplus(GraphNode a) { return unary(GraphKind::kSoftplus, a); }
GraphNode relu(GraphNode a) { return max(a, 0.0); }
GraphNode min(GraphNode a, GraphNode b) { return binary(GraphKind::kMin, a, b); }
GraphNode max(GraphNode a, GraphNode b) { return binary(GraphKind::kMax, a, b); }
GraphNode less(GraphNode a, GraphNode b) { return binary(GraphKind::kLess, a, b); }
GraphNode equal(GraphNode a, GraphNode b) { return binary(GraphKind::kEqual, a, b); }
GraphNode step(GraphNode a) { return 1.0 - less(a, 0.0); }
GraphNode floor(GraphNode a) { return unary(GraphKind::kFloor, a); }
GraphNode held(GraphNode a) { return unary(GraphKind::kHeld, a); }

GraphNode select(GraphNode condition, GraphNode a, GraphNode b) {
  return make(GraphKind::kSelect, combined(GraphKind::kSelect, {condition, a, b}),
              {condition, a, b});
}

GraphNode sum(GraphNode a) { return make(GraphKind::kSum, {}, {a}); }
GraphNode dot(GraphNode a, GraphNode b) { return sum(a * b); }

GraphNode matmul(GraphNode a, GraphNode b) {
  if (a.shape().columns != b.shape().rows) {
    throw value_error(fmt::format(
        "graph: matmul of '{}' and '{}', whose shapes are {} and {}; expected as many columns of "
        "the first as rows of the second",
        label_of(a), label_of(b), shape_text(a.shape()), shape_text(b.shape())));
  }
  return make(GraphKind::kMatmul, {a.shape().rows, b.shape().columns}, {a, b});
}
GraphNode transpose(GraphNode a) {
  return make(GraphKind::kTranspose, {a.shape().columns, a.shape().rows}, {a});
}

GraphNode softmax(GraphNode column) { return of_column(GraphKind::kSoftmax, column); }
GraphNode log_softmax(GraphNode column) { return of_column(GraphKind::kLogSoftmax, column); }

GraphNode element(GraphNode a, int row, int column) {
  require_row(GraphKind::kElement, a, row, column);
  return make(GraphKind::kElement, {}, {a}, row * a.shape().columns + column);
}
GraphNode row(GraphNode matrix, int row) {
  require_row(GraphKind::kRow, matrix, row, 0);
  return make(GraphKind::kRow, {matrix.shape().columns, 1}, {matrix}, row);
}
GraphNode pick(GraphNode from, GraphNode index) {
  if (index.shape() != GraphShape{}) refuse_shape(GraphKind::kPick, index, "a scalar as an index");
  return make(GraphKind::kPick, {from.shape().columns, 1}, {from, index});
}
GraphNode one_hot(GraphNode index, int n) {
  if (index.shape() != GraphShape{}) refuse_shape(GraphKind::kOneHot, index, "a scalar");
  if (n < 1)
    throw value_error(fmt::format("graph: one_hot of {} values; expected one at least", n));
  return make(GraphKind::kOneHot, {n, 1}, {index}, n);
}

GraphNode stack(const std::vector<GraphNode>& scalars) {
  if (scalars.empty()) throw value_error("graph: stack of no nodes; expected one at least");
  Graph* graph = nullptr;
  for (const GraphNode& node : scalars) {
    if (node.shape() != GraphShape{}) refuse_shape(GraphKind::kStack, node, "scalars");
    if (graph == nullptr) graph = node.graph();
  }
  if (graph == nullptr) graph_of(kind_name(GraphKind::kStack), {});
  GraphEntry entry = {GraphKind::kStack, "", {int(scalars.size()), 1}, {}, {}};
  for (const GraphNode& node : scalars) entry.operands.push_back(graph->id_of(node));
  return graph->add(std::move(entry));
}

GraphNode log_normal(GraphNode x, GraphNode mean, GraphNode log_std) {
  combined(GraphKind::kLogNormal, {x, mean, log_std});
  return make(GraphKind::kLogNormal, {}, {x, mean, log_std});
}
GraphNode log_bernoulli(GraphNode x, GraphNode logit) {
  combined(GraphKind::kLogBernoulli, {x, logit});
  return make(GraphKind::kLogBernoulli, {}, {x, logit});
}
GraphNode log_categorical(GraphNode index, GraphNode logits) {
  if (index.shape() != GraphShape{}) refuse_shape(GraphKind::kLogCategorical, index, "a scalar");
  if (logits.shape().columns != 1 || logits.shape().rows < 2) {
    refuse_shape(GraphKind::kLogCategorical, logits, "a column of two logits or more");
  }
  return make(GraphKind::kLogCategorical, {}, {index, logits});
}
GraphNode logit(GraphNode probability) { return log(probability) - log(1.0 - probability); }

}  // namespace gallop

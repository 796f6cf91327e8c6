#include <gallop/host/graphs/graph.h>

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>

namespace gallop {
namespace {

constexpr int kLabelDepth = 2;  // operations within one another that a label shows

std::string joined(const char* between, const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, between));
}

// Scalars meet every component of the other shape.
GraphShape common_shape(const char* what, const std::string& name, GraphShape a, GraphShape b) {
  if (b == GraphShape{}) return a;
  if (a == GraphShape{} || a == b) return b;
  throw value_error(fmt::format(
      "graph: {} of node '{}' have the shapes {} and {}; expected equal ones, or a scalar", what,
      name, shape_text(a), shape_text(b)));
}

}  // namespace

std::string shape_text(const GraphShape& shape) {
  if (shape == GraphShape{}) return "scalar";
  if (shape.columns == 1) return fmt::format("{}", shape.rows);
  return fmt::format("{}x{}", shape.rows, shape.columns);
}

GraphShape GraphNode::shape() const {
  return graph_ == nullptr ? GraphShape{} : graph_->entries()[std::size_t(id_)].shape;
}

int Graph::find(std::string_view name) const {
  for (std::size_t k = 0; k < entries_.size(); k++) {
    if (!entries_[k].name.empty() && entries_[k].name == name) return int(k);
  }
  return -1;
}

GraphNode Graph::node(std::string_view name) {
  if (const int id = find(name); id >= 0) return {this, id};
  std::vector<std::string> names;
  for (const GraphEntry& entry : entries_) {
    if (!entry.name.empty()) names.push_back(entry.name);
  }
  throw usage_error(
      fmt::format("graph: no node was declared as '{}'{}", name, did_you_mean(name, names)));
}

std::string Graph::label(int id, int depth) const {
  const GraphEntry& entry = entries_[std::size_t(id)];
  if (!entry.name.empty()) return entry.name;
  if (entry.kind == GraphKind::kConstant) {
    if (entry.values.size() == 1) return fmt::format("{:g}", entry.values[0]);
    return fmt::format("constant[{}]", shape_text(entry.shape));
  }
  if (depth == 0) return "...";
  std::vector<std::string> parts;
  for (const int operand : entry.operands) parts.push_back(label(operand, depth - 1));
  if (entry.kind >= GraphKind::kAdd && entry.kind <= GraphKind::kDivide) {
    return "(" + joined(fmt::format(" {} ", kind_name(entry.kind)).c_str(), parts) + ")";
  }
  const bool indexed = entry.kind == GraphKind::kElement || entry.kind == GraphKind::kRow;
  if (indexed) parts.push_back(fmt::format("{}", entry.index));
  return fmt::format("{}({})", kind_name(entry.kind), joined(", ", parts));
}
std::string Graph::label(int id) const { return label(id, kLabelDepth); }

int Graph::id_of(const GraphNode& node) {
  if (node.graph() == this) return node.id();
  if (node.graph() != nullptr) {
    throw value_error(
        fmt::format("graph: node '{}' belongs to another graph", node.graph()->label(node.id())));
  }
  return constant({1, 1}, {node.number()}).id();
}

GraphNode Graph::add(GraphEntry entry) {
  entries_.push_back(std::move(entry));
  return {this, int(entries_.size()) - 1};
}

GraphNode Graph::declare(GraphEntry entry, const std::string& name) {
  if (name.empty()) throw value_error("graph: a node's name is empty");
  if (find(name) >= 0) {
    throw value_error(fmt::format("graph: two nodes are named '{}'; names are given once", name));
  }
  entry.name = name;
  return add(std::move(entry));
}

GraphNode Graph::add_values(GraphKind kind, const std::string& name, GraphShape shape,
                            const std::vector<double>& values) {
  const std::string what = name.empty() ? kind_name(kind) : "'" + name + "'";
  if (shape.rows < 1 || shape.columns < 1) {
    throw value_error(fmt::format("graph: {} has {} rows and {} columns; expected one at least",
                                  what, shape.rows, shape.columns));
  }
  if (values.size() != std::size_t(shape.rows) * std::size_t(shape.columns)) {
    throw value_error(fmt::format("graph: {} has {} values; expected {} for its shape {}", what,
                                  values.size(), std::size_t(shape.rows) * shape.columns,
                                  shape_text(shape)));
  }
  for (const double x : values) {
    if (!std::isfinite(x)) {
      throw value_error(fmt::format("graph: {} has the value {}; expected finite ones", what, x));
    }
  }
  GraphEntry entry = {kind, "", shape, {}, values};
  return name.empty() ? add(std::move(entry)) : declare(std::move(entry), name);
}

GraphNode Graph::parameter(const std::string& name, double value) {
  return parameter(name, {1, 1}, {value});
}
GraphNode Graph::parameter(const std::string& name, const std::vector<double>& column) {
  return parameter(name, {int(column.size()), 1}, column);
}
GraphNode Graph::parameter(const std::string& name, GraphShape shape,
                           const std::vector<double>& values) {
  if (name.empty()) throw value_error("graph: a parameter's name is empty");
  return add_values(GraphKind::kParameter, name, shape, values);
}
GraphNode Graph::constant(const std::vector<double>& column) {
  return constant({int(column.size()), 1}, column);
}
GraphNode Graph::constant(GraphShape shape, const std::vector<double>& values) {
  return add_values(GraphKind::kConstant, "", shape, values);
}

namespace {

void require_shape(const std::string& name, GraphShape shape) {
  if (shape.rows >= 1 && shape.columns >= 1) return;
  throw value_error(fmt::format("graph: '{}' has {} rows and {} columns; expected one at least",
                                name, shape.rows, shape.columns));
}

}  // namespace

GraphNode Graph::input(const std::string& name, GraphShape shape) {
  require_shape(name, shape);
  return declare({GraphKind::kInput, "", shape, {}, {}}, name);
}
GraphNode Graph::later(const std::string& name, GraphShape shape) {
  require_shape(name, shape);
  return declare({GraphKind::kLater, "", shape, {}, {}}, name);
}

void Graph::bind(GraphNode later, GraphNode value) {
  const int to = id_of(later), from = id_of(value);
  GraphEntry& entry = entries_[std::size_t(to)];
  const GraphShape shape = entries_[std::size_t(from)].shape;
  if (entry.kind != GraphKind::kLater) {
    throw value_error(
        fmt::format("graph: '{}' cannot be bound; expected a node of later()", label(to)));
  }
  if (!entry.operands.empty()) {
    throw value_error(fmt::format("graph: '{}' is bound twice; first to '{}', then to '{}'",
                                  entry.name, label(entry.operands[0]), label(from)));
  }
  if (shape != entry.shape) {
    throw value_error(
        fmt::format("graph: '{}' was declared with the shape {} and is bound to "
                    "'{}', whose shape is {}",
                    entry.name, shape_text(entry.shape), label(from), shape_text(shape)));
  }
  entry.operands = {from};
}

GraphNode Graph::define(const std::string& name, GraphNode node) {
  const int id = id_of(node);
  const GraphEntry& known = entries_[std::size_t(id)];
  if (!known.name.empty()) {
    throw value_error(fmt::format("graph: node '{}' cannot be named '{}' too", known.name, name));
  }
  if (name.empty()) throw value_error("graph: a node's name is empty");
  if (find(name) >= 0) {
    throw value_error(fmt::format("graph: two nodes are named '{}'; names are given once", name));
  }
  entries_[std::size_t(id)].name = name;
  return {this, id};
}

GraphNode Graph::normal(const std::string& name, GraphNode mean, GraphNode log_std,
                        GraphPath path) {
  const int a = id_of(mean), b = id_of(log_std);
  const GraphShape shape = common_shape("mean and log_std", name, mean.shape(), log_std.shape());
  GraphEntry entry = {GraphKind::kNormal, "", shape, {a, b}, {}};
  entry.path = path;
  return declare(std::move(entry), name);
}
GraphNode Graph::uniform(const std::string& name, GraphNode low, GraphNode high) {
  const int a = id_of(low), b = id_of(high);
  const GraphShape shape = common_shape("low and high", name, low.shape(), high.shape());
  GraphEntry entry = {GraphKind::kUniform, "", shape, {a, b}, {}};
  entry.path = GraphPath::kReparameterised;
  return declare(std::move(entry), name);
}
GraphNode Graph::bernoulli(const std::string& name, GraphNode logit) {
  const int a = id_of(logit);
  return declare({GraphKind::kBernoulli, "", logit.shape(), {a}, {}}, name);
}
GraphNode Graph::categorical(const std::string& name, GraphNode logits) {
  const GraphShape shape = logits.shape();
  if (shape.columns != 1 || shape.rows < 2) {
    throw value_error(
        fmt::format("graph: the logits of node '{}' have the shape {}; expected a "
                    "column of two or more",
                    name, shape_text(shape)));
  }
  const int a = id_of(logits);
  return declare({GraphKind::kCategorical, "", {}, {a}, {}}, name);
}

GraphNode Graph::cost(const std::string& name, GraphNode scalar) {
  const int a = id_of(scalar);
  if (scalar.shape() != GraphShape{}) {
    throw value_error(fmt::format("graph: the cost '{}' has the shape {}; expected a scalar", name,
                                  shape_text(scalar.shape())));
  }
  return declare({GraphKind::kCost, "", {}, {a}, {}}, name);
}

void Graph::baseline(GraphNode stochastic, GraphNode scalar) {
  const int w = id_of(stochastic), b = id_of(scalar);
  GraphEntry& entry = entries_[std::size_t(w)];
  if (!is_stochastic(entry.kind) || entry.path != GraphPath::kScore) {
    throw value_error(
        fmt::format("graph: '{}' cannot have a baseline; expected a stochastic node "
                    "whose derivative goes by its score",
                    label(w)));
  }
  if (scalar.shape() != GraphShape{}) {
    throw value_error(fmt::format("graph: the baseline of '{}' has the shape {}; expected a scalar",
                                  label(w), shape_text(scalar.shape())));
  }
  if (entry.baseline >= 0) {
    throw value_error(
        fmt::format("graph: '{}' has a baseline already, '{}'", label(w), label(entry.baseline)));
  }
  entry.baseline = b;
}

}  // namespace gallop

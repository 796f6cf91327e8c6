#include <gallop/host/graphs/dot.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <gallop/host/graphs/structure.h>

namespace gallop {
namespace {

constexpr std::size_t kLongestExpression = 28;  // characters beside a name

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

class Picture {
 public:
  explicit Picture(const Graph& graph) : graph_(graph) {
    text_ = "digraph {\n  rankdir = LR;\n  node [fontname = \"Helvetica\"];\n";
  }

  void node(const std::string& name, const std::string& label, const char* style) {
    text_ += fmt::format("  {} [label = {}, {}];\n", quoted(name), quoted(label), style);
  }
  void edge(const std::string& from, const std::string& to, const char* style = "") {
    if (edges_.insert({from, to}).second) {
      text_ += fmt::format("  {} -> {}{};\n", quoted(from), quoted(to), style);
    }
  }
  // A node with its shape; deterministic ones say what they are where that is short.
  void own_node(int id) {
    const GraphEntry& entry = graph_.entries()[std::size_t(id)];
    if (entry.kind == GraphKind::kParameter || entry.kind == GraphKind::kInput ||
        entry.kind == GraphKind::kConstant) {
      return node(entry.name, entry.name, "shape = plaintext");
    }
    if (is_stochastic(entry.kind)) {
      const bool by_score = entry.path == GraphPath::kScore;
      return node(entry.name, entry.name,
                  by_score ? "shape = circle" : "shape = circle, style = dashed");
    }
    const std::string expression = expression_of(id);
    const bool is_short = !expression.empty() && expression.size() <= kLongestExpression;
    node(entry.name, is_short ? entry.name + " = " + expression : entry.name,
         entry.kind == GraphKind::kCost ? "shape = box, penwidth = 2" : "shape = box");
  }
  // The drawn nodes that a node is made of, directly or through nodes that are not drawn.
  const std::set<int>& drawn_operands(int id) {
    const auto found = operands_.find(id);
    if (found != operands_.end()) return found->second;
    std::set<int> all;
    std::vector<int> open = {id};
    std::set<int> seen;
    while (!open.empty()) {
      const int at = open.back();
      open.pop_back();
      for (const int operand : graph_.entries()[std::size_t(at)].operands) {
        if (is_drawn(operand)) {
          all.insert(operand);
        } else if (seen.insert(operand).second) {
          open.push_back(operand);
        }
      }
    }
    return operands_[id] = all;
  }
  bool is_drawn(int id) const { return !graph_.entries()[std::size_t(id)].name.empty(); }
  bool is_constant(int id) const {
    return graph_.entries()[std::size_t(id)].kind == GraphKind::kConstant;
  }
  const std::string& name(int id) const { return graph_.entries()[std::size_t(id)].name; }
  std::string text() const { return text_ + "}\n"; }

 private:
  std::string expression_of(int id) const {
    const GraphEntry& entry = graph_.entries()[std::size_t(id)];
    if (entry.kind == GraphKind::kCost || entry.kind == GraphKind::kLater) {
      if (entry.operands.empty()) return "";
      const int of = entry.operands[0];
      return is_drawn(of) || is_constant(of) ? graph_.label(of) : expression_of(of);
    }
    std::vector<std::string> parts;
    for (const int operand : entry.operands) parts.push_back(graph_.label(operand));
    if (entry.kind >= GraphKind::kAdd && entry.kind <= GraphKind::kDivide) {
      return fmt::format("{} {} {}", parts[0], kind_name(entry.kind), parts[1]);
    }
    return fmt::format("{}({})", kind_name(entry.kind), fmt::join(parts, ", "));
  }

  const Graph& graph_;
  std::string text_;
  std::set<std::pair<std::string, std::string>> edges_;
  std::map<int, std::set<int>> operands_;
};

}  // namespace

std::string graph_dot(const Graph& graph) {
  Picture picture(graph);
  const int n = int(graph.entries().size());
  for (int k = 0; k < n; k++) {
    if (picture.is_drawn(k)) picture.own_node(k);
  }
  for (int k = 0; k < n; k++) {
    if (!picture.is_drawn(k)) continue;
    for (const int operand : picture.drawn_operands(k)) {
      picture.edge(picture.name(operand), picture.name(k));
    }
    const int baseline = graph.entries()[std::size_t(k)].baseline;
    if (baseline < 0) continue;
    const std::set<int> itself = {baseline};
    for (const int b : picture.is_drawn(baseline) ? itself : picture.drawn_operands(baseline)) {
      picture.edge(picture.name(b), picture.name(k), " [style = dashed, label = baseline]");
    }
  }
  return picture.text();
}

std::string surrogate_dot(const Graph& graph) {
  const GraphStructure structure = structure_of(graph);
  Picture picture(graph);
  std::set<int> drawn;
  // A node with its edges, where derivatives go through it, and what it is made of.
  const auto draw = [&](int id, const auto& self) -> void {
    if (!structure.follows[std::size_t(id)] || !drawn.insert(id).second) return;
    picture.own_node(id);
    for (const int operand : picture.drawn_operands(id)) {
      self(operand, self);
      if (drawn.count(operand) > 0) picture.edge(picture.name(operand), picture.name(id));
    }
  };
  for (const int cost : structure.costs) draw(cost, draw);
  for (const GraphScore& score : structure.scores) {
    const GraphEntry& entry = graph.entries()[std::size_t(score.node)];
    std::vector<std::string> parents, costs;
    for (const int parent : picture.drawn_operands(score.node)) {
      parents.push_back(picture.name(parent));
    }
    for (const int cost : score.costs) costs.push_back(picture.name(cost));
    std::string factor = fmt::format("{}", fmt::join(costs, " + "));
    if (costs.size() > 3) factor = fmt::format("{} + ... + {}", costs.front(), costs.back());
    if (entry.baseline >= 0) factor += " - " + graph.label(entry.baseline);
    const std::string label =
        fmt::format("log p({} | {}) held({})", entry.name, fmt::join(parents, ", "), factor);
    const std::string name = "log p " + entry.name;
    picture.node(name, label, "shape = box, penwidth = 2");
    for (const int parent : picture.drawn_operands(score.node)) {
      draw(parent, draw);
      if (drawn.count(parent) > 0) picture.edge(picture.name(parent), name);
    }
  }
  return picture.text();
}

}  // namespace gallop

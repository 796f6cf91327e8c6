#include <gallop/host/graphs/structure.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <gallop/host/error.h>

namespace gallop {
namespace {

using Ids = std::vector<int>;

std::string path_text(const Graph& graph, const Ids& path) {
  std::vector<std::string> labels;
  for (const int id : path) labels.push_back(graph.label(id));
  return fmt::format("{}", fmt::join(labels, " -> "));
}

// Operands before what is made of them, by a search in depth without recursion: graphs of long
// horizons are deep.
class Sorting {
 public:
  explicit Sorting(const Graph& graph) : graph_(graph), state_(graph.entries().size(), kNew) {}

  Ids run() {
    for (std::size_t k = 0; k < state_.size(); k++) visit(int(k));
    return std::move(order_);
  }

 private:
  enum State : char { kNew, kOpen, kDone };

  void visit(int root) {
    if (state_[std::size_t(root)] != kNew) return;
    open(root);
    while (!stack_.empty()) {
      auto& [id, next] = stack_.back();
      const Ids& operands = graph_.entries()[std::size_t(id)].operands;
      if (next == operands.size()) {
        state_[std::size_t(id)] = kDone;
        order_.push_back(id);
        stack_.pop_back();
        continue;
      }
      const int operand = operands[next++];
      if (state_[std::size_t(operand)] == kOpen) refuse_cycle(operand);
      if (state_[std::size_t(operand)] == kNew) open(operand);
    }
  }
  void open(int id) {
    const GraphEntry& entry = graph_.entries()[std::size_t(id)];
    if (entry.kind == GraphKind::kLater && entry.operands.empty()) {
      throw value_error(
          fmt::format("graph: '{}' was declared for later and never bound to a node", entry.name));
    }
    state_[std::size_t(id)] = kOpen;
    stack_.emplace_back(id, 0);
  }
  // The open nodes from `id` on are one's operand each; data flows the other way.
  [[noreturn]] void refuse_cycle(int id) const {
    Ids path = {id};
    for (std::size_t k = stack_.size(); k-- > 0;) {
      path.push_back(stack_[k].first);
      if (stack_[k].first == id) break;
    }
    throw value_error("graph: a cycle: " + path_text(graph_, path));
  }

  const Graph& graph_;
  std::vector<State> state_;
  std::vector<std::pair<int, std::size_t>> stack_;
  Ids order_;
};

// From each node to those that are made of it.
std::vector<Ids> readers_of(const Graph& graph) {
  std::vector<Ids> readers(graph.entries().size());
  for (std::size_t k = 0; k < graph.entries().size(); k++) {
    for (const int operand : graph.entries()[k].operands) {
      readers[std::size_t(operand)].push_back(int(k));
    }
  }
  return readers;
}

// What depends on a node: for each node the one before it on a shortest path from there, -1 where
// there is none, and the node itself for the node.
Ids descend(const std::vector<Ids>& readers, int from) {
  Ids before(readers.size(), -1), queue = {from};
  before[std::size_t(from)] = from;
  for (std::size_t k = 0; k < queue.size(); k++) {
    for (const int reader : readers[std::size_t(queue[k])]) {
      if (before[std::size_t(reader)] >= 0) continue;
      before[std::size_t(reader)] = queue[k];
      queue.push_back(reader);
    }
  }
  return before;
}

bool has_score(const GraphEntry& entry) {
  return is_stochastic(entry.kind) && entry.path == GraphPath::kScore;
}

// Where derivatives by parameters go, and where they would have to and cannot.
class Derivatives {
 public:
  Derivatives(const Graph& graph, const Ids& order)
      : graph_(graph),
        follows(graph.entries().size()),
        from_(graph.entries().size(), -1),
        to_(graph.entries().size(), -1) {
    for (const int id : order) find_follows(id);
    for (std::size_t k = order.size(); k-- > 0;) find_needs(order[k]);
    for (const int id : order) check(id);
  }

 private:
  const Graph& graph_;

 public:
  std::vector<bool> follows;

 private:
  void find_follows(int id) {
    const GraphEntry& entry = graph_.entries()[std::size_t(id)];
    if (entry.kind == GraphKind::kParameter) follows[std::size_t(id)] = true;
    if (has_score(entry)) return;
    for (std::size_t j = 0; j < entry.operands.size(); j++) {
      const int operand = entry.operands[j];
      if (!follows[std::size_t(operand)] || !has_derivative(entry.kind, int(j))) continue;
      follows[std::size_t(id)] = true;
      from_[std::size_t(id)] = operand;
      return;
    }
  }
  // Marks the operands of a node that the surrogate loss reads.
  void find_needs(int id) {
    const GraphEntry& entry = graph_.entries()[std::size_t(id)];
    const bool reads = entry.kind == GraphKind::kCost || has_score(entry) ||
                       (to_[std::size_t(id)] >= 0 && entry.kind != GraphKind::kHeld);
    if (!reads) return;
    for (const int operand : entry.operands) {
      if (to_[std::size_t(operand)] < 0) to_[std::size_t(operand)] = id;
    }
  }
  void check(int id) const {
    const GraphEntry& entry = graph_.entries()[std::size_t(id)];
    if (has_score(entry) || entry.kind == GraphKind::kHeld || to_[std::size_t(id)] < 0) return;
    for (std::size_t j = 0; j < entry.operands.size(); j++) {
      if (follows[std::size_t(entry.operands[j])] && !has_derivative(entry.kind, int(j))) {
        refuse(entry.operands[j], id);
      }
    }
  }
  [[noreturn]] void refuse(int operand, int id) const {
    Ids path;
    for (int k = operand; k >= 0; k = from_[std::size_t(k)]) path.push_back(k);
    std::reverse(path.begin(), path.end());
    for (int k = id;; k = to_[std::size_t(k)]) {
      path.push_back(k);
      const GraphEntry& entry = graph_.entries()[std::size_t(k)];
      if (entry.kind == GraphKind::kCost || has_score(entry)) break;
    }
    throw value_error(
        fmt::format("graph: no derivative on the path {}: {} jumps in '{}', and no stochastic node "
                    "with a score "
                    "stands between; let the parameter reach it through one",
                    path_text(graph_, path), kind_name(graph_.entries()[std::size_t(id)].kind),
                    graph_.label(operand)));
  }

  Ids from_;  // the operand that a derivative comes from, -1 of parameters
  Ids to_;    // a node that reads it on the way to the loss, or -1
};

void check_baseline(const Graph& graph, const Ids& before, int node) {
  const int baseline = graph.entries()[std::size_t(node)].baseline;
  if (baseline < 0 || before[std::size_t(baseline)] < 0) return;
  Ids path = {baseline};
  while (path.back() != node) path.push_back(before[std::size_t(path.back())]);
  std::reverse(path.begin(), path.end());
  throw value_error(
      fmt::format("graph: the baseline of '{}' depends on it, which would bias the gradient: {}",
                  graph.label(node), path_text(graph, path)));
}

}  // namespace

GraphStructure structure_of(const Graph& graph) {
  GraphStructure structure;
  structure.order = Sorting(graph).run();
  const int n = int(graph.entries().size());
  for (int k = 0; k < n; k++) {
    if (graph.entries()[std::size_t(k)].kind == GraphKind::kCost) structure.costs.push_back(k);
  }
  if (structure.costs.empty()) {
    throw value_error("graph: it has no cost; declare what the objective counts by cost()");
  }
  const std::vector<Ids> readers = readers_of(graph);
  structure.follows = Derivatives(graph, structure.order).follows;
  for (int k = 0; k < n; k++) {
    const GraphEntry& entry = graph.entries()[std::size_t(k)];
    if (!has_score(entry)) continue;
    const Ids before = descend(readers, k);
    check_baseline(graph, before, k);
    const bool depends =
        std::any_of(entry.operands.begin(), entry.operands.end(),
                    [&](int operand) { return bool(structure.follows[std::size_t(operand)]); });
    if (!depends) continue;
    GraphScore score = {k, {}};
    for (const int cost : structure.costs) {
      if (before[std::size_t(cost)] >= 0) score.costs.push_back(cost);
    }
    if (!score.costs.empty()) structure.scores.push_back(std::move(score));
  }
  return structure;
}

}  // namespace gallop

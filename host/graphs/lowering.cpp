#include <gallop/host/graphs/lowering.h>

#include <cmath>
#include <numbers>

#include <gallop/host/error.h>

namespace gallop {

Lowering::Lowering(const Graph& graph, const GraphStructure& structure)
    : graph_(graph), cells_(graph.entries().size()) {
  // Parameters and inputs are numbered as they were declared.
  for (std::size_t k = 0; k < graph.entries().size(); k++) {
    const GraphKind kind = graph.entries()[k].kind;
    if (kind == GraphKind::kParameter || kind == GraphKind::kInput) lower(int(k));
  }
  for (const int node : structure.order) lower(node);
  // From the last cost on, so that the sums that scores share are one.
  const auto sum_of_costs = [&](const std::vector<int>& costs) {
    Cells terms;
    for (std::size_t k = costs.size(); k-- > 0;) terms.push_back(cells(costs[k])[0]);
    return sum(terms);
  };
  objective_ = surrogate_ = sum_of_costs(structure.costs);
  for (const GraphScore& score : structure.scores) {
    const GraphEntry& entry = graph.entries()[std::size_t(score.node)];
    const int log_p = log_density(entry.kind, cells(score.node), entry, 0);
    int factor = sum_of_costs(score.costs);
    if (entry.baseline >= 0) factor = builder_.subtract(factor, cells(entry.baseline)[0]);
    surrogate_ = builder_.add(surrogate_, builder_.multiply(builder_.held(factor), log_p));
  }
}

int Lowering::operand(const GraphEntry& entry, int k, int component) const {
  const Cells& all = cells(entry.operands[std::size_t(k)]);
  return all.size() == 1 ? all[0] : all[std::size_t(component)];
}

int Lowering::sum(const Cells& terms) {
  int total = terms[0];
  for (std::size_t k = 1; k < terms.size(); k++) total = builder_.add(total, terms[k]);
  return total;
}

void Lowering::lower(int node) {
  const GraphEntry& entry = graph_.entries()[std::size_t(node)];
  Cells& to = cells_[std::size_t(node)];
  if (!to.empty()) return;
  switch (entry.kind) {
    case GraphKind::kConstant:
    case GraphKind::kParameter:
    case GraphKind::kInput:
      to = lower_source(entry);
      break;
    case GraphKind::kNormal:
    case GraphKind::kUniform:
    case GraphKind::kBernoulli:
    case GraphKind::kCategorical:
      to = lower_sample(node, entry);
      break;
    case GraphKind::kLater:
    case GraphKind::kCost:
      to = cells(entry.operands[0]);
      break;
    case GraphKind::kLogNormal:
    case GraphKind::kLogBernoulli:
    case GraphKind::kLogCategorical: {
      const GraphKind of = entry.kind == GraphKind::kLogNormal      ? GraphKind::kNormal
                           : entry.kind == GraphKind::kLogBernoulli ? GraphKind::kBernoulli
                                                                    : GraphKind::kCategorical;
      Cells x;
      int n = 1;
      for (const int k : entry.operands) n = std::max(n, int(cells(k).size()));
      if (of == GraphKind::kCategorical) n = 1;
      for (int k = 0; k < n; k++) x.push_back(operand(entry, 0, k));
      to = {log_density(of, x, entry, 1)};
      break;
    }
    default:
      to = entry.kind >= GraphKind::kSum ? lower_structural(entry) : by_component(entry);
  }
}

Lowering::Cells Lowering::lower_source(const GraphEntry& entry) {
  Cells to;
  for (int k = 0; k < entry.shape.size(); k++) {
    if (entry.kind == GraphKind::kConstant) {
      to.push_back(builder_.constant(entry.values[std::size_t(k)]));
    } else if (entry.kind == GraphKind::kParameter) {
      to.push_back(builder_.read(TapeOp::kParameter, int(parameters_.size())));
      parameters_.push_back(to.back());
    } else {
      to.push_back(builder_.read(TapeOp::kInput, n_inputs_++));
    }
  }
  return to;
}

// What goes by its score is held.
Lowering::Cells Lowering::lower_sample(int node, const GraphEntry& entry) {
  if (entry.kind == GraphKind::kCategorical) {
    return {builder_.held(categorical(node, cells(entry.operands[0])))};
  }
  Cells to;
  for (int k = 0; k < entry.shape.size(); k++) {
    if (entry.kind == GraphKind::kNormal) {
      const int z = builder_.draw(TapeOp::kNormal, node, k);
      const int std = builder_.apply(TapeOp::kExp, operand(entry, 1, k));
      const int x = builder_.apply(TapeOp::kFma, std, z, operand(entry, 0, k));
      to.push_back(entry.path == GraphPath::kScore ? builder_.held(x) : x);
      continue;
    }
    const int u = builder_.draw(TapeOp::kUniform, node, k);
    if (entry.kind == GraphKind::kUniform) {
      const int low = operand(entry, 0, k);
      const int width = builder_.subtract(operand(entry, 1, k), low);
      to.push_back(builder_.apply(TapeOp::kFma, u, width, low));
    } else {
      const int p = builder_.apply(TapeOp::kSigmoid, operand(entry, 0, k));
      to.push_back(builder_.held(builder_.apply(TapeOp::kLess, u, p)));
    }
  }
  return to;
}

// The number of cumulated probabilities that a uniform number has reached.
int Lowering::categorical(int node, const Cells& logits) {
  const int u = builder_.draw(TapeOp::kUniform, node, 0), one = builder_.constant(1);
  const Cells log_p = log_softmax(logits);
  int cumulated = builder_.constant(0), index = builder_.constant(0);
  for (std::size_t k = 0; k + 1 < log_p.size(); k++) {
    cumulated = builder_.add(cumulated, builder_.apply(TapeOp::kExp, log_p[k]));
    const int below = builder_.apply(TapeOp::kLess, u, cumulated);
    index = builder_.add(index, builder_.subtract(one, below));
  }
  return index;
}

// The greatest logit is subtracted first; held, since it has no effect on what follows.
Lowering::Cells Lowering::log_softmax(const Cells& logits) {
  int greatest = logits[0];
  for (const int x : logits) {
    if (x != greatest) greatest = builder_.apply(TapeOp::kMax, greatest, x);
  }
  greatest = builder_.held(greatest);
  Cells shifted, powers;
  for (const int x : logits) {
    shifted.push_back(builder_.subtract(x, greatest));
    powers.push_back(builder_.apply(TapeOp::kExp, shifted.back()));
  }
  const int log_sum = builder_.apply(TapeOp::kLog, sum(powers));
  for (int& x : shifted) x = builder_.subtract(x, log_sum);
  return shifted;
}

int Lowering::pick(const Cells& from, int index) {
  int found = from.back();
  for (std::size_t k = from.size() - 1; k-- > 0;) {
    const int is = builder_.apply(TapeOp::kEqual, index, builder_.constant(double(k)));
    found = builder_.apply(TapeOp::kSelect, is, from[k], found);
  }
  return found;
}

int Lowering::log_density(GraphKind kind, const Cells& x, const GraphEntry& entry,
                          int first_parent) {
  if (kind == GraphKind::kCategorical) {
    return pick(log_softmax(cells(entry.operands[std::size_t(first_parent)])), x[0]);
  }
  Cells terms;
  const int half = builder_.constant(-0.5);
  const int log_root = builder_.constant(-0.5 * std::log(2 * std::numbers::pi));
  for (std::size_t k = 0; k < x.size(); k++) {
    const int first = operand(entry, first_parent, int(k));
    if (kind == GraphKind::kBernoulli) {
      const int chosen = builder_.multiply(x[k], first);
      terms.push_back(builder_.subtract(chosen, builder_.apply(TapeOp::kSoftplus, first)));
      continue;
    }
    const int log_std = operand(entry, first_parent + 1, int(k));
    const int per_std = builder_.apply(TapeOp::kExp, builder_.negate(log_std));
    const int z = builder_.multiply(builder_.subtract(x[k], first), per_std);
    const int constant = builder_.subtract(log_root, log_std);
    terms.push_back(builder_.apply(TapeOp::kFma, half, builder_.multiply(z, z), constant));
  }
  return sum(terms);
}

Lowering::Cells Lowering::matmul(const GraphEntry& entry) {
  const int n = graph_.entries()[std::size_t(entry.operands[0])].shape.columns;
  const Cells &a = cells(entry.operands[0]), &b = cells(entry.operands[1]);
  Cells to;
  for (int i = 0; i < entry.shape.rows; i++) {
    for (int j = 0; j < entry.shape.columns; j++) {
      const auto left = [&](int k) { return a[std::size_t(i * n + k)]; };
      const auto right = [&](int k) { return b[std::size_t(k * entry.shape.columns + j)]; };
      int total = builder_.multiply(left(0), right(0));
      for (int k = 1; k < n; k++) {
        total = builder_.apply(TapeOp::kFma, left(k), right(k), total);
      }
      to.push_back(total);
    }
  }
  return to;
}

Lowering::Cells Lowering::lower_structural(const GraphEntry& entry) {
  const Cells& a = cells(entry.operands[0]);
  const GraphShape shape = graph_.entries()[std::size_t(entry.operands[0])].shape;
  Cells to;
  switch (entry.kind) {
    case GraphKind::kSum:
      return {sum(a)};
    case GraphKind::kMatmul:
      return matmul(entry);
    case GraphKind::kTranspose:
      for (int j = 0; j < shape.columns; j++) {
        for (int i = 0; i < shape.rows; i++) to.push_back(a[std::size_t(i * shape.columns + j)]);
      }
      return to;
    case GraphKind::kLogSoftmax:
      return log_softmax(a);
    case GraphKind::kSoftmax:
      to = log_softmax(a);
      for (int& x : to) x = builder_.apply(TapeOp::kExp, x);
      return to;
    case GraphKind::kElement:
      return {a[std::size_t(entry.index)]};
    case GraphKind::kRow: {
      const auto begin = a.begin() + long(entry.index) * shape.columns;
      return {begin, begin + shape.columns};
    }
    case GraphKind::kPick:
      for (int j = 0; j < shape.columns; j++) {
        Cells column;
        for (int i = 0; i < shape.rows; i++)
          column.push_back(a[std::size_t(i * shape.columns + j)]);
        to.push_back(pick(column, cells(entry.operands[1])[0]));
      }
      return to;
    case GraphKind::kOneHot:
      for (int k = 0; k < entry.index; k++) {
        to.push_back(builder_.apply(TapeOp::kEqual, a[0], builder_.constant(k)));
      }
      return to;
    case GraphKind::kStack:
      for (const int operand : entry.operands) to.push_back(cells(operand)[0]);
      return to;
    default:
      throw internal_error(std::string("graph: no lowering of ") + kind_name(entry.kind));
  }
}

Lowering::Cells Lowering::by_component(const GraphEntry& entry) {
  Cells to;
  for (int k = 0; k < entry.shape.size(); k++) {
    int x[3] = {0, 0, 0};
    for (int j = 0; j < int(entry.operands.size()); j++) x[j] = operand(entry, j, k);
    to.push_back(component(entry.kind, x));
  }
  return to;
}

int Lowering::component(GraphKind kind, const int* x) {
  switch (kind) {
    case GraphKind::kAdd:
      return builder_.add(x[0], x[1]);
    case GraphKind::kSubtract:
      return builder_.subtract(x[0], x[1]);
    case GraphKind::kMultiply:
      return builder_.multiply(x[0], x[1]);
    case GraphKind::kDivide:
      return builder_.divide(x[0], x[1]);
    case GraphKind::kNegate:
      return builder_.negate(x[0]);
    case GraphKind::kExp:
      return builder_.apply(TapeOp::kExp, x[0]);
    case GraphKind::kLog:
      return builder_.apply(TapeOp::kLog, x[0]);
    case GraphKind::kTanh:
      return builder_.apply(TapeOp::kTanh, x[0]);
    case GraphKind::kSin:
      return builder_.apply(TapeOp::kSin, x[0]);
    case GraphKind::kCos:
      return builder_.apply(TapeOp::kCos, x[0]);
    case GraphKind::kSquare:
      return builder_.multiply(x[0], x[0]);
    case GraphKind::kSqrt:
      return builder_.apply(TapeOp::kSqrt, x[0]);
    case GraphKind::kAbs:
      return builder_.apply(TapeOp::kAbs, x[0]);
    case GraphKind::kSigmoid:
      return builder_.apply(TapeOp::kSigmoid, x[0]);
    case GraphKind::kSoftplus:
      return builder_.apply(TapeOp::kSoftplus, x[0]);
    case GraphKind::kMin:
      return builder_.apply(TapeOp::kMin, x[0], x[1]);
    case GraphKind::kMax:
      return builder_.apply(TapeOp::kMax, x[0], x[1]);
    case GraphKind::kLess:
      return builder_.apply(TapeOp::kLess, x[0], x[1]);
    case GraphKind::kEqual:
      return builder_.apply(TapeOp::kEqual, x[0], x[1]);
    case GraphKind::kFloor:
      return builder_.apply(TapeOp::kFloor, x[0]);
    case GraphKind::kSelect:
      return builder_.apply(TapeOp::kSelect, x[0], x[1], x[2]);
    case GraphKind::kHeld:
      return builder_.held(x[0]);
    default:
      throw internal_error(std::string("graph: no lowering of ") + kind_name(kind));
  }
}

}  // namespace gallop

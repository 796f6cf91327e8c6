#include <gallop/host/graphs/tape_builder.h>

#include <bit>
#include <utility>

namespace gallop {

int operand_count(TapeOp op) {
  switch (op) {
    case TapeOp::kConstant:
    case TapeOp::kParameter:
    case TapeOp::kInput:
    case TapeOp::kNormal:
    case TapeOp::kUniform:
      return 0;
    case TapeOp::kAdd:
    case TapeOp::kSubtract:
    case TapeOp::kMultiply:
    case TapeOp::kDivide:
    case TapeOp::kMin:
    case TapeOp::kMax:
    case TapeOp::kLess:
    case TapeOp::kEqual:
      return 2;
    case TapeOp::kFma:
    case TapeOp::kSelect:
      return 3;
    default:
      return 1;
  }
}

int TapeBuilder::intern(const Expression& e) {
  const auto key =
      std::tuple(e.op, e.a, e.b, e.c, std::bit_cast<std::uint64_t>(e.value), e.is_held);
  const auto [place, is_new] = known_.try_emplace(key, int(expressions_.size()));
  if (is_new) expressions_.push_back(e);
  return place->second;
}

int TapeBuilder::constant(double value) { return intern({TapeOp::kConstant, 0, 0, 0, value}); }
int TapeBuilder::read(TapeOp op, int number) { return intern({op, number, 0, 0}); }
int TapeBuilder::draw(TapeOp op, int node, int component) {
  return intern({op, node, component, 0});
}
int TapeBuilder::held(int a) {
  if (is_constant(a) || expressions_[std::size_t(a)].is_held) return a;
  return intern({TapeOp::kAbs, a, 0, 0, 0, true});
}

bool TapeBuilder::is_number(int e, double value) const {
  return is_constant(e) && expressions_[std::size_t(e)].value == value;
}

int TapeBuilder::simplified(TapeOp op, int a, int b, int c) {
  switch (op) {
    case TapeOp::kAdd:
      if (is_number(a, 0)) return b;
      return is_number(b, 0) ? a : -1;
    case TapeOp::kSubtract:
      if (is_number(b, 0)) return a;
      return is_number(a, 0) ? negate(b) : -1;
    case TapeOp::kMultiply:
      if (is_number(a, 1)) return b;
      if (is_number(b, 1)) return a;
      if (is_number(a, -1)) return negate(b);
      return is_number(b, -1) ? negate(a) : -1;
    case TapeOp::kDivide:
      return is_number(b, 1) ? a : -1;
    case TapeOp::kFma:
      if (is_number(a, 1) || is_number(b, 1)) return add(multiply(a, b), c);
      return is_number(c, 0) ? multiply(a, b) : -1;
    case TapeOp::kNegate: {
      const Expression& e = expressions_[std::size_t(a)];
      return e.op == TapeOp::kNegate && !e.is_held ? e.a : -1;
    }
    case TapeOp::kSelect:
      if (b == c) return b;
      return is_constant(a) ? (is_number(a, 0) ? c : b) : -1;
    default:
      return -1;
  }
}

int TapeBuilder::apply(TapeOp op, int a, int b, int c) {
  const int n = operand_count(op), operands[] = {a, b, c};
  bool all_constant = true;
  for (int k = 0; k < n; k++) all_constant = all_constant && is_constant(operands[k]);
  if (all_constant) {
    double values[3] = {0, 0, 0}, result = 0;
    for (int k = 0; k < n; k++) values[k] = expressions_[std::size_t(operands[k])].value;
    with_cell_function<double>(op,
                               [&](const auto& f) { result = f(values[0], values[1], values[2]); });
    return constant(result);
  }
  if (const int same = simplified(op, a, b, c); same >= 0) return same;
  return intern({op, n > 0 ? a : 0, n > 1 ? b : 0, n > 2 ? c : 0});
}

// Adjoints, from the last expression to the first.
class TapeBuilder::Backward {
 public:
  explicit Backward(TapeBuilder& on, int of, const std::vector<int>& by)
      : on_(on), depends_(std::size_t(of) + 1), adjoint_(std::size_t(of) + 1, -1) {
    for (const int e : by) {
      if (e <= of) depends_[std::size_t(e)] = true;
    }
    for (int e = 0; e <= of; e++) {
      const Expression& x = at(e);
      const int n = x.is_held ? 0 : operand_count(x.op), operands[] = {x.a, x.b, x.c};
      for (int k = 0; k < n; k++) {
        if (depends_[std::size_t(operands[k])]) depends_[std::size_t(e)] = true;
      }
    }
    if (depends_[std::size_t(of)]) adjoint_[std::size_t(of)] = on_.constant(1);
    for (int e = of; e >= 0; e--) {
      if (adjoint_[std::size_t(e)] >= 0) step(e, adjoint_[std::size_t(e)]);
    }
  }
  int adjoint(int e) const {
    const bool has = e < int(adjoint_.size()) && adjoint_[std::size_t(e)] >= 0;
    return has ? adjoint_[std::size_t(e)] : on_.constant(0);
  }

 private:
  Expression at(int e) const { return on_.expressions_[std::size_t(e)]; }
  bool wants(int e) const { return depends_[std::size_t(e)]; }

  // Products are added with one rounding.
  void give(int to, int g) {
    if (!wants(to)) return;
    int& sum = adjoint_[std::size_t(to)];
    if (sum < 0) {
      sum = g;
    } else if (const Expression x = at(g); x.op == TapeOp::kMultiply) {
      sum = on_.apply(TapeOp::kFma, x.a, x.b, sum);
    } else if (x.op == TapeOp::kNegate) {
      sum = on_.subtract(sum, x.a);
    } else {
      sum = on_.add(sum, g);
    }
  }
  void give_product(int to, int g, int factor) {
    if (wants(to)) give(to, on_.multiply(g, factor));
  }
  void give_where(int to, int condition, int g, bool holds) {
    if (!wants(to)) return;
    const int zero = on_.constant(0);
    give(to, on_.apply(TapeOp::kSelect, condition, holds ? g : zero, holds ? zero : g));
  }

  // 1 - y y
  int one_less_square(int y) { return on_.apply(TapeOp::kFma, on_.negate(y), y, on_.constant(1)); }
  int sign(int a) {
    const int zero = on_.constant(0);
    return on_.subtract(on_.apply(TapeOp::kLess, zero, a), on_.apply(TapeOp::kLess, a, zero));
  }

  void step(int y, int g) {
    const Expression x = at(y);
    if (x.is_held) return;
    switch (x.op) {
      case TapeOp::kAdd:
        return give(x.a, g), give(x.b, g);
      case TapeOp::kSubtract:
        give(x.a, g);
        if (wants(x.b)) give(x.b, on_.negate(g));
        return;
      case TapeOp::kMultiply:
        if (x.a == x.b) return give_product(x.a, g, on_.add(x.a, x.a));
        return give_product(x.a, g, x.b), give_product(x.b, g, x.a);
      case TapeOp::kDivide: {
        const int by_a = on_.divide(g, x.b);
        give(x.a, by_a);
        return give_product(x.b, on_.negate(by_a), y);
      }
      case TapeOp::kFma:
        give_product(x.a, g, x.b);
        return give_product(x.b, g, x.a), give(x.c, g);
      case TapeOp::kNegate:
        return give(x.a, on_.negate(g));
      case TapeOp::kExp:
        return give_product(x.a, g, y);
      case TapeOp::kLog:
        return give(x.a, on_.divide(g, x.a));
      case TapeOp::kTanh:
        return give_product(x.a, g, one_less_square(y));
      case TapeOp::kSin:
        return give_product(x.a, g, on_.apply(TapeOp::kCos, x.a));
      case TapeOp::kCos:
        return give_product(x.a, on_.negate(g), on_.apply(TapeOp::kSin, x.a));
      case TapeOp::kSqrt:
        return give(x.a, on_.divide(on_.multiply(on_.constant(0.5), g), y));
      case TapeOp::kAbs:
        return give_product(x.a, g, sign(x.a));
      case TapeOp::kSigmoid:
        return give_product(x.a, g, on_.multiply(y, on_.subtract(on_.constant(1), y)));
      case TapeOp::kSoftplus:
        return give_product(x.a, g, on_.apply(TapeOp::kSigmoid, x.a));
      case TapeOp::kMin:
      case TapeOp::kMax: {
        const bool least = x.op == TapeOp::kMin;
        const int first = on_.apply(TapeOp::kLess, least ? x.a : x.b, least ? x.b : x.a);
        return give_where(x.a, first, g, true), give_where(x.b, first, g, false);
      }
      case TapeOp::kSelect:
        return give_where(x.b, x.a, g, true), give_where(x.c, x.a, g, false);
      default:
        return;  // what jumps, and what reads no expression
    }
  }

  TapeBuilder& on_;
  std::vector<bool> depends_;
  std::vector<int> adjoint_;
};

std::vector<int> TapeBuilder::gradient(int of, const std::vector<int>& by) {
  const Backward backward(*this, of, by);
  std::vector<int> result;
  for (const int e : by) result.push_back(backward.adjoint(e));
  return result;
}

}  // namespace gallop

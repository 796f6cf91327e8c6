// What is known of each kind of node.
#include <gallop/host/graphs/graph.h>

namespace gallop {
namespace {

struct KindRow {
  GraphKind kind;
  const char* name;
  bool stochastic;
  unsigned jumps;  // bit j: no derivative by operand j
};

constexpr unsigned kAll = ~0u;
constexpr KindRow kKinds[] = {{GraphKind::kConstant, "constant", false, 0},
                              {GraphKind::kParameter, "parameter", false, 0},
                              {GraphKind::kInput, "input", false, 0},
                              {GraphKind::kLater, "later", false, 0},
                              {GraphKind::kCost, "cost", false, 0},
                              {GraphKind::kNormal, "normal", true, 0},
                              {GraphKind::kUniform, "uniform", true, 0},
                              {GraphKind::kBernoulli, "bernoulli", true, 0},
                              {GraphKind::kCategorical, "categorical", true, 0},
                              {GraphKind::kAdd, "+", false, 0},
                              {GraphKind::kSubtract, "-", false, 0},
                              {GraphKind::kMultiply, "*", false, 0},
                              {GraphKind::kDivide, "/", false, 0},
                              {GraphKind::kNegate, "negative", false, 0},
                              {GraphKind::kExp, "exp", false, 0},
                              {GraphKind::kLog, "log", false, 0},
                              {GraphKind::kTanh, "tanh", false, 0},
                              {GraphKind::kSin, "sin", false, 0},
                              {GraphKind::kCos, "cos", false, 0},
                              {GraphKind::kSquare, "square", false, 0},
                              {GraphKind::kSqrt, "sqrt", false, 0},
                              {GraphKind::kAbs, "abs", false, 0},
                              {GraphKind::kSigmoid, "sigmoid", false, 0},
                              {GraphKind::kSoftplus, "softplus", false, 0},
                              {GraphKind::kMin, "min", false, 0},
                              {GraphKind::kMax, "max", false, 0},
                              {GraphKind::kLess, "less", false, kAll},
                              {GraphKind::kEqual, "equal", false, kAll},
                              {GraphKind::kFloor, "floor", false, kAll},
                              {GraphKind::kSelect, "select", false, 1},
                              {GraphKind::kHeld, "held", false, kAll},
                              {GraphKind::kSum, "sum", false, 0},
                              {GraphKind::kMatmul, "matmul", false, 0},
                              {GraphKind::kTranspose, "transpose", false, 0},
                              {GraphKind::kSoftmax, "softmax", false, 0},
                              {GraphKind::kLogSoftmax, "log_softmax", false, 0},
                              {GraphKind::kElement, "element", false, 0},
                              {GraphKind::kRow, "row", false, 0},
                              {GraphKind::kPick, "pick", false, 2},
                              {GraphKind::kOneHot, "one_hot", false, kAll},
                              {GraphKind::kStack, "stack", false, 0},
                              {GraphKind::kLogNormal, "log_normal", false, 0},
                              {GraphKind::kLogBernoulli, "log_bernoulli", false, 0},
                              {GraphKind::kLogCategorical, "log_categorical", false, 1}};

constexpr bool is_in_order() {
  int k = 0;
  for (const KindRow& row : kKinds) {
    if (int(row.kind) != k++) return false;
  }
  return k == int(GraphKind::kLogCategorical) + 1;
}
static_assert(is_in_order());

}  // namespace

bool is_stochastic(GraphKind kind) { return kKinds[int(kind)].stochastic; }
const char* kind_name(GraphKind kind) { return kKinds[int(kind)].name; }
bool has_derivative(GraphKind kind, int operand) {
  const unsigned bit = operand < 31 ? 1u << operand : 1u << 31;
  return (kKinds[int(kind)].jumps & bit) == 0;
}

}  // namespace gallop

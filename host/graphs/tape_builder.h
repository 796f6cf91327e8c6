// Builds a tape (kernels/graphs/tape.h) from expressions of single numbers: equal expressions are
// one, constants are folded, derivatives are expressions like the others, and what no output needs
// is left out.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include <gallop/kernels/graphs/tape.h>

namespace gallop {

// A tape in the host's memory.
struct TapeProgram {
  std::vector<TapeInstruction> instructions;
  std::vector<double> constants;
  std::vector<std::int32_t> outputs;
  int n_once = 0, n_cells = 1;

  Tape view() const {
    return {instructions.data(),
            constants.data(),
            outputs.data(),
            n_once,
            int(instructions.size()) - n_once,
            n_cells,
            int(outputs.size())};
  }
};

class TapeBuilder {
 public:
  // Each gives the number of an expression.
  int constant(double value);
  int read(TapeOp op, int number);                    // kParameter, kInput
  int draw(TapeOp op, int node, int component);       // kNormal, kUniform
  int apply(TapeOp op, int a, int b = 0, int c = 0);  // what reads others; unused ones are 0
  // The same number, through which no derivative goes.
  int held(int a);

  int add(int a, int b) { return apply(TapeOp::kAdd, a, b); }
  int subtract(int a, int b) { return apply(TapeOp::kSubtract, a, b); }
  int multiply(int a, int b) { return apply(TapeOp::kMultiply, a, b); }
  int divide(int a, int b) { return apply(TapeOp::kDivide, a, b); }
  int negate(int a) { return apply(TapeOp::kNegate, a); }

  // Derivatives of an expression by others, which read no expression: one pass backwards.
  std::vector<int> gradient(int of, const std::vector<int>& by);

  // A program with these outputs.
  TapeProgram program(const std::vector<int>& outputs) const;

 private:
  struct Expression {
    TapeOp op;
    int a, b, c;
    double value = 0;      // of kConstant
    bool is_held = false;  // stands for expression a
  };
  class Backward;

  bool is_constant(int e) const { return expressions_[std::size_t(e)].op == TapeOp::kConstant; }
  bool is_number(int e, double value) const;
  int simplified(TapeOp op, int a, int b, int c);  // -1 where it stays as it is
  int intern(const Expression& expression);

  std::vector<Expression> expressions_;
  std::map<std::tuple<TapeOp, int, int, int, std::uint64_t, bool>, int> known_;
};

// How many expressions an operation reads: the first of a, b and c.
int operand_count(TapeOp op);

}  // namespace gallop

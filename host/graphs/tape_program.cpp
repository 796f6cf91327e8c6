// From expressions to a program: which are needed, which are the same for all samples, and which
// cells hold them.
#include <algorithm>
#include <utility>

#include <gallop/host/graphs/tape_builder.h>

namespace gallop {
namespace {

// Cells for the instructions of each sample: one is free again after the last that reads it.
class Cells {
 public:
  explicit Cells(int first) : next_(first) {}
  int take() {
    if (free_.empty()) return next_++;
    const int cell = free_.back();
    free_.pop_back();
    return cell;
  }
  void give_back(int cell) { free_.push_back(cell); }
  int count() const { return next_; }

 private:
  int next_;
  std::vector<int> free_;
};

}  // namespace

TapeProgram TapeBuilder::program(const std::vector<int>& outputs) const {
  const std::size_t n = expressions_.size();
  const auto source = [&](int e) {
    while (expressions_[std::size_t(e)].is_held) e = expressions_[std::size_t(e)].a;
    return e;
  };
  struct Use {
    bool needed = false, once = false, is_output = false;
    int last = -1, cell = -1;
  };
  std::vector<Use> use(n);
  for (const int e : outputs) use[std::size_t(source(e))] = {true, false, true};
  const auto operands_of = [&](std::size_t e) {
    const Expression& x = expressions_[e];
    std::vector<int> operands;
    const int all[] = {x.a, x.b, x.c};
    for (int k = 0; k < operand_count(x.op); k++) operands.push_back(source(all[k]));
    return operands;
  };
  for (std::size_t e = n; e-- > 0;) {
    if (!use[e].needed) continue;
    for (const int operand : operands_of(e)) {
      Use& of = use[std::size_t(operand)];
      of.needed = true;
      of.last = std::max(of.last, int(e));
    }
  }
  TapeProgram program;
  for (std::size_t e = 0; e < n; e++) {
    if (!use[e].needed) continue;
    const TapeOp op = expressions_[e].op;
    const std::vector<int> operands = operands_of(e);
    const bool draws = op == TapeOp::kInput || op == TapeOp::kNormal || op == TapeOp::kUniform;
    use[e].once = !draws && std::all_of(operands.begin(), operands.end(), [&](int operand) {
      return use[std::size_t(operand)].once;
    });
    program.n_once += use[e].once;
  }
  Cells once_cells(0), cells(program.n_once);
  const auto write = [&](std::size_t e) {
    const Expression& x = expressions_[e];
    const std::vector<int> operands = operands_of(e);
    TapeInstruction i = {x.op, 0, x.a, x.b, x.c};
    if (x.op == TapeOp::kConstant) {
      i.a = int(program.constants.size());
      program.constants.push_back(x.value);
    }
    std::int32_t* const to[] = {&i.a, &i.b, &i.c};
    for (std::size_t k = 0; k < operands.size(); k++) {
      *to[k] = use[std::size_t(operands[k])].cell;
    }
    for (const int operand : operands) {
      Use& of = use[std::size_t(operand)];
      if (of.once || of.is_output || of.last != int(e)) continue;
      of.last = -1;  // an operand that is read twice is given back once
      cells.give_back(of.cell);
    }
    i.to = use[e].cell = use[e].once ? once_cells.take() : cells.take();
    program.instructions.push_back(i);
  };
  for (const bool once : {true, false}) {
    for (std::size_t e = 0; e < n; e++) {
      if (use[e].needed && use[e].once == once) write(e);
    }
  }
  for (const int e : outputs) program.outputs.push_back(use[std::size_t(source(e))].cell);
  program.n_cells = std::max(1, cells.count());
  return program;
}

}  // namespace gallop

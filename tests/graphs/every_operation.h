// A tape that holds every operation, and parameters and data for it.
#pragma once

#include <vector>

#include <gallop/host/graphs/tape_builder.h>

namespace gallop::testing {

// All expressions are outputs; `copies` repeats them with other draws.
inline TapeProgram every_operation(int copies = 1) {
  TapeBuilder b;
  std::vector<int> outputs;
  const auto keep = [&](int e) {
    outputs.push_back(e);
    return e;
  };
  for (int copy = 0; copy < copies; copy++) {
    const int p = keep(b.read(TapeOp::kParameter, 0)), q = b.read(TapeOp::kParameter, 1);
    const int x = keep(b.read(TapeOp::kInput, 0)), y = b.read(TapeOp::kInput, 1);
    const int z = keep(b.draw(TapeOp::kNormal, 7 + copy, 0));
    const int other = keep(b.draw(TapeOp::kNormal, 7 + copy, 1));
    const int u = keep(b.draw(TapeOp::kUniform, 9 + copy, 0));
    keep(b.apply(TapeOp::kFma, p, q, b.constant(0.25)));
    for (const TapeOp op : {TapeOp::kAdd, TapeOp::kSubtract, TapeOp::kMultiply, TapeOp::kDivide,
                            TapeOp::kMin, TapeOp::kMax, TapeOp::kLess, TapeOp::kEqual}) {
      keep(b.apply(op, z, x));
      keep(b.apply(op, y, y));
      keep(b.apply(op, p, other));
    }
    for (const TapeOp op :
         {TapeOp::kNegate, TapeOp::kExp, TapeOp::kTanh, TapeOp::kSin, TapeOp::kCos, TapeOp::kAbs,
          TapeOp::kSigmoid, TapeOp::kSoftplus, TapeOp::kFloor}) {
      keep(b.apply(op, z));
      keep(b.apply(op, x));
      keep(b.apply(op, q));
    }
    const int positive = b.add(b.apply(TapeOp::kAbs, z), b.constant(0.5));
    keep(b.apply(TapeOp::kLog, positive));
    keep(b.apply(TapeOp::kSqrt, positive));
    keep(b.apply(TapeOp::kFma, z, x, u));
    keep(b.apply(TapeOp::kSelect, b.apply(TapeOp::kLess, u, b.constant(0.5)), z, x));
  }
  return b.program(outputs);
}
inline const std::vector<float> kTapeParameters = {0.7f, -1.3f};
constexpr int kTapeInputs = 2;

}  // namespace gallop::testing

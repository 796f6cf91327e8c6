#pragma once

#include <string>

namespace gallop {

// c = a b, or c = c + a b. As BLAS has it, element (i, j) of a matrix stands at [i + j * stride]:
// an array of rows, [row, column], is the transpose of its matrix.
struct MatrixProduct {
  int rows, columns, inner;  // c [rows, columns], a [rows, inner], b [inner, columns]
  const float* a;
  int a_stride;
  bool a_transposed;  // a stands there as [inner, rows]
  const float* b;
  int b_stride;
  bool b_transposed;  // b stands there as [columns, inner]
  float* c;
  int c_stride;
  bool adds;  // to what c holds
};

// Products of matrices in the memory of a device: the library of `fast` mode.
class MatrixProducts {
 public:
  virtual ~MatrixProducts() = default;
  virtual std::string name() const = 0;  // with its version
  // Puts the product on the device's stream and returns; may be captured. The same bits every time
  // on one model of device with one version of the library. Throws an Error (cuda) where the
  // library refuses.
  virtual void multiply(const MatrixProduct&) = 0;
};

}  // namespace gallop

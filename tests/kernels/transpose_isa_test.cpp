// kernels/numerics/transpose.h for every remainder of rows and columns.
#include <gallop/kernels/numerics/transpose.h>

#include "tests/kernels/isa_numbers.h"

namespace gallop::testing {
namespace {

TEST(Transpose, EveryElementGoesToItsPlaceAndNothingElseIsWritten) {
  for (int rows = 0; rows <= 18; rows++) {
    for (int columns = 0; columns <= 18; columns++) {
      const int stride = columns + 3, to_stride = rows + 2;
      std::vector<float> from(rows * stride + 1), to(columns * to_stride + 1, -1.0f);
      for (std::size_t k = 0; k < from.size(); k++) from[k] = float(k);
      transpose(from.data(), stride, rows, columns, to.data(), to_stride);
      for (int c = 0; c < columns; c++) {
        for (int r = 0; r < to_stride; r++) {
          const float expected = r < rows ? from[r * stride + c] : -1.0f;
          ASSERT_EQ(to[c * to_stride + r], expected) << rows << " x " << columns;
        }
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing

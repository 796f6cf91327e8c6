// kernels/rollout/layout.h against plain loops: every kind of number, rows and columns of any
// stride, counts that leave a remainder.
#include <gallop/kernels/rollout/layout.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

template <class T>
NumberKind kind_of() {
  if constexpr (sizeof(T) == 8) return NumberKind::kInt64;
  return T(0.5f) != T(0) ? NumberKind::kFloat : NumberKind::kInt32;
}

// Numbers of a layout, -1 where nothing belongs.
template <class T>
struct Numbers {
  std::vector<T> values;
  ArrayView view;

  Numbers(int components, long n, bool rows, long gap) {
    const long component = rows ? 1 : n + gap, instance = rows ? components + gap : 1;
    values.assign(std::size_t(components * component + n * instance), T(-1));
    view = {values.data(), kind_of<T>(), component, instance};
  }
  T& at(int k, long i) {
    return values[std::size_t(k * view.component_stride + i * view.instance_stride)];
  }
};

template <class To, class From>
void expect_rearranged(int components, long n, bool from_rows, bool to_rows, long gap) {
  Numbers<From> from(components, n, from_rows, gap);
  Numbers<To> expected(components, n, to_rows, gap);
  for (int k = 0; k < components; k++) {
    for (long i = 0; i < n; i++) {
      from.at(k, i) = From(100 * k + i % 97);
      expected.at(k, i) = To(100 * k + i % 97);
    }
  }
  for (const KernelSet& set : kernel_sets()) {
    Numbers<To> to(components, n, to_rows, gap);
    const TestWork work(64);
    set.kernels->rearrange({components, n, from.view, to.view}, work);
    ASSERT_EQ(to.values, expected.values) << set.isa << ": " << components << " of " << n
                                          << ", rows " << from_rows << to_rows << ", " << gap;
  }
}

template <class To, class From>
void expect_all_rearranged() {
  for (const int components : {1, 2, 3, 4, 5, 8, 11, 17}) {
    for (const long n : {1L, 7L, 16L, 63L, 200L}) {
      for (int layout = 0; layout < 8; layout++) {
        expect_rearranged<To, From>(components, n, (layout & 1) != 0, (layout & 2) != 0,
                                    (layout & 4) != 0 ? 3 : 0);
      }
    }
  }
}

TEST(Layout, FloatsGoToTheirPlacesAndNothingElseIsWritten) {
  expect_all_rearranged<float, float>();
}
TEST(Layout, WholeNumbersBecomeFloats) {
  expect_all_rearranged<float, std::int64_t>();
  expect_all_rearranged<float, std::int32_t>();
}
TEST(Layout, FloatsBecomeWholeNumbers) {
  expect_all_rearranged<std::int64_t, float>();
  expect_all_rearranged<std::int32_t, float>();
}

}  // namespace
}  // namespace gallop::testing

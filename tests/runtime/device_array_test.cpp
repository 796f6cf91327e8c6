// Memory of a backend: sizes that no number holds, copies beyond an array, arrays that outlive
// their backend.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include <gallop/host/runtime/backend.h>
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

using test::expect_error_with;

TEST(DeviceArray, SizesThatNoNumberHoldsAreRefused) {
  const auto backend = make_cpu_backend(1);
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  // The last one's bytes wrap to 4.
  for (const std::size_t size : {kAll, kAll / 2, kAll / 4, kAll / 4 + 2}) {
    expect_error_with(
        ExitCode::value, [&] { DeviceArray<float>(*backend, size); }, std::to_string(size));
  }
  expect_error_with(
      ExitCode::value, [&] { DeviceArray<float>(*backend, std::size_t(1) << 50); }, "out of memory",
      "4503599627370496 bytes");
  EXPECT_EQ(backend->arrays(), 0);
}

TEST(DeviceArray, CopiesStayWithinIt) {
  const auto backend = make_cpu_backend(1);
  DeviceArray<float> array(*backend, 8);
  const std::vector<float> nine(9, 1.0f), eight(8, 2.0f);
  std::vector<float> to(9);
  const auto refused = [&](const auto& copy) {
    expect_error_with(ExitCode::internal, copy, "array of 8");
  };
  refused([&] { array.upload(nine); });
  refused([&] { array.upload(eight.data(), 8, 1); });
  refused([&] { array.upload(eight.data(), 1, 8); });
  refused([&] { array.download(to.data(), 9); });
  refused([&] { array.download(to.data(), std::numeric_limits<std::size_t>::max(), 2); });
  array.upload(eight);
  EXPECT_EQ(array.download(), eight);
  EXPECT_NO_THROW(array.upload(nine.data(), 0, 8));
}

TEST(DeviceArray, TheBackendKnowsWhatThereIs) {
  const auto backend = make_cpu_backend(1);
  {
    DeviceArray<float> a(*backend, 4), none(*backend, 0), unmade;
    EXPECT_EQ(backend->arrays(), 1);
    DeviceArray<float> moved = std::move(a);
    EXPECT_EQ(backend->arrays(), 1);
    moved = DeviceArray<float>(*backend, 7);
    unmade = DeviceArray<float>::zeroed(*backend, 3);
    EXPECT_EQ(backend->arrays(), 2);
  }
  EXPECT_EQ(backend->arrays(), 0);
}

#ifndef NDEBUG
TEST(DeviceArrayDeathTest, ABackendThatEndsFirstIsFound) {
  EXPECT_DEATH(
      {
        auto backend = make_cpu_backend(1);
        DeviceArray<float> array(*backend, 4);
        backend.reset();
      },
      "a backend ends before what was made with it");
}
#endif

}  // namespace
}  // namespace gallop::testing

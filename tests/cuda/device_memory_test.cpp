// Fresh memory of the subject, which holds what GALLOP_DEVICE_MEMORY says.
#include <gallop/host/runtime/device_memory.h>

#include <cmath>

#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

// Under compute-sanitizer's initcheck, with raw memory, this is an error that has to be found.
TEST(DeviceMemory, AReadOfWhatNobodyWroteShows) {
  const auto subject = make_subject();
  const DeviceArray<float> fresh(*subject, 100);
  const auto read = poisoned<float>(*subject, 100);
  subject->copy({read.data(), fresh.data(), 100});
  const std::vector<float> values = read.download();
  EXPECT_FALSE(untouched(values)) << "nothing was read";
  const DeviceMemory memory = device_memory();
  for (const float value : values) {
    EXPECT_TRUE(memory != DeviceMemory::kZero || value == 0.0f) << value;
    EXPECT_TRUE(memory != DeviceMemory::kPoison || std::isnan(value)) << value;
  }
}

TEST(DeviceMemory, ZerosThatAreAskedFor) {
  const auto subject = make_subject();
  const auto zeros = DeviceArray<double>::zeroed(*subject, 33);
  EXPECT_TRUE(same_bits(zeros.download(), std::vector<double>(33, 0.0)));
  EXPECT_EQ(DeviceArray<float>::zeroed(*subject, 0).data(), nullptr);
}

}  // namespace
}  // namespace gallop::testing

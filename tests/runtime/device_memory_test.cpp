#include <gallop/host/runtime/device_memory.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "tests/host/expect_error.h"

namespace gallop {
namespace {

// The variable as a test wants it, and as it was afterwards.
class Variable {
 public:
  Variable() {
    if (const char* value = std::getenv(kName)) before_ = value;
  }
  ~Variable() { before_ ? set(before_->c_str()) : clear(); }
  void set(const char* value) { ::setenv(kName, value, 1); }
  void clear() { ::unsetenv(kName); }

 private:
  static constexpr const char* kName = "GALLOP_DEVICE_MEMORY";
  std::optional<std::string> before_;
};

TEST(DeviceMemory, IsZeroUnlessAskedFor) {
  Variable variable;
  variable.clear();
  EXPECT_EQ(device_memory(), DeviceMemory::kZero);
  variable.set("");
  EXPECT_EQ(device_memory(), DeviceMemory::kZero);
  variable.set("zero");
  EXPECT_EQ(device_memory(), DeviceMemory::kZero);
  variable.set("raw");
  EXPECT_EQ(device_memory(), DeviceMemory::kRaw);
  variable.set("poison");
  EXPECT_EQ(device_memory(), DeviceMemory::kPoison);
}

TEST(DeviceMemory, RefusesAnotherName) {
  Variable variable;
  variable.set("poisson");
  test::expect_error_with(
      ExitCode::value, [] { device_memory(); }, "GALLOP_DEVICE_MEMORY is 'poisson'",
      "zero, raw or poison");
}

}  // namespace
}  // namespace gallop

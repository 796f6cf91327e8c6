#pragma once

namespace gallop {

// What a launch returned: a cudaError_t, 0 on success, and the kernel it belongs to.
struct [[nodiscard]] LaunchStatus {
  int code = 0;
  const char* kernel = "";

  bool ok() const { return code == 0; }
};

// cudaErrorInvalidValue: the code of a request that a launcher refuses.
constexpr int kLaunchRefused = 1;

}  // namespace gallop

#pragma once

#include <string>
#include <vector>

namespace gallop {

// The compute capabilities that the CUDA kernels of a build were compiled for, as 900 for 9.0.
// Their machine code runs on devices of the same major number and no lower minor one; other devices
// of a higher capability run what their driver compiles of it.
class Architectures {
 public:
  explicit Architectures(std::vector<int> built) : built_(std::move(built)) {}

  bool are_compiled_for(int major, int minor) const;
  // At once, or once the driver has compiled them.
  bool run_on(int major, int minor) const;

  // Why they do not run on such a device, and what to do; that a driver compiles them first.
  std::string refusal(int major, int minor) const;
  std::string delay(int major, int minor) const;

 private:
  std::string list() const;

  std::vector<int> built_;
};

}  // namespace gallop

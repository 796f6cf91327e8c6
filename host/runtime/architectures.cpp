#include <gallop/host/runtime/architectures.h>

#include <fmt/format.h>

#include <algorithm>

namespace gallop {

bool Architectures::are_compiled_for(int major, int minor) const {
  return std::any_of(built_.begin(), built_.end(),
                     [=](int built) { return built / 100 == major && built / 10 % 10 <= minor; });
}

bool Architectures::run_on(int major, int minor) const {
  const int device = major * 100 + minor * 10;
  return std::any_of(built_.begin(), built_.end(), [=](int built) { return built <= device; });
}

std::string Architectures::list() const {
  std::string text;
  for (const int built : built_) {
    text += fmt::format("{}{}.{}", text.empty() ? "" : ", ", built / 100, built / 10 % 10);
  }
  return text;
}

std::string Architectures::refusal(int major, int minor) const {
  return fmt::format(
      "the kernels of this build are for compute capability {} and the device has {}.{}; build "
      "with "
      "GALLOP_CUDA=1 ./gallop on its machine, or configure with -DCMAKE_CUDA_ARCHITECTURES={}{}",
      list(), major, minor, major, minor);
}

std::string Architectures::delay(int major, int minor) const {
  return fmt::format(
      "the kernels of this build are for compute capability {} and the device has {}.{}: its "
      "driver "
      "compiles them at the first start, which takes a minute or more, and keeps them; a build "
      "with "
      "-DCMAKE_CUDA_ARCHITECTURES={}{} does without",
      list(), major, minor, major, minor);
}

}  // namespace gallop

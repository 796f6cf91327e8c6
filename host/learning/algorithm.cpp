#include <gallop/host/learning/algorithm.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>

namespace gallop {

void Algorithm::load(const TensorFile& file) {
  TensorFile before;
  save(before);
  try {
    load_state(file);
  } catch (...) {
    try {
      load_state(before);
    } catch (...) {
      // A device that fails keeps nothing; the exception that is on its way says more.
    }
    throw;
  }
}

void require_finite(double value, const std::string& what) {
  if (std::isfinite(value)) return;
  throw Error(ExitCode::non_finite,
              fmt::format("{} is {}; the step is refused and the parameters keep their last values",
                          what, value));
}

}  // namespace gallop

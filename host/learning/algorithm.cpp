#include <gallop/host/learning/algorithm.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
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

std::vector<float> first_values(const AlgorithmContext& context, const char* tensor,
                                std::vector<float> own, bool may_differ) {
  if (context.initial == nullptr || !context.initial->has(tensor)) return own;
  const TensorShape& shape = context.initial->tensor(tensor).shape;
  if (shape == TensorShape{own.size()}) return finite_floats(*context.initial, tensor, own.size());
  if (may_differ) return own;
  throw value_error(
      fmt::format("tensor '{}' that the run is to begin with has the shape {}; expected [{}]: the "
                  "same algorithm's kind of policy, layers and environment's spaces",
                  tensor, shape_text(shape), own.size()));
}

void require_finite(double value, const std::string& what) {
  if (std::isfinite(value)) return;
  throw Error(ExitCode::non_finite,
              fmt::format("{} is {}; the step is refused and the parameters keep their last values",
                          what, value));
}

}  // namespace gallop

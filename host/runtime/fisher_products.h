#pragma once

#include <optional>

#include <gallop/host/runtime/backend.h>

namespace gallop {

// How a device computes products with the Fisher matrix; the CPU has one way.
enum class FisherPath : int {
  kFused,     // one kernel for each chunk: the bits of every backend
  kMatrices,  // products of matrices over all samples by the device's library: other bits
  kFaster     // the one of the two that takes less time
};

// Which Fisher matrix: the expectation over the actions that a policy might take
// (kernels/gradients/fisher.h), or the mean over those that it took (empirical_fisher.h), whose
// products have one way.
enum class FisherMatrix : int { kAnalytic, kEmpirical };

// What kFaster took, and the seconds of a product either way; both 0 where the device has no
// library to compare with.
struct FisherChoice {
  FisherPath path;
  double fused_seconds, matrix_seconds;
};

// Products with the Fisher matrix of a policy (kernels/gradients/fisher.h) at a number of samples,
// the way that was asked for. kFaster times both when a product is first wanted, and stays with the
// faster one; what was found is told through the backend's note.
class FisherProducts {
 public:
  // The backend outlives it. Throws an Error (cuda) where kMatrices is asked for of a device that
  // has no library, a value error where it is asked for of the empirical matrix; of that one
  // kFaster is kFused.
  FisherProducts(Backend& backend, const PolicyShape& shape, long count, FisherPath path,
                 FisherMatrix matrix = FisherMatrix::kAnalytic);

  // kFaster while it is open, and where there is one way.
  FisherPath path() const { return path_; }
  void set_path(FisherPath path);
  const std::optional<FisherChoice>& choice() const { return choice_; }

  // Inputs, hidden units and outputs of the policy at all samples, from policy and samples of the
  // request: what products read.
  void prepare(FisherRequest request);
  const float* units() const { return units_.data(); }
  long unit_stride() const { return unit_floats(shape_); }
  // product = F vector at the policy whose units were prepared.
  void product(FisherRequest request);
  // Decides over kFaster by the units that are prepared; not among recorded operations.
  void settle(FisherRequest request);

 private:
  bool is_open() const { return has_ways_ && path_ == FisherPath::kFaster; }
  bool takes_matrices() const { return has_ways_ && path_ != FisherPath::kFused; }
  void complete(FisherRequest& request) const;

  Backend& backend_;
  PolicyShape shape_;
  long count_;
  FisherPath path_;
  FisherMatrix matrix_;
  bool has_ways_;  // more than one
  std::string library_, why_not_;
  std::optional<FisherChoice> choice_;
  DeviceArray<float> units_, matrix_work_;
};

}  // namespace gallop

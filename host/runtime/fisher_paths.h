#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "host/runtime/matrix_fisher.h"

namespace gallop {

// Which way products with the Fisher matrix go (FisherPath). The library is opened, and the two
// ways are timed, where a request first asks for that; an answer stands for the rest of this
// object's life. What was found is told through `note`.
class FisherPaths {
 public:
  // The device outlives it; `note` may be empty.
  FisherPaths(KernelDevice& device, std::function<void(const std::string&)> note);

  // kFaster stands for a shape that is still to be timed. Throws an Error (cuda) where kMatrices is
  // asked for and there is no library.
  FisherPath path_of(const FisherRequest&);
  // Where path_of is not kFused.
  MatrixFisher& matrices() { return *matrices_; }
  // Times both ways of a product for the request's shape, and takes the faster one. Waits; not
  // within a capture.
  FisherPath compare(const FisherRequest&, const std::function<void()>& fused,
                     const std::function<void()>& by_matrices);
  // What was taken for the request's shape and number of samples.
  std::optional<FisherChoice> choice(const FisherRequest&) const;

 private:
  bool has_library();
  void tell(const std::string& text) const;

  KernelDevice& device_;
  std::function<void(const std::string&)> note_;
  bool was_opened_ = false;
  std::string why_not_;
  std::unique_ptr<MatrixProducts> library_;
  std::unique_ptr<MatrixFisher> matrices_;
  std::map<std::string, FisherChoice> choices_;
};

}  // namespace gallop

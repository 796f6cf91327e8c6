// The two sides of a row of the gae suite: advantages and returns of one recorded batch, by one of
// our kernels and by a plain loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gallop/host/runtime/backend.h>
#include "bench/plain/gae_baseline.h"

namespace gallop {

struct GaeShape {
  int n_envs, n_steps;
  double elements() const { return double(n_envs) * n_steps; }
  std::string text() const;  // instances x steps
};

// Rewards, values and flags [T, N] on the host; an episode ends at two steps in a hundred.
struct GaeBatch {
  explicit GaeBatch(GaeShape shape);
  GaeRequest request() const;  // on the host, without outputs

  GaeShape shape;
  std::vector<float> reward, value, final_value;  // [T, N], [T + 1, N], [T, N]
  std::vector<std::uint8_t> terminated, truncated;
};

constexpr GaeKernel kGaeKernels[] = {GaeKernel::kSequential, GaeKernel::kScan, GaeKernel::kReturns,
                                     GaeKernel::kNStep};
const char* name_of(GaeKernel kernel);

// Memory that one element costs: reward, value and both flags are read, advantage and return
// written, each array once; of returns, neither values nor advantages.
double gae_bytes_per_element(GaeShape shape, GaeKernel kernel);

class OurGae {
 public:
  OurGae(Backend& backend, const GaeBatch& batch, GaeKernel kernel);
  // As many passes over the batch as hide the wait for a device: one launch of a recorded sequence
  // there, one pass on a CPU.
  void run();
  double work() const { return passes_ * shape_.elements(); }
  // Of returns both are the returns.
  std::vector<float> advantage() const { return advantage_.download(); }
  std::vector<float> target() const {
    return kernel_ == GaeKernel::kReturns ? advantage() : target_.download();
  }
  // On a CPU: what the same arrays take when nothing is computed; what is written is copied from
  // what is read, and flags are read.
  void copy();

 private:
  void call();

  Backend& backend_;
  GaeShape shape_;
  GaeKernel kernel_;
  int passes_;
  DeviceArray<float> reward_, value_, final_value_, advantage_, target_;
  DeviceArray<std::uint8_t> terminated_, truncated_;
  GaeRequest request_ = {};
  std::unique_ptr<Recording> recording_;
};

// The copy as a side to measure.
struct GaeCopy {
  OurGae& of;
  void run() { of.copy(); }
  double work() const { return of.work(); }
};

// On one thread.
class PlainGae {
 public:
  PlainGae(const GaeBatch& batch, GaeKernel kernel);
  void run() { baseline_(request_, kernel_, following_.data()); }
  double work() const { return double(advantage_.size()); }
  const std::vector<float>& advantage() const { return advantage_; }
  const std::vector<float>& target() const {
    return kernel_ == GaeKernel::kReturns ? advantage_ : target_;
  }

 private:
  GaeBaseline& baseline_;
  GaeKernel kernel_;
  std::vector<float> following_, advantage_, target_;
  GaeRequest request_;
};

}  // namespace gallop

// The two sides of a row of the fisher suite: our product and Eigen's, of the same policy, samples
// and vector.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/plain/fisher_baseline.h"
#include "bench/rollout_sides.h"

namespace gallop {

class OurFisher {
 public:
  // Records a rollout of at least `samples` transitions and computes the units of the policy there.
  OurFisher(Backend& backend, const EnvironmentEntry& entry, const std::string& policy,
            long samples);
  void run();                                     // one product
  double work() const { return double(count_); }  // samples of one run
  const BenchPolicy& policy() const { return policy_; }
  const std::vector<float>& vector() const { return host_vector_; }
  std::vector<float> product() const { return product_.download(); }
  std::vector<float> observations() const;  // [samples, O]
  long bytes_of_units() const { return long(units_.size() * sizeof(float)); }

 private:
  FisherRequest request() const;

  Backend& backend_;
  Environments environments_;
  BenchPolicy policy_;
  long count_;
  BenchTrajectory trajectory_;
  std::vector<float> host_vector_;
  DeviceArray<float> parameters_, vector_, product_, units_;
};

// On one thread.
class EigenFisher {
 public:
  explicit EigenFisher(const OurFisher& ours);
  void run() { baseline_.product(fisher_.get(), vector_.data(), product_.data()); }
  double work() const { return count_; }
  const std::vector<float>& product() const { return product_; }

 private:
  const FisherBaseline& baseline_;
  double count_;
  std::vector<float> vector_, product_;
  std::unique_ptr<void, void (*)(void*)> fisher_;
};

// Floating-point operations of the matrix products of one sample, as this policy's are computed.
double fisher_flops(const PolicyShape& shape);

// Greatest difference over the greatest magnitude of either.
double greatest_difference(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace gallop

#pragma once

#include <gallop/host/learning/on_policy.h>

namespace gallop {

// Passes over a learner's samples in minibatches of a random order. A device records the steps of a
// pass and repeats them, so that the host waits for none of them.
class Minibatches {
 public:
  // Minibatches of at most `size` samples; orders are drawn from counter `first_order` on.
  Minibatches(const AlgorithmContext& context, OnPolicyLearner& learner, long size,
              std::uint64_t first_order = 0);

  long count() const;                               // of a pass
  long size_of(long k) const;                       // samples of the k-th of a pass
  std::uint64_t passes() const { return passes_; }  // so far; part of a checkpoint
  // Reads that number; there are at most `per_iteration` passes in an iteration of the learner,
  // whose counters have been loaded.
  void load_passes(const TensorFile& file, const std::string& name, std::int64_t per_iteration);

  // Calls step(samples, k) for the k-th minibatch of a new order, once or twice (Backend::run):
  // operations of the backend and nothing else of it.
  void pass(const std::function<void(const Samples&, long)>& step);

 private:
  Backend& backend_;
  OnPolicyLearner& learner_;
  std::uint64_t seed_, first_order_;
  long size_;
  DeviceArray<std::uint32_t> order_;
  std::unique_ptr<Recording> recording_;
  std::uint64_t passes_ = 0;
};

}  // namespace gallop

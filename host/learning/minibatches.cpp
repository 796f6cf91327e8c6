#include <gallop/host/learning/minibatches.h>

#include <fmt/format.h>

#include <algorithm>

#include <gallop/host/files/checked_tensor.h>

namespace gallop {
namespace {

// A recording holds some ten kernels a minibatch: passes of more are not worth their memory.
constexpr long kMostRecorded = 4096;

}  // namespace

Minibatches::Minibatches(const AlgorithmContext& context, OnPolicyLearner& learner, long size,
                         std::uint64_t first_order)
    : backend_(context.backend),
      learner_(learner),
      seed_(context.seed),
      first_order_(first_order),
      size_(std::min(size, learner.n_samples())),
      order_(context.backend, std::size_t(learner.n_samples())) {}

long Minibatches::count() const { return (learner_.n_samples() + size_ - 1) / size_; }

long Minibatches::size_of(long k) const {
  return std::min(size_, learner_.n_samples() - k * size_);
}

void Minibatches::load_passes(const TensorFile& file, const std::string& name,
                              std::int64_t per_iteration) {
  passes_ = checked_count(file, name, learner_.iterations() * std::uint64_t(per_iteration),
                          fmt::format("passes in {} iterations", learner_.iterations()));
}

void Minibatches::pass(const std::function<void(const Samples&, long)>& step) {
  backend_.shuffle({seed_, first_order_ + passes_++, learner_.n_samples(), order_.data()});
  const auto all = [&] {
    for (long k = 0; k < count(); k++) {
      step(learner_.samples(order_.data() + k * size_, size_of(k)), k);
    }
  };
  if (count() <= kMostRecorded) {
    backend_.run(all, recording_);
  } else {
    all();
  }
}

}  // namespace gallop

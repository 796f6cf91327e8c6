#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gallop/host/options/option.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/backend.h>

namespace gallop {

class Environments;
class TensorFile;

// What a run gives to the algorithm that it trains with. References outlive the algorithm.
struct AlgorithmContext {
  Backend& backend;
  const EnvironmentEntry& environment;
  const Options& options;  // rows of the algorithm's table; "steps" and "mode" of the run's
  std::uint64_t seed;
  std::function<void(Environments&)> configure;  // sets the environment's parameters
  // What is loaded next, or null. The learner compares its sizes before it takes memory, and throws
  // a checkpoint error that names the tensor.
  const TensorFile* checkpoint = nullptr;
  // The learner is only asked for its policy: it takes no memory for learning.
  bool plays_only = false;
  // What the learner begins with in place of values of its own, or null: "policy/parameters",
  // "normalizer/..." and perhaps "value/parameters", as a checkpoint has them.
  const TensorFile* initial = nullptr;
};

// The parameters that a network begins with: those of context.initial where it has the tensor, else
// `own`. Where the sizes differ: throws a value error that names the tensor and both shapes; `own`
// where the network `may_differ`.
std::vector<float> first_values(const AlgorithmContext& context, const char* tensor,
                                std::vector<float> own, bool may_differ = false);

// Numbers of one iteration, in the order of reporting.
using Metrics = std::vector<std::pair<std::string, double>>;

// A learner. Everything it computes is a pure function of its context, so that a run that is saved
// and loaded between two iterations ends with the bits of an uninterrupted one.
class Algorithm {
 public:
  virtual ~Algorithm() = default;

  // Collects, estimates, updates. Throws an Error (non_finite) that names the first offender where
  // a number is not finite; parameters then hold what they held before.
  virtual Metrics iterate() = 0;

  virtual std::uint64_t steps() const = 0;                // environment steps so far
  virtual std::uint64_t steps_per_iteration() const = 0;  // at least
  virtual PolicyView policy() const = 0;                  // in the backend's memory
  // Instances that were reset since they met a number that is not finite (option `nonfinite`).
  virtual std::uint64_t nonfinite_instances() const { return 0; }

  // Complete state. Learnt parameters and optimiser state stand under "policy/" and "value/".
  virtual void save(TensorFile& file) const = 0;
  // Throws a checkpoint error that names the tensor where one is missing, of another size, or holds
  // numbers that no learner of these options can have; the learner then is what it was.
  void load(const TensorFile& file);

 protected:
  // What load() does; an exception may leave it half done.
  virtual void load_state(const TensorFile& file) = 0;
};

// Throws an Error (non_finite) that names `what` unless the number is finite.
void require_finite(double value, const std::string& what);

}  // namespace gallop

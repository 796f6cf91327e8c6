// Episodes of the members of a population, and what a method learns from them.
#pragma once

#include <cstdint>
#include <vector>

#include <gallop/host/learning/black_box.h>
#include <gallop/host/learning/observation_normalizer.h>
#include <gallop/host/runtime/environments.h>

namespace gallop {

struct MemberReturns {
  std::vector<double> fitness;  // [P] means over the episodes of a member, reward shift included
  std::uint64_t steps = 0;      // of all episodes
  long episodes = 0;            // that were finite
  long nonfinite = 0;           // that met a number which is not finite, and count for nothing
  double mean_return = 0, mean_length = 0;  // over the episodes, without the shift
};

// Plays the episodes of populations in an environment of its own.
class MemberEvaluation {
 public:
  // By the options episodes, common, reward_shift, sample_actions and nonfinite.
  MemberEvaluation(const AlgorithmContext& context, const PolicyShape& shape);

  Environments& environments() { return environments_; }
  const Environments& environments() const { return environments_; }
  int episodes() const { return episodes_; }  // of a member

  // Throws an Error (non_finite) that names the first episode which met a number that is not
  // finite, unless the option nonfinite is reset: then a member whose episodes all did has the
  // least fitness of the others.
  MemberReturns evaluate(const Candidates& candidates, std::uint64_t generation,
                         const Normalization& normalization);
  // Takes the observations of the first `fraction` of the members of the last evaluation into the
  // statistics.
  void update(ObservationNormalizer& normalizer, double fraction) const;

 private:
  void require_room(int members);
  void refuse_nonfinite(std::size_t episode, std::uint64_t generation) const;
  MemberReturns summary(int members, std::uint64_t generation) const;

  Backend& backend_;
  PolicyShape shape_;
  Environments environments_;
  int episodes_;
  double reward_shift_;
  CommonNumbers common_;
  bool samples_actions_, resets_nonfinite_;
  int members_ = 0;
  bool has_sums_ = false;
  Normalization normalization_ = {};  // of the last evaluation
  std::vector<float> returns_;        // [P, E]
  std::vector<std::int32_t> lengths_;
  DeviceArray<float> points_, device_returns_, sums_;
  DeviceArray<std::int32_t> device_lengths_;
};

}  // namespace gallop

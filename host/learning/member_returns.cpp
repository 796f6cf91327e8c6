#include <gallop/host/learning/member_returns.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/learning/sample_mean.h>

namespace gallop {
namespace {

CommonNumbers common_called(const std::string& text) {
  return text == "policy"     ? CommonNumbers::kPolicy
         : text == "dynamics" ? CommonNumbers::kDynamics
         : text == "both"     ? CommonNumbers::kBoth
                              : CommonNumbers::kNone;
}

Environments make_environments(const AlgorithmContext& context) {
  EnvironmentOptions options;
  options.seed = context.seed;
  Environments environments(context.backend, context.environment, options);
  context.configure(environments);
  return environments;
}

}  // namespace

MemberEvaluation::MemberEvaluation(const AlgorithmContext& context, const PolicyShape& shape)
    : backend_(context.backend),
      shape_(shape),
      environments_(make_environments(context)),
      episodes_(int(context.options.integer("episodes"))),
      reward_shift_(context.options.real("reward_shift")),
      common_(common_called(context.options.text("common"))),
      samples_actions_(context.options.flag("sample_actions")),
      resets_nonfinite_(context.options.has("nonfinite") &&
                        context.options.text("nonfinite") == "reset") {}

void MemberEvaluation::require_room(int members) {
  const std::size_t n = std::size_t(members) * std::size_t(episodes_);
  if (n == device_returns_.size()) return;
  device_returns_ = DeviceArray<float>(backend_, n);
  device_lengths_ = DeviceArray<std::int32_t>(backend_, n);
  sums_ = DeviceArray<float>(backend_, 0);
}

MemberReturns MemberEvaluation::evaluate(const Candidates& candidates, std::uint64_t generation,
                                         const Normalization& normalization) {
  require_room(candidates.n);
  members_ = candidates.n;
  normalization_ = normalization;
  has_sums_ = normalization.mean != nullptr;
  if (has_sums_ && sums_.size() == 0) {
    sums_ = DeviceArray<float>(
        backend_, 2 * std::size_t(environments_.observation_rows()) * device_returns_.size());
  }
  PopulationRequest r = {};
  r.population = candidates.population;
  if (!candidates.is_perturbed()) {
    if (points_.size() != candidates.points.size()) {
      points_ = DeviceArray<float>(backend_, candidates.points.size());
    }
    points_.upload(std::vector<float>(candidates.points.begin(), candidates.points.end()));
    r.population.members = points_.data();
    r.population.n_members = candidates.n;
    r.population.n_parameters = candidates.dimension;
    r.population.generation = std::uint32_t(generation);
  }
  const bool is_fixed = candidates.scenarios == Scenarios::kFixed;
  if (is_fixed) r.population.generation = 0;
  r.population.shape = shape_;
  r.population.normalization = normalization;
  r.episodes = episodes_;
  r.common = candidates.scenarios == Scenarios::kOwn ? common_ : CommonNumbers::kBoth;
  r.deterministic = samples_actions_ ? 0 : 1;
  r.reward_shift = float(reward_shift_);
  r.episode_return = device_returns_.data();
  r.episode_length = device_lengths_.data();
  r.observation_sum = has_sums_ ? sums_.data() : nullptr;
  environments_.evaluate_population(r);
  returns_ = device_returns_.download();
  lengths_ = device_lengths_.download();
  return summary(candidates.n, generation);
}

void MemberEvaluation::refuse_nonfinite(std::size_t episode, std::uint64_t generation) const {
  const std::size_t member = episode / std::size_t(episodes_);
  throw Error(
      ExitCode::non_finite,
      fmt::format("an instance of {} gave a number that is not finite at step {} of episode {} of "
                  "member {} in generation {}; the generation is refused and the parameters keep "
                  "their last values. --set nonfinite=reset leaves such episodes out",
                  environments_.spec().name, lengths_[episode], episode % std::size_t(episodes_),
                  member, generation));
}

MemberReturns MemberEvaluation::summary(int members, std::uint64_t generation) const {
  MemberReturns result;
  result.fitness.assign(std::size_t(members), std::nan(""));
  std::vector<double> returns, lengths;
  double least = INFINITY;
  for (std::size_t m = 0; m < std::size_t(members); m++) {
    double sum = 0;
    int count = 0;
    for (int e = 0; e < episodes_; e++) {
      const std::size_t at = m * std::size_t(episodes_) + std::size_t(e);
      result.steps += std::uint64_t(std::max(1, lengths_[at]));
      if (!std::isfinite(returns_[at])) {
        if (!resets_nonfinite_) refuse_nonfinite(at, generation);
        result.nonfinite++;
        continue;
      }
      sum += double(returns_[at]);
      count++;
      lengths.push_back(lengths_[at]);
      returns.push_back(double(returns_[at]) - reward_shift_ * lengths.back());
    }
    if (count == 0) continue;
    result.fitness[m] = sum / count;
    least = std::min(least, result.fitness[m]);
  }
  if (returns.empty()) {
    throw Error(ExitCode::non_finite,
                fmt::format("all episodes of all {} members of generation {} met a number that is "
                            "not finite in {}",
                            members, generation, environments_.spec().name));
  }
  for (double& fitness : result.fitness) {
    if (std::isnan(fitness)) fitness = least;
  }
  result.episodes = long(returns.size());
  result.mean_return = sample_mean(returns).mean;
  result.mean_length = sample_mean(lengths).mean;
  return result;
}

void MemberEvaluation::update(ObservationNormalizer& normalizer, double fraction) const {
  if (!has_sums_) return;
  const std::size_t rows = std::size_t(environments_.observation_rows());
  const std::size_t n = device_returns_.size();
  const std::size_t used = std::size_t(std::ceil(fraction * members_)) * std::size_t(episodes_);
  const std::vector<float> all = sums_.download();
  ObservationSums sums = {std::vector<double>(rows, 0.0), std::vector<double>(rows, 0.0), 0};
  for (std::size_t i = 0; i < std::min(used, n); i++) {
    if (!std::isfinite(returns_[i])) continue;
    sums.count += double(lengths_[i]);
    for (std::size_t o = 0; o < rows; o++) {
      sums.deviation[o] += double(all[o * n + i]);
      sums.squares[o] += double(all[(rows + o) * n + i]);
    }
  }
  normalizer.update(sums);
}

}  // namespace gallop

// Episodes of populations in the scenario of a batch.
#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/runtime/policy_check.h>

namespace gallop {
namespace {

constexpr double kMaxIds = 4294967296.0;

}  // namespace

void Environments::evaluate_population(PopulationRequest request) {
  require_parameters();
  const Population& p = request.population;
  const float* const some = p.members != nullptr ? p.members : p.center;
  require_policy_fits({p.shape, some, p.normalization}, *spec_, sizes_);
  if (request.episode_return == nullptr || request.episode_length == nullptr) {
    throw value_error("episode_return or episode_length of a population is null");
  }
  const double last = double(p.first_member) + double(p.n_members);
  if (double(options_.id_offset) + last * request.episodes > kMaxIds) {
    throw value_error(
        fmt::format("{} episodes of the members {} to {} behind the id offset {} pass 2^32; they "
                    "would share random numbers",
                    request.episodes, p.first_member, last - 1, options_.id_offset));
  }
  request.scenario = view();
  request.clip = options_.clip_actions ? 1 : 0;
  backend_->evaluate_population(*entry_, request);
}

}  // namespace gallop

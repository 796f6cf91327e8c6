#include <gallop/host/rendering/episode.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include <gallop/host/error.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/registry/registry.h>

namespace gallop {
namespace {

constexpr int kStretch = 128;  // steps that are played between two looks whether the episode ended

std::unique_ptr<Environments> instance(Backend& backend, const EpisodeRequest& request,
                                       ResetMode mode) {
  EnvironmentOptions options;
  options.seed = request.seed;
  options.id_offset = kEvaluationIds + request.number;
  options.reset_mode = mode;
  auto environments = std::make_unique<Environments>(backend, *request.environment, options);
  if (request.configure) request.configure(*environments);
  environments->reset();
  return environments;
}

// Actions of the episode [T, A] one after the other; some more where it ended within a stretch.
std::vector<float> played_actions(Backend& backend, const EpisodeRequest& request) {
  const std::unique_ptr<Environments> environments =
      instance(backend, request, ResetMode::kSameStep);
  const std::size_t rows = std::size_t(environments->action_rows());
  DeviceArray<float> action(backend, kStretch * rows);
  DeviceArray<std::uint8_t> terminated(backend, kStretch), truncated(backend, kStretch);
  Trajectory out = {};
  out.n_steps = kStretch;
  out.n_envs = 1;
  out.action = action.data();
  out.terminated = terminated.data();
  out.truncated = truncated.data();
  const bool random = request.actions == EpisodeRequest::Actions::kRandom;
  std::vector<float> all;
  for (long t = 0; t < request.max_steps; t += kStretch) {
    environments->rollout(random ? ActionSource::kUniform : ActionSource::kPolicy, request.policy,
                          request.deterministic, out);
    const std::vector<float> stretch = action.download();
    all.insert(all.end(), stretch.begin(), stretch.end());
    const std::vector<std::uint8_t> term = terminated.download(), trunc = truncated.download();
    for (int k = 0; k < kStretch; k++) {
      if ((term[k] | trunc[k]) != 0) return all;
    }
  }
  return all;
}

bool is_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

// Steps the episode and keeps all of it. `actions` is empty for zero actions.
void step_through(const std::vector<float>& actions, const EpisodeRequest& request,
                  Episode& episode) {
  const std::unique_ptr<Backend> cpu = make_cpu_backend(1);
  const std::unique_ptr<Environments> environments =
      instance(*cpu, request, ResetMode::kNextStep);  // the state that ends an episode stays
  const std::size_t rows = std::size_t(environments->action_rows());
  const EnvironmentSpec& spec = environments->spec();
  for (int k = 0; k < spec.n_parameters; k++) {
    const char* const name = spec.parameters[k].name;
    episode.parameters.push_back(environments->ranges().has(k)
                                     ? double(environments->parameter_values(name)[0])
                                     : environments->parameter(name));
  }
  episode.sizes = {environments->observation_size(), environments->action_size()};
  std::vector<float> action(rows, 0.0f);
  float reward = 0;
  std::uint8_t terminated = 0, truncated = 0;
  StepOutput out = {};
  out.reward = &reward;
  out.terminated = &terminated;
  out.truncated = &truncated;
  episode.states.push_back(environments->get_state());
  if (!is_finite(episode.states.front())) {
    episode.nonfinite_step = 0;
    return;
  }
  const long most = actions.empty() ? request.max_steps
                                    : std::min(request.max_steps, long(actions.size() / rows));
  for (long t = 0; t < most && !episode.ended(); t++) {
    if (!actions.empty()) std::copy_n(actions.begin() + t * long(rows), rows, action.begin());
    environments->step(action.data(), out);
    const std::vector<float> state = environments->get_state();
    if (!is_finite(state) || !std::isfinite(reward)) {
      episode.nonfinite_step = t + 1;
      return;
    }
    episode.actions.push_back(action);
    episode.rewards.push_back(reward);
    episode.states.push_back(state);
    episode.terminated = terminated != 0;
    episode.truncated = truncated != 0;
  }
}

}  // namespace

const EnvironmentSpec& Episode::spec() const { return spec_of(*environment); }

double Episode::return_before(int step) const {
  double sum = 0;
  for (int t = 0; t < step; t++) sum += double(rewards[t]);
  return sum;
}

double Episode::parameter(std::string_view name) const {
  for (int k = 0; k < spec().n_parameters; k++) {
    if (name == spec().parameters[k].name) return parameters[k];
  }
  throw internal_error(
      fmt::format("a scene asks for parameter '{}', which {} does not have", name, spec().name));
}

double Episode::time_step() const {
  const int k = spec().time_step_parameter;
  return k < 0 ? spec().time_step : parameters[std::size_t(k)];
}

double Episode::state(int step, std::string_view name) const {
  for (int k = 0; k < spec().n_state; k++) {
    if (name == spec().state_names[k]) return double(states[step][k]);
  }
  throw internal_error(
      fmt::format("a scene asks for state '{}', which {} does not have", name, spec().name));
}

Episode record_episode(Backend& backend, const EpisodeRequest& request) {
  Episode episode;
  episode.environment = request.environment;
  const bool zero = request.actions == EpisodeRequest::Actions::kZero;
  const std::vector<float> actions = zero ? std::vector<float>() : played_actions(backend, request);
  step_through(actions, request, episode);
  return episode;
}

}  // namespace gallop

#include <gallop/host/learning/rollout_mask.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>

namespace gallop {
namespace {

// Elements of one column in row t of an array [rows of time, components, N].
template <class Array>
auto* element(Array& array, int t, int component, int n_components, int i, int n_envs) {
  return array.data() + (std::size_t(t) * n_components + component) * n_envs + i;
}

// What a policy saw and did, all of it finite.
bool is_whole(const HostRollout& r, int t, int i) {
  bool whole = std::isfinite(r.log_prob[std::size_t(t) * r.n_envs + i]);
  for (int k = 0; k < r.observation_rows; k++) {
    whole = whole && std::isfinite(*element(r.observation, t, k, r.observation_rows, i, r.n_envs));
  }
  for (int k = 0; k < r.action_rows; k++) {
    whole = whole && std::isfinite(*element(r.action, t, k, r.action_rows, i, r.n_envs));
  }
  return whole;
}

// The first transition of the episode, as far as it lies in this rollout. What leads up to a number
// that is not finite is finite and without meaning: squares and products of it are not finite.
int begin_of_episode(const HostRollout& r, int t, int i) {
  for (; t > 0; t--) {
    const std::size_t before = std::size_t(t - 1) * r.n_envs + i;
    if ((r.terminated[before] | r.truncated[before]) != 0) break;
  }
  return t;
}

}  // namespace

RolloutMask::RolloutMask(const std::vector<int>& first, HostRollout& rollout)
    : masked_from_(first) {
  const auto donor = std::find(first.begin(), first.end(), rollout.n_steps);
  if (donor == first.end()) {
    throw Error(ExitCode::non_finite,
                fmt::format("all {} instances gave an observation or reward that is not finite in "
                            "one rollout; the update is refused and the parameters keep their last "
                            "values",
                            rollout.n_envs));
  }
  for (int i = 0; i < rollout.n_envs; i++) {
    if (first[i] == rollout.n_steps) continue;
    masked_from_[i] = begin_of_episode(rollout, first[i], i);
    n_cuts_ += rollout.n_steps - masked_from_[i];
    repair(i, masked_from_[i], int(donor - first.begin()), rollout);
  }
}

void RolloutMask::repair(int i, int from, int donor, HostRollout& r) {
  const int n = r.n_envs, o = r.observation_rows, a = r.action_rows;
  const int column = is_whole(r, from, i) ? i : donor;
  const auto repeat = [&](auto& array, int t, int components) {
    for (int k = 0; k < components; k++) {
      *element(array, t, k, components, i, n) = *element(array, from, k, components, column, n);
    }
  };
  for (int t = from; t < r.n_steps; t++) {
    const std::size_t at = std::size_t(t) * n + i;
    repeat(r.observation, t, o);
    repeat(r.action, t, a);
    repeat(r.log_prob, t, 1);
    for (int k = 0; k < o; k++) {
      *element(r.final_observation, t, k, o, i, n) = *element(r.observation, from, k, o, column, n);
    }
    r.terminated[at] = 0;
    r.truncated[at] = 1;
    r.reward[at] = r.ended_return[at] = 0.0f;
    r.ended_length[at] = 0;
  }
  repeat(r.observation, r.n_steps, o);
}

}  // namespace gallop

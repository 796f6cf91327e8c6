// Episodes of bodies that no environment needs to have: poses that a test makes up.
#pragma once

#include <functional>
#include <vector>

#include <gallop/host/registry/generated.h>
#include <gallop/host/rendering/episode.h>
#include <gallop/kernels/bodies/skeleton.h>
#include <gallop/kernels/environment/environment_table.h>

namespace gallop::testing {

template <class M>
struct SkeletonEnvironment {
  using Model = M;
  static constexpr int kFrameSkip = 4;
};

// An environment of one model, with nothing but its skeleton.
template <class Model>
const EnvironmentEntry& body_entry() {
  static const EnvironmentSpec spec = [] {
    EnvironmentSpec s = {};
    s.name = "body";
    s.skeleton = &kSkeleton<SkeletonEnvironment<Model>>;
    return s;
  }();
  static const EnvironmentTable table = [] {
    EnvironmentTable t = {};
    t.spec = &spec;
    return t;
  }();
  static const EnvironmentEntry entry = {"Body", {[] { return &table; }}, nullptr, nullptr};
  return entry;
}

// `pose(t)` gives the coordinates at step t.
template <class Model>
Episode body_episode(int n_steps, const std::function<std::vector<float>(int)>& pose) {
  Episode episode;
  episode.environment = &body_entry<Model>();
  for (int t = 0; t <= n_steps; t++) episode.states.push_back(pose(t));
  episode.rewards.assign(n_steps, 1.0f);
  episode.actions.assign(n_steps, {0.0f});
  episode.truncated = true;
  return episode;
}

}  // namespace gallop::testing

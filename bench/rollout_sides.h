// The two sides of a row: our rollout and a baseline's, of the same environment and policy.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gallop/host/runtime/environments.h>
#include <gallop/host/runtime/processor.h>
#include "bench/checksum.h"
#include "bench/plain/baseline.h"

namespace gallop {

constexpr std::uint64_t kBenchSeed = 20260801;

// A policy by its name in the suite, for one environment.
struct BenchPolicy {
  bool random = true;
  PolicyShape shape = {};
  std::vector<float> parameters;  // [D]

  // Whether the environment can have it: networks do not read integer observations.
  static bool fits(const EnvironmentSpec& spec, const std::string& name);
  BenchPolicy(const Environments& environments, const std::string& name);
  double flops() const;  // of the matrix products of one step
};

// Room for a trajectory; `recorded` false leaves all its pointers null.
class BenchTrajectory {
 public:
  BenchTrajectory(Backend& backend, int n_steps, int n_envs, int observation_rows, int action_rows,
                  bool has_policy, bool recorded);
  const Trajectory& view() const { return view_; }
  double bytes_per_step() const;
  std::vector<float> observations() const { return observation_.download(); }  // [T + 1, O, N]
  // Adds what was recorded.
  void add_to(Checksum& sum) const;

 private:
  int observation_rows_, action_rows_;
  DeviceArray<float> observation_, action_, log_prob_, reward_;
  DeviceArray<std::uint8_t> terminated_, truncated_;
  Trajectory view_ = {};
};

class OurRollout {
 public:
  OurRollout(Backend& backend, const EnvironmentEntry& entry, const std::string& policy, int n_envs,
             int n_steps, bool stored, Arithmetic arithmetic = Arithmetic::kStrict);
  // Whether the rollout's arithmetic is other than the strict one.
  bool is_fast() const { return !policy_.random && environments_.has_fast_rollout(view()); }
  void run();  // one rollout; it is done when this returns
  // Steps of one run.
  double work() const { return double(trajectory_.view().n_envs) * trajectory_.view().n_steps; }
  std::string checksum() const;
  const BenchPolicy& policy() const { return policy_; }
  double bytes_per_step() const { return trajectory_.bytes_per_step(); }

 private:
  PolicyView view() const;

  Environments environments_;
  BenchPolicy policy_;
  BenchTrajectory trajectory_;
  DeviceArray<float> parameters_;
  DeviceArray<float> done_;
};

// On one thread.
class BaselineRollout {
 public:
  static bool knows(const EnvironmentSpec& spec);
  BaselineRollout(Backend& cpu, const EnvironmentEntry& entry, const std::string& policy,
                  bool with_eigen, int n_envs, int n_steps, bool stored);
  void run();
  double work() const { return double(request_.out.n_envs) * request_.out.n_steps; }
  const BaselineStatistics& total() const { return *total_; }

 private:
  const Baselines& baselines_;
  std::string environment_;
  bool with_eigen_;
  Environments shapes_;  // only for the sizes of the environment
  BenchPolicy policy_;
  BenchTrajectory trajectory_;
  std::vector<unsigned char> instances_;
  std::unique_ptr<std::uint64_t> random_ = std::make_unique<std::uint64_t>(kBenchSeed);
  std::unique_ptr<BaselineStatistics> total_ = std::make_unique<BaselineStatistics>();
  BaselineRequest request_ = {};
};

}  // namespace gallop

// Times of a Fisher product and of TRPO's update of the policy on one backend, for a device that
// scripts/gpu_check.sh runs on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/runtime/backend.h"

namespace gallop::testing {

struct TrustRegionTime {
  std::string what;         // "fisher_product" or "trpo_update"
  std::string environment;  // the policy has two hidden layers of 64 tanh units
  long samples;
  std::vector<double> seconds;  // of each repetition
  double checksum;              // of what was computed: the sum of |numbers|
};

// Calls `report` with each row: products over n_envs x n_steps samples, `burst` of them between two
// looks at the clock; updates over as many samples.
void bench_trust_region(Backend& backend, int n_envs, int n_steps, int burst, int repetitions,
                        const std::function<void(const TrustRegionTime&)>& report);

// what,environment,samples,median_s,least_s,greatest_s,checksum,commit
std::string trust_region_header();
std::string trust_region_line(const TrustRegionTime& row, const std::string& commit);

}  // namespace gallop::testing

// Times of a Fisher product and of TRPO's update of the policy on one backend, for a device that
// scripts/gpu_check.sh runs on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gallop/host/runtime/backend.h>

namespace gallop::testing {

struct TrustRegionTime {
  std::string what;         // "fisher_product" or "trpo_update"
  std::string environment;  // the policy has two hidden layers of 64 tanh units
  std::string mode;         // "strict" or "fast"
  std::string path;         // of the Fisher products: "fused" or "cublas"
  long samples;
  std::vector<double> seconds;  // of each repetition
  double multiply_adds;         // of a product, as its path computes it; 0 of an update
  double checksum;              // of what was computed: the sum of |numbers|
};

// Calls `report` with each row: products over n_envs x n_steps samples by either path, `burst` of
// them between two looks at the clock; updates over as many samples, in mode strict and in mode
// fast with the path that is found faster.
void bench_trust_region(Backend& backend, int n_envs, int n_steps, int burst, int repetitions,
                        const std::function<void(const TrustRegionTime&)>& report);

// what,environment,mode,path,samples,median_s,least_s,greatest_s,part_of_bound,checksum,commit.
// The bound is the time that a device of `multiply_adds_per_second` in float would need for the
// fused multiply-adds of a product; products in TF32 are not under it.
std::string trust_region_header();
std::string trust_region_line(const TrustRegionTime& row, double multiply_adds_per_second,
                              const std::string& commit);

}  // namespace gallop::testing

// How well finite differences tell the gradient of the return: each difference of single episodes,
// of means over N episodes, and of the same means with random numbers in common, over the width of
// the difference and over N.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gallop/host/runtime/environments.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

struct DifferenceSettings {
  std::vector<double> epsilons;       // ascending, above 0
  std::vector<std::int64_t> samples;  // N, ascending
  int episodes = 256;                 // that each side of a difference plays, of each kind
  std::uint64_t seed = 1;
};

// What is differentiated: a deterministic policy at its parameters, by those of `learnt`.
struct DifferencePoint {
  std::string environment, policy;  // names, for reports
  PolicyShape shape = {};
  Normalization normalization = {};  // in the backend's memory
  std::vector<float> parameters;     // [D]
  std::vector<long> learnt;          // numbers of some of them
};

enum class DifferenceKind : int { kPlain, kAveraged, kCommon };
const char* name_of(DifferenceKind kind);

// Of one kind, width and number of episodes. The variance is that of an estimate, summed over the
// parameters; from means over the estimates that `episodes` are enough for.
struct DifferenceResult {
  DifferenceKind kind;
  double epsilon;
  std::int64_t samples;  // N of each side
  std::int64_t estimates;
  double gradient_norm;  // of the mean of all
  double variance;
  double cosine;  // mean, of the angle of an estimate to the gradient by all common episodes
};

// Plain estimates are those with N = 1 of own random numbers. An estimate of parameter j is
// (U(theta + epsilon e_j) - U(theta - epsilon e_j)) / (2 epsilon), U the mean over N episodes.
// `progress` is told the part that is done. Random numbers: those of a population's episodes; the
// members are numbered (width D + j) 2 + sign. Throws an Error (non_finite) where a return is not
// finite. Equal bits on every backend, for any number of threads.
std::vector<DifferenceResult> compare_differences(
    Backend& backend, const EnvironmentEntry& environment,
    const std::function<void(Environments&)>& configure, const DifferencePoint& point,
    const DifferenceSettings& settings, const std::function<void(double part)>& progress);

// One JSON object a line; aligned columns; report.html, differences.csv and differences.jsonl.
std::string differences_jsonl(const std::vector<DifferenceResult>& results);
std::string differences_table(const std::vector<DifferenceResult>& results);
void write_differences_report(const RunFolder& folder, const DifferencePoint& point,
                              const DifferenceSettings& settings,
                              const std::vector<DifferenceResult>& results);

}  // namespace gallop

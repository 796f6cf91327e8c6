#pragma once

#include <span>
#include <string>
#include <vector>

#include <gallop/kernels/environment/batch.h>

namespace gallop {

struct EnvironmentEntry;

// What is wrong with a value of component k of a state, "" where nothing is.
std::string state_fault(const EnvironmentSpec& spec, const Sizes& sizes, int k, double value);

// Whether a state [S] holds nothing but zeros where the given components determine it, and the
// environment cannot be in such a state: the rest was left open.
bool is_open(const EnvironmentSpec& spec, const Sizes& sizes, std::span<const double> state);

// A batch on the host as far as its states need it: `state` [S, stride] and parameters. Instances
// count from 0.
class StateValues {
 public:
  StateValues(const EnvironmentEntry& entry, const EnvironmentBatch& batch);

  // Fills in what the given components of an instance's state determine (kGivenState) where
  // `always`, or where it holds nothing but zeros there and cannot: what a caller gives who knows
  // no more.
  void complete(bool always);

  // The first instance with something wrong, and what; -1 for none. Where `noted` [N] is not 0, the
  // instance has met a number that is not finite, and may hold such numbers. An index has to be one
  // in any case, since others are read by it.
  struct Fault {
    int instance = -1;
    std::string what;
  };
  Fault fault(const std::uint32_t* noted) const;

 private:
  Fault observation_fault() const;

  const EnvironmentEntry& entry_;
  const EnvironmentSpec& spec_;
  EnvironmentBatch batch_;
};

}  // namespace gallop

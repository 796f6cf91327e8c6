// A policy on the host, with what is needed to use it outside this library: names and bounds of
// what it observes and does, and the run that it is from. What the exports are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gallop/host/files/json_value.h>
#include <gallop/host/runtime/backend.h>
#include <gallop/host/training/run_options.h>
#include <gallop/host/training/trained_policy.h>

namespace gallop {

struct PortableComponent {
  std::string name;
  double low, high;  // infinite where nothing bounds it
};

// What a policy is for and where it is from.
struct PolicyDescription {
  std::string environment, algorithm;  // empty where it is of none
  std::uint64_t steps = 0;             // that it has learnt from
  std::string config;                  // TOML of the run's options, empty without a run
  std::optional<std::string> problem;  // the text of the file that describes the run's problem
  // [O] and [A], empty where the environment is not known, and for states and discrete actions.
  std::vector<PortableComponent> observation, action;
};

struct PortablePolicy {
  PolicyShape shape = {};
  std::vector<float> parameters;         // [D]
  std::vector<float> mean, inverse_std;  // [O], empty where observations are taken as they are
  float limit = 0;                       // of normalised observations
  PolicyDescription about;
};

// One affine map, on the host.
struct PortableLayer {
  int n_in, n_out;
  std::vector<float> weight;  // [n_in, n_out]
  std::vector<float> bias;    // [n_out]
};

// Numbers and shape of a policy in the memory of a backend; waits for it.
PortablePolicy portable_policy(Backend& backend, const PolicyView& view);
// The environment's names and bounds for a policy of this shape.
PolicyDescription description_of(const PolicyShape& shape, const EnvironmentSpec& spec);
// And of a run whose policy has learnt from `steps`.
PolicyDescription description_of(const PolicyShape& shape, const RunOptions& options,
                                 std::uint64_t steps);
PortablePolicy portable_policy(Backend& backend, const TrainedPolicy& trained);

// The layers of a network without those outputs that the most probable action does not depend on
// (log sigma). An internal error for a table.
std::vector<PortableLayer> acting_layers(const PortablePolicy& policy);

// Of heads of bounded actions, which are centre + half_range tanh(output): [A] each, else empty.
struct PortableSquash {
  std::vector<float> half_range, centre;
};
PortableSquash squash_of(const PortablePolicy& policy);

// Whether the environment limits an action somewhere, which the exported policy then does itself.
bool has_bounds(const PortablePolicy& policy);

// What files call the enumerations, in their order.
constexpr const char* kNetworkNames[] = {"mlp", "tabular"};
constexpr const char* kActivationNames[] = {"tanh", "relu", "identity"};
constexpr const char* kHeadNames[] = {"categorical",       "gaussian",
                                      "gaussian_network",  "deterministic",
                                      "squashed_gaussian", "squashed_deterministic"};

// What the policy is, for people and programs that read an exported file: names with values, in
// order; and the same as one JSON object.
using Metadata = std::vector<std::pair<std::string, JsonValue>>;
Metadata metadata_of(const PortablePolicy& policy);
std::string metadata_text(const PortablePolicy& policy);

// Throws a value error that names the first parameter or statistic which is not finite.
void require_finite_policy(const PortablePolicy& policy);

}  // namespace gallop

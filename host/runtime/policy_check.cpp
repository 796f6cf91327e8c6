#include <gallop/host/runtime/policy_check.h>

#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

void require_network(const NetworkShape& network) {
  if (network.n_layers < 1 || network.n_layers > kMaxLayers ||
      (network.kind == NetworkKind::kTabular && network.n_layers != 1)) {
    throw value_error(
        fmt::format("the policy's network has {} layers; expected {}", network.n_layers,
                    network.kind == NetworkKind::kTabular ? "1, for it is a table"
                                                          : fmt::format("1 to {}", kMaxLayers)));
  }
  for (int l = 0; l <= network.n_layers; l++) {
    if (network.width[l] >= 1 && network.width[l] <= kMaxWidth) continue;
    throw value_error(fmt::format("the policy's network has width {} in layer {}; expected 1 to {}",
                                  network.width[l], l, kMaxWidth));
  }
}

void require_outputs(const PolicyShape& shape) {
  if (is_bounded(shape.head) && shape.n_actions > kMaxOutputs / kHeadNumbers) {
    throw value_error(fmt::format("the policy has {} bounded actions; expected at most {}",
                                  shape.n_actions, kMaxOutputs / kHeadNumbers));
  }
  const int expected = head_outputs(shape.head, shape.n_actions);
  const int outputs = outputs_of(shape.network);
  if (outputs == expected && outputs <= kMaxOutputs) return;
  throw value_error(fmt::format(
      "the policy's network has {} outputs; expected {}, {} for each of {} actions, and at most {}",
      outputs, expected, expected > shape.n_actions ? "a mean and a log sigma" : "one",
      shape.n_actions, kMaxOutputs));
}

}  // namespace

void require_policy_shape(const PolicyShape& shape) {
  require_network(shape.network);
  if (shape.n_actions < 1 || shape.n_actions > kMaxOutputs) {
    throw value_error(
        fmt::format("the policy has {} actions; expected 1 to {}", shape.n_actions, kMaxOutputs));
  }
  require_outputs(shape);
}

void require_policy_fits(const PolicyView& policy, const EnvironmentSpec& spec, Sizes sizes) {
  const PolicyShape& shape = policy.shape;
  require_network(shape.network);
  const bool index = spec.observation_kind == SpaceKind::kDiscrete;
  const bool tabular = shape.network.kind == NetworkKind::kTabular;
  const bool discrete = spec.action_kind == SpaceKind::kDiscrete;
  const bool categorical = is_discrete(shape.head);
  if (index != tabular || shape.network.width[0] != sizes.observation ||
      shape.n_actions != sizes.action || categorical != discrete) {
    throw value_error(fmt::format("the policy maps {} {} to {} {} but {} has {} {} and {} {}",
                                  shape.network.width[0], tabular ? "states" : "components",
                                  shape.n_actions,
                                  categorical ? "discrete actions" : "action components", spec.name,
                                  sizes.observation, index ? "states" : "components", sizes.action,
                                  discrete ? "discrete actions" : "action components"));
  }
  require_outputs(shape);
  if (policy.parameters == nullptr) {
    throw value_error("the policy's parameters are a null pointer; expected its weights");
  }
}

}  // namespace gallop

#pragma once

#include <gallop/kernels/environment/spec.h>
#include <gallop/kernels/policy/shape.h>

namespace gallop {

// Throws a value error, with what was given and what was expected, unless the policy's network is
// one that the kernels take, with the outputs that its head needs.
void require_policy_shape(const PolicyShape& shape);

// Throws a value error, with what was given and what was expected, unless the policy's network is
// one that the kernels take and it maps the observations of an environment of these sizes to its
// actions.
void require_policy_fits(const PolicyView& policy, const EnvironmentSpec& spec, Sizes sizes);

}  // namespace gallop

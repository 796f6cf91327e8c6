// The gradient of a minibatch and the step along it, one request for both: a device takes the step
// in the launch that adds up the chunks. Elsewhere the two operations follow one another; the bits
// are the same.
#pragma once

#include <gallop/kernels/gradients/gradient.h>
#include <gallop/kernels/optimizers/step.h>

namespace gallop {

// `step` goes along the first step.n sums of `gradient`: step.gradient is gradient.gradient.
struct PolicyStepRequest {
  PolicyGradientRequest gradient;
  StepRequest step;
};
struct ValueStepRequest {
  ValueGradientRequest gradient;
  StepRequest step;
};

}  // namespace gallop

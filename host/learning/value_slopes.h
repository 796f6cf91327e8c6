#pragma once

#include <gallop/host/learning/rollout_buffer.h>
#include <gallop/host/learning/value_model.h>

namespace gallop {

// The derivatives of a value network by the observations that paths of a rollout end with: those of
// truncated episodes, and those after its last step. All arrays are in the backend's memory.
class ValueSlopes {
 public:
  ValueSlopes(Backend& backend, const Environments& environments, RolloutBuffer& rollout);

  // Of the last rollout, by these parameters of the network. Waits.
  void find(const ValueModel& value, const float* parameters, const Normalization& normalization,
            const RolloutBuffer& rollout);
  // [T, O, N]; undefined where no path ends without a termination.
  const float* data() const { return slope_.data(); }

 private:
  void find_at(const InputGradientRequest& request, const std::vector<std::uint32_t>& places);

  Backend* backend_;
  long n_observation_;
  DeviceArray<float> slope_, ones_;
  DeviceArray<std::uint32_t> order_;
};

}  // namespace gallop

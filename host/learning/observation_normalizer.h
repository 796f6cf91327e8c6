#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gallop/host/runtime/backend.h>

namespace gallop {

class TensorFile;

// Of a batch of observations: sums over them of x - mean, with the mean that view() had, and of its
// squares.
struct ObservationSums {
  std::vector<double> deviation, squares;  // [O]
  double count = 0;
};

// Running mean and deviation of each component of the observation, merged batch by batch (Chan,
// Golub and LeVeque 1979) from order-free sums. The statistics in use are frozen between two
// updates, so the policy that is trained is the policy that acted.
class ObservationNormalizer {
 public:
  static constexpr float kLimit = 10.0f;  // normalised observations are clamped to +-this

  ObservationNormalizer() = default;
  // Without `enabled` observations pass unchanged.
  ObservationNormalizer(Backend& backend, int n_components, bool enabled);

  // Takes in observations [T, O, N].
  void update(const float* observation, int n_steps, int n_envs);
  // Takes in a batch of which only sums are known.
  void update(const ObservationSums& sums);
  Normalization view() const;

  // Takes the statistics that another normaliser has saved. Throws a value error where observations
  // pass this one unchanged and there are some, a checkpoint error as load does.
  void begin_with(const TensorFile& file, const std::string& prefix);

  void save(TensorFile& file, const std::string& prefix) const;
  // Of at most `most` observations beside those that it began with.
  void load(const TensorFile& file, const std::string& prefix, std::uint64_t most);

 private:
  void load_statistics(const TensorFile& file, const std::string& prefix, double most);
  void merge(std::size_t component, double count, double mean, double sum_of_squares);
  void upload();

  Backend* backend_ = nullptr;
  bool enabled_ = false;
  double count_ = 0;
  double first_count_ = 0;  // of the observations that it began with
  std::vector<double> mean_, sum_of_squares_;
  DeviceArray<float> device_mean_, device_inverse_std_;
};

}  // namespace gallop

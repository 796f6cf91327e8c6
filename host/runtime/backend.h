#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cpu/kernel_table.h"
#include "kernels/gradients/divergence.h"

namespace gallop {

struct EnvironmentEntry;

// Mean, and sum of squared deviations from it, of `count` numbers.
struct Moments {
  double mean = 0, sum_of_squares = 0;
  long count = 0;
};

// Outputs of a network with one output for `n_rows` rows of N inputs.
struct ValuesRequest {
  NetworkShape shape;
  const float* parameters;
  Normalization normalization;
  int n_rows, n_envs;
  const float* observation;  // [rows, O, N]
  float* output;             // [rows, N]
  Arithmetic arithmetic = Arithmetic::kStrict;
};

// Where values of the last observation of truncated episodes are wanted.
struct FinalValueRequest {
  NetworkShape shape;
  const float* parameters;
  Normalization normalization;
  int n_steps, n_envs, observation_rows;
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const float* final_observation;  // [T, O, N]
  float* final_value;              // [T, N] written where truncated and not terminated
};

// What FisherPath::kFaster took, and the seconds of a product either way; both 0 where the device
// has no library to compare with.
struct FisherChoice {
  FisherPath path;
  double fused_seconds, matrix_seconds;
};

// What Backend::run keeps between calls.
class Recording {
 public:
  virtual ~Recording() = default;
};

// One device: its memory and the kernels that run on it. Pointers in requests are of its memory.
// Every operation gives the same bits on every backend and for every number of threads, but for
// Fisher products whose request allows others. Operations may return before they are done; the
// copies to the host wait. One caller at a time.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;  // "cpu" or "cuda"

  // 64-byte aligned; what it holds is of no account. Throws an Error that names the bytes asked
  // for.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  virtual void clear(void* memory, std::size_t bytes) = 0;  // all bytes to 0
  virtual void to_device(void* to, const void* from, std::size_t bytes) = 0;
  virtual void to_host(void* to, const void* from, std::size_t bytes) = 0;

  // The environment's functions, instances [0, n_envs) of the batch.
  virtual void reset(const EnvironmentEntry&, const EnvironmentBatch&,
                     const std::uint8_t* mask) = 0;
  virtual void observe(const EnvironmentEntry&, const EnvironmentBatch&, float* observation) = 0;
  virtual void step(const EnvironmentEntry&, const EnvironmentBatch&, const float* action,
                    bool clip, ResetMode, const StepOutput&) = 0;
  // `environment`, `begin`, `end` and `scratch` of the request are filled in here.
  virtual void rollout(const EnvironmentEntry&, const RolloutRequest&) = 0;
  // Whether Arithmetic::kFast makes such a rollout another one than Arithmetic::kStrict.
  virtual bool has_fast_rollout(const EnvironmentEntry&, const RolloutRequest&) const = 0;

  virtual void values(const ValuesRequest&) = 0;
  virtual void final_values(const FinalValueRequest&) = 0;

  virtual void gae(GaeRequest) = 0;
  virtual void returns(ReturnsRequest) = 0;
  // Order-free moments of groups of numbers that begin `group_stride` apart, each made of `rows`
  // rows of n that stand `stride` apart; and of one such group.
  virtual std::vector<Moments> grouped_moments(const float* x, int groups, long group_stride,
                                               long rows, long n, long stride) = 0;
  Moments moments(const float* x, long rows, long n, long stride) {
    return grouped_moments(x, 1, 0, rows, n, stride).front();
  }
  // Sums over the episodes that ended in a rollout.
  virtual EpisodeSums episodes(const EpisodesRequest&) = 0;
  virtual void standardize(float* x, long n, float mean, float inverse_std) = 0;

  // gradient [D + statistics]: the sum over chunks. `begin`, `end`, `partial`, `stride`, `greatest`
  // and `scratch` are filled in here.
  virtual void policy_gradient(PolicyGradientRequest, float* gradient) = 0;
  virtual void value_gradient(ValueGradientRequest, float* gradient) = 0;
  // Euclidean norm of gradient [n], NaN where an element is not finite. Waits.
  virtual double norm(const float* gradient, long n) = 0;
  // One step of an optimiser, limited or refused by the norm of its gradient; does not wait.
  virtual void optimizer_step(const StepRequest&) = 0;
  // order [n]: the numbers 0 .. n - 1 sorted by (Philox key of (seed, counter, number), number).
  virtual void shuffle(std::uint64_t seed, std::uint64_t counter, long n, std::uint32_t* order) = 0;

  // What baselines other than a value network need (kernels/estimators/, kernels/baselines/). The
  // ranges of the requests are filled in here.
  virtual void n_step(NStepRequest) = 0;
  virtual void path_returns(PathReturnsRequest) = 0;
  virtual void ages(AgeRequest) = 0;
  virtual void discount_by_age(float* advantage, const float* age, float gamma, long n) = 0;
  virtual void features(const FeaturesRequest&) = 0;
  virtual void gram(const GramRequest&) = 0;
  virtual void linear_values(const LinearValuesRequest&) = 0;
  virtual void optimal_baseline(OptimalBaselineRequest, long n_parameters) = 0;

  // What a trust region needs (kernels/gradients/fisher.h, divergence.h); none of it waits. Where
  // `active` of a request is set and the number there is 0, the operation changes nothing.
  //
  // Hidden units and outputs [chunks, unit_floats] of the policy at all samples, and after them
  // what its path needs besides: fisher_units floats in all.
  virtual void fisher_prepare(FisherRequest, float* units) = 0;
  virtual long fisher_units(const PolicyShape&, long count, FisherPath) const = 0;
  // product [D] = F vector, at the policy whose units were prepared.
  // The first one of a shape with path kFaster waits.
  virtual void fisher_product(FisherRequest, float* product) = 0;
  // What such requests of this shape and number of samples take; none before the first product.
  virtual std::optional<FisherChoice> fisher_choice(const FisherRequest&) const = 0;
  // sums [kDivergenceSums] over the samples.
  virtual void policy_divergence(DivergenceRequest, float* sums) = 0;
  virtual void conjugate_gradient_begin(const ConjugateGradientRequest&) = 0;
  virtual void conjugate_gradient_step(const ConjugateGradientRequest&) = 0;
  virtual void conjugate_gradient_end(const ConjugateGradientRequest&) = 0;
  virtual void line_search_begin(const LineSearchRequest&) = 0;
  virtual void line_search_step(const LineSearchRequest&) = 0;
  // Within the backend's memory.
  virtual void copy_bytes(void* to, const void* from, std::size_t bytes) = 0;
  // to = from; y += a x.
  virtual void copy(float* to, const float* from, long n) = 0;
  virtual void add_scaled(float* y, float a, const float* x, long n) = 0;

  // Runs `operations`: calls of this backend that neither wait nor move data to or from the host.
  // A device may record them into `recording`, which is null before the first call, and repeat what
  // it recorded as long as `key` stays the same: it names all pointers and numbers in the requests.
  virtual void run(const std::string& key, const std::function<void()>& operations,
                   std::unique_ptr<Recording>& recording) = 0;
};

// A backend on `n_threads` threads of this machine's processor; 0 takes all that the process may
// use.
std::unique_ptr<Backend> make_cpu_backend(int n_threads);

// A backend on the current CUDA device; null, with the reason in `why`, where this build or this
// machine has none. What it finds out about the device's libraries goes to `note`.
std::unique_ptr<Backend> make_cuda_backend(std::string& why,
                                           const std::function<void(const std::string&)>& note);

// The backend that `device` names: "cpu", "cuda", or "auto", which takes CUDA where it is there and
// else the CPU, and says so through `note`, as the backend does. Throws an Error (cuda) where CUDA
// is asked for and absent.
std::unique_ptr<Backend> make_backend(const std::string& device, int n_threads,
                                      const std::function<void(const std::string&)>& note);

// Memory of a backend, typed. What it holds at first is of no account.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(Backend& backend, std::size_t size)
      : backend_(&backend),
        size_(size),
        data_(size == 0 ? nullptr : static_cast<T*>(backend.allocate(size * sizeof(T)))) {}
  static DeviceArray zeroed(Backend& backend, std::size_t size) {
    DeviceArray array(backend, size);
    if (size > 0) backend.clear(array.data_, size * sizeof(T));
    return array;
  }
  ~DeviceArray() {
    if (data_ != nullptr) backend_->release(data_);
  }
  DeviceArray(DeviceArray&& other) noexcept { swap(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    swap(other);
    return *this;
  }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }

  // Copies between the host and the first `count` elements from `offset` on.
  void upload(const T* from, std::size_t count, std::size_t offset = 0) {
    if (count > 0) backend_->to_device(data_ + offset, from, count * sizeof(T));
  }
  void download(T* to, std::size_t count, std::size_t offset = 0) const {
    if (count > 0) backend_->to_host(to, data_ + offset, count * sizeof(T));
  }
  void upload(const std::vector<T>& from) { upload(from.data(), from.size()); }
  std::vector<T> download() const {
    std::vector<T> values(size_);
    download(values.data(), size_);
    return values;
  }

 private:
  void swap(DeviceArray& other) {
    std::swap(backend_, other.backend_);
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
  }

  Backend* backend_ = nullptr;
  std::size_t size_ = 0;
  T* data_ = nullptr;
};

}  // namespace gallop

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gallop/host/runtime/matrix_products.h>
#include <gallop/host/runtime/recording.h>
#include <gallop/kernels/operations.h>

namespace gallop {

struct EnvironmentEntry;

// One device: its memory, its threads or its stream, and the operations of kernels/operations.h
// that run on it. Pointers in requests are of its memory. Every operation gives the same bits on
// every backend and for every number of threads, but for arithmetic that a request leaves to the
// device. Operations may return before they are done; the copies to the host wait. One caller at a
// time. A backend outlives everything that was made with it, which a debug build checks where it
// ends.
class Backend {
 public:
  // What it finds out about the device is told through `note`, which may be empty.
  explicit Backend(std::function<void(const std::string&)> note = nullptr)
      : note_(std::move(note)) {}
  virtual ~Backend();
  virtual std::string name() const = 0;  // "cpu" or "cuda"
  // The cudaStream_t that operations are put on, for events before and after them; null on the CPU,
  // whose operations are done when they return.
  virtual void* stream() const { return nullptr; }
  void note(const std::string& text) const {
    if (note_) note_(text);
  }

  // 64-byte aligned, undefined contents. Throws an Error that names the bytes asked for.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  // Bytes that allocate() could give and that could also be written, as far as that is known.
  virtual std::uint64_t available_memory() const { return ~std::uint64_t(0); }
  virtual void clear(void* memory, std::size_t bytes) = 0;  // all bytes to 0
  virtual void copy_bytes(void* to, const void* from, std::size_t bytes) = 0;
  virtual void to_device(void* to, const void* from, std::size_t bytes) = 0;
  virtual void to_host(void* to, const void* from, std::size_t bytes) = 0;
  // For what an operation leaves and the host reads at once: undefined contents, taken back by the
  // next call.
  virtual void* result_memory(std::size_t bytes) = 0;

#define GALLOP_METHOD(name, Request) virtual void name(const Request&) = 0;
  GALLOP_OPERATIONS(GALLOP_METHOD)
  GALLOP_JOINED_OPERATIONS(GALLOP_METHOD)
  GALLOP_DEVICE_OPERATIONS(GALLOP_METHOD)  // an Error (internal) where they are not
#undef GALLOP_METHOD
#define GALLOP_METHOD(name, Request) virtual void name(const EnvironmentEntry&, const Request&) = 0;
  GALLOP_ENVIRONMENT_OPERATIONS(GALLOP_METHOD)
#undef GALLOP_METHOD

  // Whether Arithmetic::kFast makes such a rollout another one than Arithmetic::kStrict.
  virtual bool has_fast_rollout(const EnvironmentEntry&, const RolloutRequest&) const = 0;

  // The device's library for products of matrices, in mode fast: its name with its version. Empty
  // where it was not found, with the reason in `why`, or where this backend would have no use for
  // it, without one.
  virtual std::string matrix_library(std::string& why) = 0;
  virtual void multiply(const MatrixProduct&) = 0;

  // Runs `operations`: calls of this backend's operations and nothing else of it. A device may
  // record them into `recording`, which is null before the first call, and repeat what it recorded
  // as long as their requests stay the same, byte for byte; it calls `operations` to see the
  // requests, so once or twice in any case. Anything else of a backend throws an Error (internal)
  // there.
  virtual void run(const std::function<void()>& operations,
                   std::unique_ptr<Recording>& recording) = 0;
  // Runs two sequences of operations and nothing else of this backend, neither of which writes what
  // the other one reads or writes: a device may run them at the same time. Not one within another.
  virtual void both(const std::function<void()>& first, const std::function<void()>& second) = 0;
  // How long the device works on `operations`. Waits.
  virtual double seconds(const std::function<void()>& operations) = 0;

  long arrays() const { return n_arrays_; }  // DeviceArrays that there are

 private:
  template <class T>
  friend class DeviceArray;

  std::function<void(const std::string&)> note_;
  long n_arrays_ = 0;
};

// Mean, and sum of squared deviations from it, of `count` numbers.
struct Moments {
  double mean = 0, sum_of_squares = 0;
  long count = 0;
};

// Sums of operations, on the host; they wait.
//
// Order-free moments of groups of numbers that begin `group_stride` apart, each made of `rows` rows
// of n that stand `stride` apart; and of one such group. NaN where a number is not finite.
std::vector<Moments> grouped_moments(Backend& backend, const float* x, int groups,
                                     long group_stride, long rows, long n, long stride);
Moments moments(Backend& backend, const float* x, long rows, long n, long stride);
// Euclidean norm of x [n], NaN where an element is not finite.
double norm(Backend& backend, const float* x, long n);
// Over the episodes that ended in a rollout; `result` of the request is filled in.
EpisodeSums episode_sums(Backend& backend, EpisodesRequest request);

// A backend on `n_threads` threads of this machine's processor, at most 4096; 0 takes all that the
// process may use. Throws a value error for any other number.
std::unique_ptr<Backend> make_cpu_backend(int n_threads);

// A backend on the CUDA device of this number, or on the calling thread's current one where it is
// negative; null, with the reason in `why`, where this build or this machine has none. What it
// finds out about the device goes to `note`. Every call makes its device the calling thread's
// current one. Operations go to `stream`, a cudaStream_t of that device that outlives the backend,
// in order with whatever else is put there, or where it is null to a stream of the backend's own;
// the legacy default stream is a value error.
std::unique_ptr<Backend> make_cuda_backend(int index, std::string& why,
                                           const std::function<void(const std::string&)>& note,
                                           void* stream = nullptr);

// The backend that `device` names: "cpu", "cuda", "cuda:1" for the device of that number, or
// "auto", which takes CUDA where it is there and else the CPU, and says so through `note`, as the
// backend does. Throws an Error (cuda) where CUDA is asked for and absent, a value error for
// another name.
std::unique_ptr<Backend> make_backend(const std::string& device, int n_threads,
                                      const std::function<void(const std::string&)>& note);

// Bytes of `size` elements; throws a value error where no number holds them.
std::size_t array_bytes(std::size_t size, std::size_t element);
// Throws an internal error unless `count` elements from `offset` on lie within `size`.
void require_within(std::size_t offset, std::size_t count, std::size_t size);

// Memory of a backend, typed. Its contents are undefined at first. The backend has to outlive it.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(Backend& backend, std::size_t size)
      : backend_(&backend),
        size_(size),
        data_(size == 0 ? nullptr
                        : static_cast<T*>(backend.allocate(array_bytes(size, sizeof(T))))) {
    backend.n_arrays_ += data_ != nullptr;
  }
  static DeviceArray zeroed(Backend& backend, std::size_t size) {
    DeviceArray array(backend, size);
    if (size > 0) backend.clear(array.data_, size * sizeof(T));
    return array;
  }
  ~DeviceArray() {
    if (data_ == nullptr) return;
    backend_->n_arrays_--;
    backend_->release(data_);
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
    require_within(offset, count, size_);
    if (count > 0) backend_->to_device(data_ + offset, from, count * sizeof(T));
  }
  void download(T* to, std::size_t count, std::size_t offset = 0) const {
    require_within(offset, count, size_);
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

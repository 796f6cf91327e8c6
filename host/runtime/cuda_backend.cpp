// The CUDA backend: a stream and memory for the launchers of the kernel tables, and graphs of what
// is repeated. It includes nothing of CUDA; memory and stream are the device's.
#include <gallop/host/runtime/cuda_backend.h>

#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/runtime/device_scratch.h>
#include <gallop/host/runtime/refusal.h>
#include <gallop/host/runtime/stop.h>

namespace gallop {
namespace {

// The graph of a sequence of operations: made when they come for the second time, since the first
// time finds the memory they need.
struct CudaRecording : Recording {
  RequestBytes requests;
  long generation = 0;  // of the memory that the graph points into
  std::unique_ptr<KernelGraph> graph;
};

class CudaBackend : public Backend, public Stoppable {
 public:
  CudaBackend(std::unique_ptr<KernelDevice> device,
              const std::function<void(const std::string&)>& note)
      : Backend(note),
        device_(std::move(device)),
        kernels_(device_->kernels()),
        work_(*device_, generation_),
        second_work_(*device_, generation_),
        results_(*device_, results_generation_) {}

  std::string name() const override { return "cuda"; }

  void* allocate(std::size_t bytes) override {
    refuse_in_recording("an allocation");
    return device_->allocate(bytes);
  }
  void release(void* memory) noexcept override { device_->release(memory); }
  void clear(void* memory, std::size_t bytes) override {
    refuse_in_recording("a fill");
    device_->fill(memory, 0, bytes);
  }
  void copy_bytes(void* to, const void* from, std::size_t bytes) override {
    refuse_in_recording("a copy of bytes");
    device_->copy(to, from, bytes);
  }
  void to_device(void* to, const void* from, std::size_t bytes) override {
    refuse_in_recording("a copy to the device");
    device_->to_device(to, from, bytes);
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    refuse_in_recording("a copy to the host");
    device_->to_host(to, from, bytes);
  }
  void* result_memory(std::size_t bytes) override {
    refuse_in_recording("a result");
    return results_.bytes(bytes);
  }

#define GALLOP_METHOD(name, Request)                              \
  void name(const Request& r) override {                          \
    submit(kernels_.name, r, is_left_on_request<Request>(#name)); \
  }
  GALLOP_OPERATIONS(GALLOP_METHOD)
  GALLOP_JOINED_OPERATIONS(GALLOP_METHOD)
  GALLOP_DEVICE_OPERATIONS(GALLOP_METHOD)
#undef GALLOP_METHOD
#define GALLOP_METHOD(name, Request)                                    \
  void name(const EnvironmentEntry& entry, const Request& r) override { \
    submit(device_->environment(entry).name, r, true);                  \
  }
  GALLOP_ENVIRONMENT_OPERATIONS(GALLOP_METHOD)
#undef GALLOP_METHOD

  void* stream() const override { return device_->stream(); }
  bool has_fast_rollout(const EnvironmentEntry& entry,
                        const RolloutRequest& request) const override {
    return device_->environment(entry).has_fast_rollout(request);
  }

  std::string matrix_library(std::string& why) override {
    if (!was_opened_) products_ = device_->matrix_products(why_not_);
    was_opened_ = true;
    why = why_not_;
    return products_ == nullptr ? "" : products_->name();
  }
  void multiply(const MatrixProduct& product) override {
    if (second_stream_ != nullptr) throw internal_error("a library's product on a second stream");
    if (seen_ != nullptr) {
      seen_->add(products_.get(), product);
    } else {
      products_->multiply(product);
    }
  }

  void run(const std::function<void()>& operations,
           std::unique_ptr<Recording>& recording) override {
    RequestBytes requests = requests_of(operations);
    auto* const known = static_cast<CudaRecording*>(recording.get());
    if (known != nullptr && known->generation == generation_ && known->requests == requests) {
      if (seen_long_) leave_if(requested_);
      if (known->graph == nullptr) {
        const StopScope whole(*this, nullptr);
        known->graph = device_->capture(operations);
      }
      known->graph->launch();
      return;
    }
    recording = nullptr;
    operations();
    auto fresh = std::make_unique<CudaRecording>();
    fresh->requests = std::move(requests);
    fresh->generation = generation_;
    recording = std::move(fresh);
  }
  void both(const std::function<void()>& first, const std::function<void()>& second) override {
    if (has_branches_) throw internal_error("branches within branches");
    struct Branches {
      CudaBackend& backend;
      explicit Branches(CudaBackend& b) : backend(b) { backend.has_branches_ = true; }
      ~Branches() {
        backend.has_branches_ = false;
        backend.second_stream_ = nullptr;
      }
    } branches(*this);
    if (seen_ != nullptr) {
      seen_->add(this, Branch{1});
      second();
      seen_->add(this, Branch{0});
      first();
      return;
    }
    second_stream_ = device_->fork();
    try {
      second();
      second_stream_ = nullptr;
      first();
    } catch (...) {
      second_stream_ = nullptr;
      rejoin();
      throw;
    }
    device_->join();
  }
  double seconds(const std::function<void()>& operations) override {
    refuse_in_recording("a look at the clock");
    return device_->seconds(operations);
  }
  std::function<bool()> stop_when(std::function<bool()> requested) override {
    return std::exchange(requested_, std::move(requested));
  }

 private:
  struct Branch {
    int number;
  };

  template <class Request>
  void submit(LaunchStatus (*launcher)(const Request&, const CudaWork&), const Request& r,
              bool is_left) {
    require_valid(r);
    if (is_left && seen_ == nullptr) leave_if(requested_);
    if (seen_ != nullptr) {
      seen_long_ |= is_left;
      seen_->add(launcher, r);
    } else if (second_stream_ != nullptr) {
      device_->check(launcher(r, {second_stream_, &second_work_, &work_bytes}));
    } else {
      device_->check(launcher(r, {device_->stream(), &work_, &work_bytes}));
    }
  }
  // After a failure, whose error is the one that counts.
  void rejoin() noexcept {
    try {
      device_->join();
    } catch (...) {
    }
  }
  static void* work_bytes(void* owner, std::size_t count) {
    return static_cast<DeviceScratch*>(owner)->bytes(count);
  }

  // Lets the operations pass by without running them.
  RequestBytes requests_of(const std::function<void()>& operations) {
    refuse_in_recording("another recording");
    RequestBytes requests;
    struct Look {
      RequestBytes*& seen;
      ~Look() { seen = nullptr; }
    } look{seen_};
    seen_ = &requests;
    seen_long_ = false;
    operations();
    return requests;
  }
  void refuse_in_recording(const char* what) const {
    if (seen_ != nullptr) throw internal_error(std::string(what) + " among recorded operations");
  }

  std::unique_ptr<KernelDevice> device_;
  const CudaKernels& kernels_;
  long generation_ = 0, results_generation_ = 0;
  // Operations that run at the same time have memory of their own.
  DeviceScratch work_, second_work_, results_;
  void* second_stream_ = nullptr;  // while operations go there
  bool has_branches_ = false;
  RequestBytes* seen_ = nullptr;  // while operations pass by
  bool seen_long_ = false;        // whether one of them is left on request
  std::function<bool()> requested_;
  bool was_opened_ = false;
  std::string why_not_;
  std::unique_ptr<MatrixProducts> products_;
};

}  // namespace

std::unique_ptr<Backend> make_kernel_backend(std::unique_ptr<KernelDevice> device,
                                             const std::function<void(const std::string&)>& note) {
  return std::make_unique<CudaBackend>(std::move(device), note);
}

}  // namespace gallop

// The device of the CUDA runtime, and the backend on it. Empty in builds without CUDA
// (no_cuda_backend.cpp).
#if defined(GALLOP_HAVE_CUDA)

#include <cuda_runtime_api.h>

#include <optional>
#include <string>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/registry/generated.h>
#include <gallop/host/runtime/architectures.h>
#include <gallop/host/runtime/cublas.h>
#include <gallop/host/runtime/cuda_backend.h>
#include <gallop/host/runtime/device_memory.h>

extern "C" const gallop::CudaKernels* gallop_cuda_kernels();
// Compute capabilities that the kernels were compiled for, as 900 for 9.0.
extern "C" const int* gallop_cuda_architectures(int* count);

namespace gallop {
namespace {

std::string cuda_text(cudaError_t code) {
  return std::string(cudaGetErrorName(code)) + " (" + cudaGetErrorString(code) + ")";
}

// The error must not stay the runtime's last one: the next launch would report it again.
void require(cudaError_t code, const std::string& call) {
  if (code == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  throw Error(ExitCode::cuda, call + " failed: " + cuda_text(code));
}

// Makes the device the one that calls of this thread are about.
void enter(int device) {
  require(cudaSetDevice(device), "cudaSetDevice(" + std::to_string(device) + ")");
}

class CudaGraph : public KernelGraph {
 public:
  CudaGraph(int device, cudaStream_t stream) : device_(device), stream_(stream) {}
  // The driver may be gone by now: what it says is of no use.
  ~CudaGraph() override {
    if (ready_ != nullptr) static_cast<void>(cudaGraphExecDestroy(ready_));
    if (graph_ != nullptr) static_cast<void>(cudaGraphDestroy(graph_));
  }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void capture(const std::function<void()>& launches) {
    require(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal),
            "cudaStreamBeginCapture");
    try {
      launches();
    } catch (...) {
      static_cast<void>(cudaStreamEndCapture(stream_, &graph_));
      throw;
    }
    require(cudaStreamEndCapture(stream_, &graph_), "cudaStreamEndCapture");
    require(cudaGraphInstantiate(&ready_, graph_, 0), "cudaGraphInstantiate");
  }
  void launch() override {
    enter(device_);
    require(cudaGraphLaunch(ready_, stream_), "cudaGraphLaunch");
  }

 private:
  int device_;
  cudaStream_t stream_;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t ready_ = nullptr;
};

// A point on a stream, with its time where `flags` allow it.
class CudaEvent {
 public:
  explicit CudaEvent(unsigned flags = cudaEventDefault) {
    require(cudaEventCreateWithFlags(&event_, flags), "cudaEventCreate");
  }
  ~CudaEvent() { static_cast<void>(cudaEventDestroy(event_)); }
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;

  void record(cudaStream_t stream) { require(cudaEventRecord(event_, stream), "cudaEventRecord"); }
  // What comes on the stream waits until this point is reached.
  void hold(cudaStream_t stream) const {
    require(cudaStreamWaitEvent(stream, event_, 0), "cudaStreamWaitEvent");
  }
  double seconds_since(const CudaEvent& before) const {
    require(cudaEventSynchronize(event_), "cudaEventSynchronize, or a kernel before it,");
    float milliseconds = 0;
    require(cudaEventElapsedTime(&milliseconds, before.event_, event_), "cudaEventElapsedTime");
    return milliseconds * 1e-3;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

// A second stream beside the device's, with the points where they part and meet.
class CudaBranch {
 public:
  CudaBranch() {
    require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  ~CudaBranch() { static_cast<void>(cudaStreamDestroy(stream_)); }
  CudaBranch(const CudaBranch&) = delete;
  CudaBranch& operator=(const CudaBranch&) = delete;

  cudaStream_t leave(cudaStream_t from) {
    parting_.record(from);
    parting_.hold(stream_);
    return stream_;
  }
  void meet(cudaStream_t again) {
    meeting_.record(stream_);
    meeting_.hold(again);
  }

 private:
  cudaStream_t stream_ = nullptr;
  CudaEvent parting_{cudaEventDisableTiming}, meeting_{cudaEventDisableTiming};
};

// Every call enters the device first: the thread may have had another one, or none.
class CudaDevice : public KernelDevice {
 public:
  // On `stream`, which stays its owner's, or without one on a stream of its own.
  CudaDevice(int index, cudaStream_t stream)
      : memory_(device_memory()), index_(index), owns_stream_(stream == nullptr), stream_(stream) {
    enter(index_);
    if (owns_stream_) {
      require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    }
    branch_.emplace();
  }
  // The driver may be gone by now: what it says is of no use.
  ~CudaDevice() override {
    if (owns_stream_) static_cast<void>(cudaStreamDestroy(stream_));
  }

  void* allocate(std::size_t bytes) override {
    enter(index_);
    void* memory = nullptr;
    const cudaError_t code = cudaMalloc(&memory, bytes);
    if (code != cudaSuccess) {
      static_cast<void>(cudaGetLastError());  // or the next launch would report it again
      throw Error(ExitCode::cuda, "cudaMalloc of " + std::to_string(bytes) +
                                      " bytes failed: " + cuda_text(code) + "; " + free_memory() +
                                      "; use fewer environments or steps, or --device cpu");
    }
    if (memory_ != DeviceMemory::kRaw) {
      fill(memory, memory_ == DeviceMemory::kPoison ? kPoisonByte : 0, bytes);
    }
    return memory;
  }
  void release(void* memory) noexcept override {
    static_cast<void>(cudaSetDevice(index_));
    static_cast<void>(cudaStreamSynchronize(stream_));
    static_cast<void>(cudaFree(memory));
    static_cast<void>(cudaGetLastError());
  }
  void fill(void* memory, int byte, std::size_t bytes) override {
    enter(index_);
    require(cudaMemsetAsync(memory, byte, bytes, stream_), "cudaMemsetAsync");
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    enter(index_);
    require(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "cudaMemcpyAsync");
  }
  void to_device(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, cudaMemcpyHostToDevice, "to");
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, cudaMemcpyDeviceToHost, "from");
  }
  void* stream() const override {
    enter(index_);
    return stream_;
  }
  void* fork() override {
    enter(index_);
    return branch_->leave(stream_);
  }
  void join() override {
    enter(index_);
    branch_->meet(stream_);
  }
  std::unique_ptr<KernelGraph> capture(const std::function<void()>& launches) override {
    enter(index_);
    auto graph = std::make_unique<CudaGraph>(index_, stream_);
    graph->capture(launches);
    return graph;
  }

  double seconds(const std::function<void()>& launches) override {
    enter(index_);
    CudaEvent begin, end;
    begin.record(stream_);
    launches();
    end.record(stream_);
    return end.seconds_since(begin);
  }
  std::unique_ptr<MatrixProducts> matrix_products(std::string& why) override {
    enter(index_);
    return open_cublas(stream_, why);
  }

  void check(const LaunchStatus& status) const override {
    if (status.ok()) return;
    throw Error(ExitCode::cuda, std::string("launch of kernel ") + status.kernel +
                                    " failed: " + cuda_text(static_cast<cudaError_t>(status.code)));
  }

  const CudaKernels& kernels() const override { return *gallop_cuda_kernels(); }
  const CudaEnvironmentTable& environment(const EnvironmentEntry& entry) const override {
    if (entry.cuda == nullptr) {
      throw Error(ExitCode::cuda, std::string("environment ") + entry.type +
                                      " was compiled without CUDA; use --device cpu");
    }
    return *entry.cuda();
  }

 private:
  static std::string free_memory() {
    std::size_t free = 0, total = 0;
    if (cudaMemGetInfo(&free, &total) != cudaSuccess)
      return "the device does not tell what is free";
    return std::to_string(free) + " of " + std::to_string(total) + " bytes are free";
  }

  // Errors of kernels that were launched before show here.
  void transfer(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                const char* direction) {
    const std::string call =
        "copy of " + std::to_string(bytes) + " bytes " + direction + " the device";
    enter(index_);
    require(cudaMemcpyAsync(to, from, bytes, kind, stream_), call);
    require(cudaStreamSynchronize(stream_), call + ", or a kernel before it,");
  }

  DeviceMemory memory_;
  int index_;
  bool owns_stream_;
  cudaStream_t stream_;
  std::optional<CudaBranch> branch_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(int index, std::string& why,
                                           const std::function<void(const std::string&)>& note,
                                           void* stream) {
  if (stream == cudaStreamLegacy) {
    throw value_error(
        "the stream is CUDA's legacy default one, on which nothing can be recorded; expected "
        "another one, or null for one of the backend's own");
  }
  int count = 0;
  cudaError_t code = cudaGetDeviceCount(&count);
  if (code == cudaSuccess && index < 0) code = cudaGetDevice(&index);
  if (code != cudaSuccess || count == 0) {
    static_cast<void>(cudaGetLastError());
    why = code == cudaSuccess ? "CUDA finds no device"
                              : "CUDA finds no usable driver: " + cuda_text(code);
    return nullptr;
  }
  if (index >= count) {
    why = "there is no device " + std::to_string(index) + ": CUDA finds " + std::to_string(count) +
          ", numbered from 0";
    return nullptr;
  }
  int major = 0, minor = 0, n_built = 0;
  require(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index),
          "cudaDeviceGetAttribute");
  require(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, index),
          "cudaDeviceGetAttribute");
  const int* const built = gallop_cuda_architectures(&n_built);
  const Architectures architectures(std::vector<int>(built, built + n_built));
  if (!architectures.run_on(major, minor)) {
    why = architectures.refusal(major, minor);
    return nullptr;
  }
  if (note && !architectures.are_compiled_for(major, minor))
    note(architectures.delay(major, minor));
  auto device = std::make_unique<CudaDevice>(index, static_cast<cudaStream_t>(stream));
  const LaunchStatus usable = device->kernels().usable();
  if (!usable.ok()) {
    static_cast<void>(cudaGetLastError());
    why = "device " + std::to_string(index) + " does not load the kernels of this build: " +
          cuda_text(static_cast<cudaError_t>(usable.code));
    return nullptr;
  }
  return make_kernel_backend(std::move(device), note);
}

}  // namespace gallop

#endif

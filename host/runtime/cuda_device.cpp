// The device of the CUDA runtime, and the backend on it. Empty in builds without CUDA
// (no_cuda_backend.cpp).
#if defined(GALLOP_HAVE_CUDA)

#include <cuda_runtime_api.h>

#include <string>

#include "host/error.h"
#include "host/registry/generated.h"
#include "host/runtime/cublas.h"
#include "host/runtime/cuda_backend.h"
#include "host/runtime/device_memory.h"

extern "C" const gallop::CudaKernels* gallop_cuda_kernels();

namespace gallop {
namespace {

std::string cuda_text(cudaError_t code) {
  return std::string(cudaGetErrorName(code)) + " (" + cudaGetErrorString(code) + ")";
}

void require(cudaError_t code, const std::string& call) {
  if (code == cudaSuccess) return;
  throw Error(ExitCode::cuda, call + " failed: " + cuda_text(code));
}

class CudaGraph : public KernelGraph {
 public:
  explicit CudaGraph(cudaStream_t stream) : stream_(stream) {}
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
  void launch() override { require(cudaGraphLaunch(ready_, stream_), "cudaGraphLaunch"); }

 private:
  cudaStream_t stream_;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t ready_ = nullptr;
};

// A point on a stream, with its time.
class CudaEvent {
 public:
  explicit CudaEvent(cudaStream_t stream) : stream_(stream) {
    require(cudaEventCreate(&event_), "cudaEventCreate");
  }
  ~CudaEvent() { static_cast<void>(cudaEventDestroy(event_)); }
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;

  void record() { require(cudaEventRecord(event_, stream_), "cudaEventRecord"); }
  double seconds_since(const CudaEvent& before) const {
    require(cudaEventSynchronize(event_), "cudaEventSynchronize, or a kernel before it,");
    float milliseconds = 0;
    require(cudaEventElapsedTime(&milliseconds, before.event_, event_), "cudaEventElapsedTime");
    return milliseconds * 1e-3;
  }

 private:
  cudaStream_t stream_;
  cudaEvent_t event_ = nullptr;
};

class CudaDevice : public KernelDevice {
 public:
  explicit CudaDevice(int index) : memory_(device_memory()) {
    require(cudaSetDevice(index), "cudaSetDevice(" + std::to_string(index) + ")");
    require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  // The driver may be gone by now: what it says is of no use.
  ~CudaDevice() override { static_cast<void>(cudaStreamDestroy(stream_)); }

  void* allocate(std::size_t bytes) override {
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
    static_cast<void>(cudaStreamSynchronize(stream_));
    static_cast<void>(cudaFree(memory));
  }
  void fill(void* memory, int byte, std::size_t bytes) override {
    require(cudaMemsetAsync(memory, byte, bytes, stream_), "cudaMemsetAsync");
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    require(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "cudaMemcpyAsync");
  }
  void to_device(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, cudaMemcpyHostToDevice, "to");
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    transfer(to, from, bytes, cudaMemcpyDeviceToHost, "from");
  }
  void* stream() const override { return stream_; }
  std::unique_ptr<KernelGraph> capture(const std::function<void()>& launches) override {
    auto graph = std::make_unique<CudaGraph>(stream_);
    graph->capture(launches);
    return graph;
  }

  double seconds(const std::function<void()>& launches) override {
    CudaEvent begin(stream_), end(stream_);
    begin.record();
    launches();
    end.record();
    return end.seconds_since(begin);
  }
  std::unique_ptr<MatrixProducts> matrix_products(std::string& why) override {
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
    require(cudaMemcpyAsync(to, from, bytes, kind, stream_), call);
    require(cudaStreamSynchronize(stream_), call + ", or a kernel before it,");
  }

  DeviceMemory memory_;
  cudaStream_t stream_ = nullptr;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(std::string& why,
                                           const std::function<void(const std::string&)>& note) {
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code != cudaSuccess || count == 0) {
    static_cast<void>(cudaGetLastError());
    why = code == cudaSuccess ? "CUDA finds no device"
                              : "CUDA finds no usable driver: " + cuda_text(code);
    return nullptr;
  }
  auto device = std::make_unique<CudaDevice>(0);
  const LaunchStatus usable = device->kernels().usable();
  if (!usable.ok()) {
    static_cast<void>(cudaGetLastError());
    why = "the device cannot run the kernels of this build (CMAKE_CUDA_ARCHITECTURES): " +
          cuda_text(static_cast<cudaError_t>(usable.code));
    return nullptr;
  }
  return make_kernel_backend(std::move(device), note);
}

}  // namespace gallop

#endif

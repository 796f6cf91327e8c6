// cuBLAS, opened at run time. Empty in builds without CUDA.
#if defined(GALLOP_HAVE_CUDA)

#include "host/runtime/cublas.h"

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include "host/error.h"

namespace gallop {
namespace {

// What NVIDIA recommends for compute capability 9.0. Given explicitly, because cuBLAS would
// allocate its own within a capture, and because its choice among algorithms depends on the room.
constexpr std::size_t kWorkspaceBytes = std::size_t(32) << 20;

struct Functions {
  decltype(&cublasCreate_v2) create;
  decltype(&cublasDestroy_v2) destroy;
  decltype(&cublasGetVersion_v2) version;
  decltype(&cublasSetStream_v2) set_stream;
  decltype(&cublasSetWorkspace_v2) set_workspace;
  decltype(&cublasSetMathMode) set_math_mode;
  decltype(&cublasSgemm_v2) sgemm;
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

// The library stays open to the end of the process: what it holds on the device goes with it.
bool open(Functions& f, std::string& why) {
  void* library = dlopen("libcublas.so.13", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) library = dlopen("libcublas.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    why = fmt::format("cuBLAS was not found ({})", dlerror());
    return false;
  }
  if (find(library, "cublasCreate_v2", f.create) && find(library, "cublasDestroy_v2", f.destroy) &&
      find(library, "cublasGetVersion_v2", f.version) &&
      find(library, "cublasSetStream_v2", f.set_stream) &&
      find(library, "cublasSetWorkspace_v2", f.set_workspace) &&
      find(library, "cublasSetMathMode", f.set_math_mode) &&
      find(library, "cublasSgemm_v2", f.sgemm)) {
    return true;
  }
  why = fmt::format("this libcublas.so lacks a function ({})", dlerror());
  return false;
}

class Cublas : public MatrixProducts {
 public:
  explicit Cublas(const Functions& functions) : f_(functions) {}
  // The driver may be gone by now: what it says is of no use.
  ~Cublas() override {
    if (handle_ != nullptr) static_cast<void>(f_.destroy(handle_));
    if (workspace_ != nullptr) static_cast<void>(cudaFree(workspace_));
  }
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;

  bool start(void* stream, std::string& why) {
    const cudaError_t code = cudaMalloc(&workspace_, kWorkspaceBytes);
    if (code != cudaSuccess) {
      static_cast<void>(cudaGetLastError());  // or the next launch would report it again
      why = fmt::format("cudaMalloc of {} bytes for cuBLAS failed: {}", kWorkspaceBytes,
                        cudaGetErrorString(code));
      return false;
    }
    cublasStatus_t status = f_.create(&handle_);
    if (status == CUBLAS_STATUS_SUCCESS) status = f_.version(handle_, &version_);
    // In this order: a new stream puts the workspace back to cuBLAS's own.
    if (status == CUBLAS_STATUS_SUCCESS) {
      status = f_.set_stream(handle_, static_cast<cudaStream_t>(stream));
    }
    if (status == CUBLAS_STATUS_SUCCESS) {
      status = f_.set_workspace(handle_, workspace_, kWorkspaceBytes);
    }
    if (status == CUBLAS_STATUS_SUCCESS) {
      status = f_.set_math_mode(handle_, CUBLAS_TF32_TENSOR_OP_MATH);
    }
    if (status != CUBLAS_STATUS_SUCCESS) {
      why = fmt::format("cuBLAS does not start (status {})", int(status));
    }
    return status == CUBLAS_STATUS_SUCCESS;
  }

  std::string name() const override {
    return fmt::format("cuBLAS {}.{}.{}", version_ / 10000, version_ / 100 % 100, version_ % 100);
  }

  void multiply(const MatrixProduct& p) override {
    const float one = 1.0f, before = p.adds ? 1.0f : 0.0f;
    const cublasStatus_t status =
        f_.sgemm(handle_, operation(p.a_transposed), operation(p.b_transposed), p.rows, p.columns,
                 p.inner, &one, p.a, p.a_stride, p.b, p.b_stride, &before, p.c, p.c_stride);
    if (status == CUBLAS_STATUS_SUCCESS) return;
    throw Error(ExitCode::cuda,
                fmt::format("cublasSgemm of {} x {} x {} failed: status {}; --set fisher=fused "
                            "does without it",
                            p.rows, p.columns, p.inner, int(status)));
  }

 private:
  static cublasOperation_t operation(bool transposed) {
    return transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  }

  Functions f_;
  cublasHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  int version_ = 0;
};

}  // namespace

std::unique_ptr<MatrixProducts> open_cublas(void* stream, std::string& why) {
  Functions functions;
  if (!open(functions, why)) return nullptr;
  auto cublas = std::make_unique<Cublas>(functions);
  if (!cublas->start(stream, why)) return nullptr;
  return cublas;
}

}  // namespace gallop

#endif

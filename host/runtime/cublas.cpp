// cuBLAS, opened at run time. Empty in builds without CUDA.
#if defined(GALLOP_HAVE_CUDA)

#include <gallop/host/runtime/cublas.h>

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <gallop/host/error.h>

namespace gallop {
namespace {

// What NVIDIA recommends for compute capability 9.0, and enough elsewhere. Given explicitly,
// because cuBLAS would allocate its own within a capture, and because its choice among algorithms
// depends on the room.
constexpr std::size_t kWorkspaceBytes = std::size_t(32) << 20;

// The library's interface as its documentation has it ("cuBLAS datatypes reference" and what
// follows there), so that a build does not need its headers either.
using Handle = struct cublasContext*;
using Status = int;  // cublasStatus_t
using Operation = int;
constexpr Status kSuccess = 0;
constexpr Operation kAsItIs = 0, kTransposed = 1;
constexpr int kTf32Math = 3;  // CUBLAS_TF32_TENSOR_OP_MATH

struct Functions {
  Status (*create)(Handle*);
  Status (*destroy)(Handle);
  Status (*version)(Handle, int*);
  Status (*set_stream)(Handle, cudaStream_t);
  Status (*set_workspace)(Handle, void*, std::size_t bytes);
  Status (*set_math_mode)(Handle, int mode);
  Status (*sgemm)(Handle, Operation, Operation, int m, int n, int k, const float* alpha,
                  const float* a, int lda, const float* b, int ldb, const float* beta, float* c,
                  int ldc);
};

std::string loader_error() {
  const char* const text = dlerror();
  return text == nullptr ? "the loader does not say why" : text;
}

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

// The library stays open to the end of the process: what it holds on the device goes with it.
bool open(Functions& f, std::string& why) {
  // Of the major version of the CUDA runtime that this is built with; else what the development
  // package leaves without one.
  const std::string name = fmt::format("libcublas.so.{}", CUDART_VERSION / 1000);
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    why = fmt::format("cuBLAS was not found ({})", loader_error());
    library = dlopen("libcublas.so", RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) return false;
  if (find(library, "cublasCreate_v2", f.create) && find(library, "cublasDestroy_v2", f.destroy) &&
      find(library, "cublasGetVersion_v2", f.version) &&
      find(library, "cublasSetStream_v2", f.set_stream) &&
      find(library, "cublasSetWorkspace_v2", f.set_workspace) &&
      find(library, "cublasSetMathMode", f.set_math_mode) &&
      find(library, "cublasSgemm_v2", f.sgemm)) {
    return true;
  }
  why = fmt::format("this libcublas.so lacks a function ({})", loader_error());
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
    static_cast<void>(cudaGetDevice(&device_));
    const cudaError_t code = cudaMalloc(&workspace_, kWorkspaceBytes);
    if (code != cudaSuccess) {
      static_cast<void>(cudaGetLastError());  // or the next launch would report it again
      why = fmt::format("cudaMalloc of {} bytes for cuBLAS failed: {}", kWorkspaceBytes,
                        cudaGetErrorString(code));
      return false;
    }
    Status status = f_.create(&handle_);
    if (status == kSuccess) status = f_.version(handle_, &version_);
    // In this order: a new stream puts the workspace back to cuBLAS's own.
    if (status == kSuccess) {
      status = f_.set_stream(handle_, static_cast<cudaStream_t>(stream));
    }
    if (status == kSuccess) {
      status = f_.set_workspace(handle_, workspace_, kWorkspaceBytes);
    }
    if (status == kSuccess) {
      status = f_.set_math_mode(handle_, kTf32Math);
    }
    if (status != kSuccess) {
      why = fmt::format("cuBLAS does not start (status {})", status);
    }
    return status == kSuccess;
  }

  std::string name() const override {
    return fmt::format("cuBLAS {}.{}.{}", version_ / 10000, version_ / 100 % 100, version_ % 100);
  }

  void multiply(const MatrixProduct& p) override {
    static_cast<void>(cudaSetDevice(device_));
    const float one = 1.0f, before = p.adds ? 1.0f : 0.0f;
    const Status status =
        f_.sgemm(handle_, operation(p.a_transposed), operation(p.b_transposed), p.rows, p.columns,
                 p.inner, &one, p.a, p.a_stride, p.b, p.b_stride, &before, p.c, p.c_stride);
    if (status == kSuccess) return;
    throw Error(ExitCode::cuda,
                fmt::format("cublasSgemm of {} x {} x {} failed: status {}; --set fisher=fused "
                            "does without it",
                            p.rows, p.columns, p.inner, status));
  }

 private:
  static Operation operation(bool transposed) { return transposed ? kTransposed : kAsItIs; }

  Functions f_;
  Handle handle_ = nullptr;
  void* workspace_ = nullptr;
  int version_ = 0;
  int device_ = 0;
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

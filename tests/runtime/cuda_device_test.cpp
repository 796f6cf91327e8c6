// What the runtime asks of CUDA: devices by number, errors, the architectures of a build, shared
// memory of kernels and cuBLAS by the toolkit's version. The sources are compiled here once more,
// with tests/runtime/stand_in in the place of CUDA and the tests' executor for the kernels.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/cuda/executor_tables.h"
#include "tests/runtime/stand_in/cuda_runtime_api.h"

namespace gallop::stand_in {

// A loader that finds one library, without functions or with the given ones.
struct Loader {
  std::string name;
  bool has_functions = false;
  const char* error = nullptr;
  std::vector<std::string> asked;
};
inline Loader& loader() {
  static Loader loader;
  return loader;
}
inline void* open_library(const char* name, int) {
  loader().asked.push_back(name);
  return loader().name == name ? static_cast<void*>(&loader()) : nullptr;
}
inline int succeed() { return 0; }
inline void* find_function(void*, const char*) {
  return loader().has_functions ? reinterpret_cast<void*>(&succeed) : nullptr;
}
inline const char* loader_error() { return loader().error; }

inline std::vector<int>& built() {
  static std::vector<int> built = {900};
  return built;
}

}  // namespace gallop::stand_in

// A build with CUDA has the same functions under their own names.
#undef GALLOP_HAVE_CUDA
#define GALLOP_HAVE_CUDA 1
#define make_cuda_backend make_stand_in_backend
#define open_cublas open_stand_in_cublas
#define gallop_cuda_kernels gallop_executor_kernels
#define gallop_cuda_architectures gallop_stand_in_architectures
#define dlopen(name, mode) gallop::stand_in::open_library(name, mode)
#define dlsym(library, name) gallop::stand_in::find_function(library, name)
#define dlerror() gallop::stand_in::loader_error()
#include <gallop/host/runtime/cublas.cpp>
#include <gallop/host/runtime/cuda_device.cpp>
#undef dlopen
#undef dlsym
#undef dlerror

extern "C" const int* gallop_stand_in_architectures(int* count) {
  *count = int(gallop::stand_in::built().size());
  return gallop::stand_in::built().data();
}

#include <gallop/kernels/device/device_limits.cuh>

namespace gallop {
namespace {

using stand_in::runtime;

class CudaDeviceTest : public ::testing::Test {
 protected:
  CudaDeviceTest() {
    runtime() = {};
    stand_in::loader() = {};
    stand_in::built() = {900};
  }

  std::unique_ptr<Backend> make(int index = -1) {
    notes_.clear();
    why_.clear();
    return make_stand_in_backend(index, why_,
                                 [this](const std::string& note) { notes_.push_back(note); });
  }
  // Every call from number `first` on that is about a device.
  static void expect_device(std::size_t first, int device) {
    const auto& calls = runtime().calls;
    ASSERT_LT(first, calls.size());
    for (std::size_t k = first; k < calls.size(); k++) {
      if (calls[k].name == "cudaSetDevice" || calls[k].name == "cudaGetDevice") continue;
      EXPECT_EQ(calls[k].device, device) << calls[k].name;
    }
  }

  std::string why_;
  std::vector<std::string> notes_;
};

TEST_F(CudaDeviceTest, ComputesOnTheCurrentOneOrThatOfANumber) {
  runtime().device = 1;
  ASSERT_NE(make(), nullptr) << why_;
  EXPECT_EQ(runtime().device, 1);
  ASSERT_NE(make(0), nullptr) << why_;
  EXPECT_EQ(runtime().device, 0);
  EXPECT_EQ(make(2), nullptr);
  EXPECT_NE(why_.find("no device 2"), std::string::npos) << why_;
  runtime().n_devices = 0;
  EXPECT_EQ(make(), nullptr);
  EXPECT_NE(why_.find("finds no device"), std::string::npos) << why_;
  runtime().planted["cudaGetDeviceCount"] = cudaErrorNoDevice;
  EXPECT_EQ(make(), nullptr);
  EXPECT_NE(why_.find("no usable driver"), std::string::npos) << why_;
  EXPECT_EQ(runtime().last_error, cudaSuccess);
}

// Between any two calls the thread may have been given another device.
TEST_F(CudaDeviceTest, EveryCallIsAboutItsOwnDevice) {
  const auto backend = make(1);
  ASSERT_NE(backend, nullptr) << why_;
  const auto on_the_other = [&](const auto& call) {
    runtime().device = 0;
    const std::size_t first = runtime().calls.size();
    call();
    expect_device(first, 1);
  };
  void* memory = nullptr;
  float numbers[256] = {3.0f, 4.0f};
  on_the_other([&] { memory = backend->allocate(sizeof(numbers)); });
  on_the_other([&] { backend->clear(memory, sizeof(numbers)); });
  on_the_other([&] { backend->to_device(memory, numbers, sizeof(numbers)); });
  on_the_other([&] { EXPECT_DOUBLE_EQ(norm(*backend, static_cast<float*>(memory), 256), 5.0); });
  on_the_other([&] { backend->copy_bytes(memory, memory, 16); });
  on_the_other([&] { backend->to_host(numbers, memory, sizeof(numbers)); });
  on_the_other([&] { backend->release(memory); });
  runtime().device = 0;
  auto* const x = static_cast<float*>(backend->allocate(64));
  runtime().device = 0;
  backend->add_scaled({x, 1.0f, x, 16});
  EXPECT_EQ(runtime().device, 1) << "a kernel would have gone to the other device";
  runtime().device = 0;
  const std::size_t first = runtime().calls.size();
  const auto add = [&] { backend->add_scaled({x, 1.0f, x, 16}); };
  backend->both(add, [] {});
  expect_device(first, 1);
  backend->release(x);
}

// A stream of the caller's is used and left alone.
TEST_F(CudaDeviceTest, ComputesOnTheCallersStream) {
  const auto count = [](const std::string& name) {
    const auto& calls = runtime().calls;
    return std::count_if(calls.begin(), calls.end(),
                         [&](const auto& call) { return call.name == name; });
  };
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  const auto made = count("cudaStreamCreateWithFlags");
  {
    const auto backend = make_stand_in_backend(-1, why_, nullptr, stream);
    ASSERT_NE(backend, nullptr) << why_;
    EXPECT_EQ(backend->stream(), stream);
    EXPECT_EQ(count("cudaStreamCreateWithFlags"), made + 1) << "the branch's alone";
    void* const memory = backend->allocate(64);
    backend->clear(memory, 64);
    backend->release(memory);
  }
  EXPECT_EQ(count("cudaStreamDestroy"), 1);
  cudaStreamDestroy(stream);
  const auto own = make();
  EXPECT_NE(own->stream(), nullptr);
  EXPECT_THROW(make_stand_in_backend(-1, why_, nullptr, cudaStreamLegacy), Error);
  EXPECT_EQ(make_cpu_backend(1)->stream(), nullptr);
}

// The second stream begins behind the first one, which goes on behind it, also after a failure.
TEST_F(CudaDeviceTest, BranchesPartAndMeet) {
  const auto backend = make();
  ASSERT_NE(backend, nullptr) << why_;
  const auto nothing = [] {};
  const auto calls_of = [&](const std::function<void()>& first) {
    const std::size_t begin = runtime().calls.size();
    try {
      backend->both(first, nothing);
    } catch (const Error&) {
    }
    std::vector<std::string> names;
    for (std::size_t k = begin; k < runtime().calls.size(); k++) {
      if (runtime().calls[k].name != "cudaSetDevice") names.push_back(runtime().calls[k].name);
    }
    return names;
  };
  const std::vector<std::string> expected = {"cudaEventRecord", "cudaStreamWaitEvent",
                                             "cudaEventRecord", "cudaStreamWaitEvent"};
  EXPECT_EQ(calls_of(nothing), expected);
  EXPECT_EQ(calls_of([] { throw value_error("planted"); }), expected);
  runtime().planted["cudaStreamWaitEvent"] = cudaErrorInvalidValue;
  EXPECT_THROW(backend->both(nothing, nothing), Error);
  EXPECT_EQ(runtime().last_error, cudaSuccess);
  backend->both(nothing, nothing);
}

// A failed call throws, and leaves nothing behind that the next launch would report.
TEST_F(CudaDeviceTest, AFailedCallIsNotReportedTwice) {
  const auto backend = make();
  ASSERT_NE(backend, nullptr) << why_;
  auto* const x = static_cast<float*>(backend->allocate(64));
  const auto fails = [&](const char* name, const auto& call) {
    runtime().planted[name] = cudaErrorInvalidValue;
    EXPECT_THROW(call(), Error) << name;
    EXPECT_EQ(runtime().last_error, cudaSuccess) << name;
  };
  float number = 0.0f;
  fails("cudaMemsetAsync", [&] { backend->clear(x, 64); });
  fails("cudaMemcpyAsync", [&] { backend->to_device(x, &number, 4); });
  fails("cudaStreamSynchronize", [&] { backend->to_host(&number, x, 4); });
  fails("cudaMalloc", [&] { backend->allocate(64); });
  fails("cudaSetDevice", [&] { backend->clear(x, 64); });
  runtime().planted["cudaFree"] = cudaErrorInvalidValue;
  backend->release(x);
  EXPECT_EQ(runtime().last_error, cudaSuccess);
}

TEST_F(CudaDeviceTest, KernelsRunOnWhatTheyWereCompiledFor) {
  const auto made_on = [&](int capability) {
    runtime().capability = capability;
    return make() != nullptr;
  };
  EXPECT_TRUE(made_on(90));
  EXPECT_TRUE(notes_.empty());
  EXPECT_TRUE(made_on(120));  // by its driver, from what was compiled for 9.0
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("12.0"), std::string::npos) << notes_[0];
  EXPECT_NE(notes_[0].find("CMAKE_CUDA_ARCHITECTURES=120"), std::string::npos) << notes_[0];
  EXPECT_FALSE(made_on(80));
  EXPECT_NE(why_.find("CMAKE_CUDA_ARCHITECTURES=80"), std::string::npos) << why_;
  stand_in::built() = {800, 860};
  EXPECT_TRUE(made_on(80));
  EXPECT_TRUE(made_on(89));  // the same major number
  EXPECT_TRUE(notes_.empty());
  EXPECT_TRUE(made_on(100));
  EXPECT_FALSE(notes_.empty());
  EXPECT_FALSE(made_on(75));
}

// Once and for all that the device has, so that no launch lowers what another one needs.
TEST_F(CudaDeviceTest, KernelsAreAllowedTheSharedMemoryOfTheDevice) {
  int kernel = 0;
  cudaFuncAttributes& has = runtime().functions[&kernel];
  for (const int shared_bytes : {99 * 1024, 163 * 1024, 227 * 1024}) {
    runtime().shared_bytes = shared_bytes;
    for (const int before : {48 * 1024, 48 * 1024 - 256}) {  // with its static arrays or without
      has.sharedSizeBytes = 256;
      has.maxDynamicSharedSizeBytes = before;
      runtime().n_attributes_set = 0;
      EXPECT_EQ(allow_shared_memory(&kernel), cudaSuccess);
      EXPECT_EQ(has.maxDynamicSharedSizeBytes, shared_bytes - 256);
      EXPECT_EQ(allow_shared_memory(&kernel), cudaSuccess);
      EXPECT_EQ(runtime().n_attributes_set, 2) << "the limit and the carveout";
    }
    EXPECT_EQ(shared_room(), shared_bytes - long(kStaticSharedBytes));
  }
  for (const char* call : {"cudaFuncGetAttributes", "cudaFuncSetAttribute"}) {
    has.maxDynamicSharedSizeBytes = 48 * 1024;
    runtime().planted[call] = cudaErrorInvalidValue;
    EXPECT_EQ(allow_shared_memory(&kernel), cudaErrorInvalidValue) << call;
    EXPECT_EQ(runtime().last_error, cudaSuccess) << call;
  }
  runtime().planted["cudaDeviceGetAttribute"] = cudaErrorInvalidValue;
  EXPECT_EQ(device_limits().shared_bytes, kDefaultSharedBytes);
  EXPECT_EQ(runtime().last_error, cudaSuccess);
}

TEST_F(CudaDeviceTest, CublasIsThatOfTheToolkit) {
  StandInStream stream = {0};
  stand_in::loader().error = "not there";
  EXPECT_EQ(open_stand_in_cublas(&stream, why_), nullptr);
  EXPECT_EQ(stand_in::loader().asked,
            (std::vector<std::string>{"libcublas.so.12", "libcublas.so"}));
  EXPECT_NE(why_.find("not there"), std::string::npos) << why_;
  stand_in::loader().error = nullptr;  // which the loader may say, too
  EXPECT_EQ(open_stand_in_cublas(&stream, why_), nullptr);
  EXPECT_NE(why_.find("cuBLAS was not found"), std::string::npos) << why_;
  stand_in::loader().name = "libcublas.so.12";
  EXPECT_EQ(open_stand_in_cublas(&stream, why_), nullptr);
  EXPECT_NE(why_.find("lacks a function"), std::string::npos) << why_;
  stand_in::loader().has_functions = true;
  EXPECT_NE(open_stand_in_cublas(&stream, why_), nullptr) << why_;
}

}  // namespace
}  // namespace gallop

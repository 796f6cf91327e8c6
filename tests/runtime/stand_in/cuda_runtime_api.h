// In the place of the CUDA runtime, for the tests of what calls it: devices whose memory is the
// host's, errors that are planted, and a record of the calls and of the device that each is about.
// Of the functions those that this project calls, with their documented meanings; the names are
// CUDA's. Internal to the file that includes it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#define CUDART_VERSION 12040

using cudaError_t = int;
constexpr cudaError_t cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2,
                      cudaErrorNoDevice = 100, cudaErrorInvalidDevice = 101;
using cudaStream_t = struct StandInStream*;
using cudaEvent_t = int*;
using cudaGraph_t = int*;
using cudaGraphExec_t = int*;
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount,
  cudaDevAttrComputeCapabilityMajor,
  cudaDevAttrComputeCapabilityMinor,
  cudaDevAttrMaxSharedMemoryPerBlockOptin
};
enum cudaFuncAttribute {
  cudaFuncAttributeMaxDynamicSharedMemorySize,
  cudaFuncAttributePreferredSharedMemoryCarveout
};
constexpr int cudaSharedmemCarveoutMaxShared = 100;
#define cudaStreamLegacy (reinterpret_cast<cudaStream_t>(1))
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDefault = 0, cudaEventDisableTiming = 2;
constexpr int cudaStreamCaptureModeThreadLocal = 1;
struct cudaFuncAttributes {
  std::size_t sharedSizeBytes = 0;
  int maxDynamicSharedSizeBytes = 0;
};

struct StandInStream {
  int device;
};

namespace gallop::stand_in {

struct Call {
  std::string name;
  int device;  // the thread's current one
};

struct Runtime {
  int n_devices = 2;
  int capability = 90;  // 9.0
  int shared_bytes = 227 * 1024;
  int device = 0;  // current
  cudaError_t last_error = cudaSuccess;
  std::map<std::string, cudaError_t> planted;  // by call: fails once
  std::vector<Call> calls;
  std::map<const void*, cudaFuncAttributes> functions;
  int n_attributes_set = 0;
};
inline Runtime& runtime() {
  static Runtime runtime;
  return runtime;
}

inline cudaError_t fail(cudaError_t code) { return runtime().last_error = code; }
// Notes the call; not 0 where it is to fail.
inline cudaError_t begin(const char* name) {
  Runtime& r = runtime();
  r.calls.push_back({name, r.device});
  const auto found = r.planted.find(name);
  if (found == r.planted.end()) return cudaSuccess;
  const cudaError_t code = found->second;
  r.planted.erase(found);
  return fail(code);
}
// A stream takes work of its own device only.
inline cudaError_t begin_on(const char* name, cudaStream_t stream) {
  const cudaError_t code = begin(name);
  return code == cudaSuccess && stream->device != runtime().device ? fail(cudaErrorInvalidDevice)
                                                                   : code;
}

}  // namespace gallop::stand_in

static inline cudaError_t cudaGetLastError() {
  const cudaError_t code = gallop::stand_in::runtime().last_error;
  gallop::stand_in::runtime().last_error = cudaSuccess;
  return code;
}
static inline const char* cudaGetErrorName(cudaError_t) { return "cudaErrorPlanted"; }
static inline const char* cudaGetErrorString(cudaError_t) { return "as planted"; }

static inline cudaError_t cudaGetDeviceCount(int* count) {
  *count = gallop::stand_in::runtime().n_devices;
  return gallop::stand_in::begin("cudaGetDeviceCount");
}
static inline cudaError_t cudaGetDevice(int* device) {
  *device = gallop::stand_in::runtime().device;
  return gallop::stand_in::begin("cudaGetDevice");
}
static inline cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= gallop::stand_in::runtime().n_devices) {
    return gallop::stand_in::fail(cudaErrorInvalidDevice);
  }
  gallop::stand_in::runtime().device = device;
  return gallop::stand_in::begin("cudaSetDevice");
}
static inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  const auto& r = gallop::stand_in::runtime();
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = 132;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = r.capability / 10;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = r.capability % 10;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = r.shared_bytes;
      break;
  }
  return gallop::stand_in::begin("cudaDeviceGetAttribute");
}

static inline cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  const cudaError_t code = gallop::stand_in::begin("cudaMalloc");
  *memory = code == cudaSuccess ? std::malloc(bytes) : nullptr;
  return code;
}
static inline cudaError_t cudaFree(void* memory) {
  std::free(memory);
  return gallop::stand_in::begin("cudaFree");
}
static inline cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = 10, *total = 20;
  return gallop::stand_in::begin("cudaMemGetInfo");
}
static inline cudaError_t cudaMemsetAsync(void* memory, int byte, std::size_t bytes,
                                          cudaStream_t stream) {
  const cudaError_t code = gallop::stand_in::begin_on("cudaMemsetAsync", stream);
  if (code == cudaSuccess) std::memset(memory, byte, bytes);
  return code;
}
static inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes,
                                          cudaMemcpyKind, cudaStream_t stream) {
  const cudaError_t code = gallop::stand_in::begin_on("cudaMemcpyAsync", stream);
  if (code == cudaSuccess) std::memcpy(to, from, bytes);
  return code;
}

static inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new StandInStream{gallop::stand_in::runtime().device};
  return gallop::stand_in::begin("cudaStreamCreateWithFlags");
}
static inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return gallop::stand_in::begin("cudaStreamDestroy");
}
static inline cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return gallop::stand_in::begin("cudaStreamSynchronize");
}
static inline cudaError_t cudaStreamBeginCapture(cudaStream_t stream, int) {
  return gallop::stand_in::begin_on("cudaStreamBeginCapture", stream);
}
static inline cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  return gallop::stand_in::begin_on("cudaStreamEndCapture", stream);
}
static inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* ready, cudaGraph_t, int) {
  *ready = nullptr;
  return gallop::stand_in::begin("cudaGraphInstantiate");
}
static inline cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t stream) {
  return gallop::stand_in::begin_on("cudaGraphLaunch", stream);
}
static inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t) { return cudaSuccess; }
static inline cudaError_t cudaGraphDestroy(cudaGraph_t) { return cudaSuccess; }
static inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = nullptr;
  return gallop::stand_in::begin("cudaEventCreateWithFlags");
}
static inline cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t, unsigned) {
  return gallop::stand_in::begin_on("cudaStreamWaitEvent", stream);
}
static inline cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }
static inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t stream) {
  return gallop::stand_in::begin_on("cudaEventRecord", stream);
}
static inline cudaError_t cudaEventSynchronize(cudaEvent_t) {
  return gallop::stand_in::begin("cudaEventSynchronize");
}
static inline cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {
  *milliseconds = 1.5f;
  return gallop::stand_in::begin("cudaEventElapsedTime");
}

static inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes,
                                                const void* function) {
  *attributes = gallop::stand_in::runtime().functions[function];
  return gallop::stand_in::begin("cudaFuncGetAttributes");
}
static inline cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute,
                                               int value) {
  auto& r = gallop::stand_in::runtime();
  const cudaError_t code = gallop::stand_in::begin("cudaFuncSetAttribute");
  if (code != cudaSuccess) return code;
  r.n_attributes_set++;
  cudaFuncAttributes& has = r.functions[function];
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value < 0 || std::size_t(value) + has.sharedSizeBytes > std::size_t(r.shared_bytes)) {
    return gallop::stand_in::fail(cudaErrorInvalidValue);
  }
  has.maxDynamicSharedSizeBytes = value;
  return cudaSuccess;
}

// gallop_gpu_planted memcheck|racecheck|initcheck|synccheck: a kernel with the error that the tool
// of that name has to find. It computes nothing else, and ends with success.
#include <cstdio>
#include <cstring>

namespace {

// A write beyond the end of the only allocation: what lies in another one is no error to memcheck.
__global__ void write_beyond(float* x, int n) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i <= n) x[i] = 1.0f;
}

// Neighbours exchange through shared memory without a barrier.
__global__ void race(float* x) {
  __shared__ float values[128];
  values[threadIdx.x] = x[threadIdx.x];
  x[threadIdx.x] = values[(threadIdx.x + 64) % 128];
}

// A read of memory that nobody wrote.
__global__ void read_unwritten(const float* x, float* out) { out[threadIdx.x] = x[threadIdx.x]; }

// Half of a warp waits for the other half, which it does not belong to. A barrier of the block that
// some threads leave out by returning would be no error: the device counts those that are left.
__global__ void wait_for_others(float* x) {
  if (threadIdx.x < 16) __syncwarp(0xffff0000u);
  x[threadIdx.x] = 1.0f;
}

}  // namespace

int main(int argc, char** argv) {
  const char* const tool = argc == 2 ? argv[1] : "";
  const bool reads = std::strcmp(tool, "initcheck") == 0;
  float *x = nullptr, *out = nullptr;
  if (cudaMalloc(&x, 128 * sizeof(float)) != cudaSuccess ||
      (reads && cudaMalloc(&out, 128 * sizeof(float)) != cudaSuccess)) {
    std::fprintf(stderr, "gallop_gpu_planted: no device\n");
    return 7;
  }
  if (std::strcmp(tool, "memcheck") == 0) {
    write_beyond<<<2, 128>>>(x, 128);
  } else if (std::strcmp(tool, "racecheck") == 0) {
    if (cudaMemset(x, 0, 128 * sizeof(float)) != cudaSuccess) return 7;
    race<<<1, 128>>>(x);
  } else if (reads) {
    read_unwritten<<<1, 128>>>(x, out);
  } else if (std::strcmp(tool, "synccheck") == 0) {
    wait_for_others<<<1, 32>>>(x);
  } else {
    std::fprintf(stderr, "gallop_gpu_planted: unknown tool '%s'\n", tool);
    return 2;
  }
  // A tool's own exit code is given only where the program has none: the error is the tool's to
  // tell.
  (void)cudaDeviceSynchronize();
  return 0;
}

// One kernel for each fact that scripts/kernel_facts.py checks, of which none holds here: what
// `.ci/run planted kernel_facts` compiles, without --fmad=false. It is never run.
__global__ void add_to_shared(unsigned long long* x) {
  __shared__ unsigned long long sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, x[threadIdx.x]);
  __syncthreads();
  if (threadIdx.x == 0) *x = sum;
}

__global__ void divide(long long* x, long long by) { x[threadIdx.x] /= by; }

__global__ void fuse(float* x, float a) {
  x[threadIdx.x] = a * x[threadIdx.x] + x[threadIdx.x + 1];
}
__global__ void multiply(float* x, float a) { x[threadIdx.x] *= a; }

__global__ void flush(float* x) {
  asm("add.rn.ftz.f32 %0, %0, 0f3F800000;" : "+f"(x[threadIdx.x]));
}

// Each load says where the next one is.
__global__ void gae_scan_kernel(const int* next, int n) {
  int at = int(threadIdx.x);
#pragma unroll 1
  for (int k = 0; k < n; k++) at = next[at];
  const_cast<int*>(next)[threadIdx.x] = at;
}

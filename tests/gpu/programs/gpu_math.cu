// gallop_gpu_math [--plant] COMMIT: the functions of kernels/numerics on every float of their
// domains, computed by the device and by this machine's processor, whose bits have to be the same.
// Prints CSV, a line a function, and fails where any bit differs. With --plant the device changes
// one result, and it has to fail.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <gallop/kernels/numerics/math.h>

namespace gallop::testing {
namespace {

// Each on all floats up to a magnitude, infinity where its domain is all of them.
enum class Function {
  kReciprocal,
  kReciprocalInRange,  // 0 below the range
  kSqrt,
  kSin,
  kCos,
  kExp,
  kLog,
  kTanh,
  kFloor,
  kPow,  // of two numbers: each float beside one that its bits choose
  kAtan2,
  kToInt
};
constexpr const char* kNames[] = {"reciprocal", "reciprocal_in_range",
                                  "sqrt",       "sin",
                                  "cos",        "exp",
                                  "log",        "tanh",
                                  "floor",      "pow",
                                  "atan2",      "to_int"};

template <Function kFunction>
GALLOP_HD float bound() {
  constexpr bool kPeriodic = kFunction == Function::kSin || kFunction == Function::kCos;
  if constexpr (kPeriodic) return 1e5f;
  if constexpr (kFunction == Function::kReciprocalInRange) return 0x1p100f;
  return __builtin_inff();
}
// Any float, or for every other x one of a size that keeps powers of it in range.
GALLOP_HD float second_of(float x) {
  std::uint32_t bits = std::uint32_t(as_int(x)) * 0x9e3779b1u;
  bits ^= bits >> 15;
  if ((bits & 1u) != 0) bits = (bits & 0x80000000u) | (0x3c000000u + (bits & 0x07ffffffu));
  return as_float(std::int32_t(bits));
}
template <Function kFunction>
GALLOP_HD float value_at(float x) {
  if constexpr (kFunction == Function::kReciprocal) return reciprocal(x);
  if constexpr (kFunction == Function::kReciprocalInRange) {
    return gallop::abs(x) < 0x1p-100f ? 0.0f : reciprocal_in_range(x);
  }
  if constexpr (kFunction == Function::kSqrt) return gallop::sqrt(x);
  if constexpr (kFunction == Function::kSin) return gallop::sin(x);
  if constexpr (kFunction == Function::kCos) return gallop::cos(x);
  if constexpr (kFunction == Function::kExp) return gallop::exp(x);
  if constexpr (kFunction == Function::kLog) return gallop::log(x);
  if constexpr (kFunction == Function::kTanh) return gallop::tanh(x);
  if constexpr (kFunction == Function::kFloor) return gallop::floor(x);
  if constexpr (kFunction == Function::kPow) return gallop::pow(x, second_of(x));
  if constexpr (kFunction == Function::kAtan2) return gallop::atan2(x, second_of(x));
  if constexpr (kFunction == Function::kToInt) return to_real(to_int(x));
}

// Inputs by their bits, in blocks of 65 536. One NaN is as good as another.
constexpr int kBlocks = 65536, kThreads = 256;
constexpr std::uint32_t kBlock = 65536, kPlanted = 0x3f9d70a4;

template <Function kFunction>
GALLOP_HD std::uint32_t result_bits(std::uint32_t input) {
  const float x = as_float(std::int32_t(input));
  if (!(gallop::abs(x) <= bound<kFunction>())) return x == x ? 0u : 1u;
  const float y = value_at<kFunction>(x);
  return y == y ? std::uint32_t(as_int(y)) : 1u;
}
// Depends on which input has which result; sums of it do not depend on the order.
GALLOP_HD std::uint64_t mixed(std::uint32_t input, std::uint32_t result) {
  std::uint64_t z = (std::uint64_t(input) << 32 | result) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9ull;
  return z ^ (z >> 32);
}

template <Function kFunction>
__global__ void sum_blocks(bool plant, unsigned long long* sum) {
  const std::uint32_t first = blockIdx.x * kBlock;
  std::uint64_t total = 0;
  for (std::uint32_t k = threadIdx.x; k < kBlock; k += kThreads) {
    std::uint32_t result = result_bits<kFunction>(first + k);
    if (plant && first + k == kPlanted) result ^= 1u;
    total += mixed(first + k, result);
  }
  atomicAdd(sum + blockIdx.x, total);
}
template <Function kFunction>
__global__ void list_block(bool plant, std::uint32_t first, std::uint32_t* result) {
  for (std::uint32_t k = threadIdx.x; k < kBlock; k += kThreads) {
    result[k] = result_bits<kFunction>(first + k);
    if (plant && first + k == kPlanted) result[k] ^= 1u;
  }
}

template <Function kFunction>
std::vector<unsigned long long> sums_here() {
  std::vector<unsigned long long> sum(kBlocks);
  std::atomic<int> next = 0;
  const auto work = [&] {
    for (int block; (block = next++) < kBlocks;) {
      std::uint64_t total = 0;
      for (std::uint32_t k = 0; k < kBlock; k++) {
        const std::uint32_t input = std::uint32_t(block) * kBlock + k;
        total += mixed(input, result_bits<kFunction>(input));
      }
      sum[std::size_t(block)] = total;
    }
  };
  std::vector<std::thread> threads(std::thread::hardware_concurrency());
  for (std::thread& thread : threads) thread = std::thread(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return sum;
}

void must(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "gallop_gpu_math: %s: %s\n", what, cudaGetErrorString(status));
  std::exit(7);
}

// Whether all bits are the same.
template <Function kFunction>
bool compare(bool plant, const char* commit) {
  unsigned long long* device_sums = nullptr;
  std::uint32_t* listed = nullptr;
  must(cudaMalloc(&device_sums, kBlocks * sizeof *device_sums), "no device");
  must(cudaMalloc(&listed, kBlock * sizeof *listed), "no memory");
  must(cudaMemset(device_sums, 0, kBlocks * sizeof *device_sums), "clearing");
  sum_blocks<kFunction><<<kBlocks, kThreads>>>(plant, device_sums);
  must(cudaGetLastError(), "launch");
  const std::vector<unsigned long long> here = sums_here<kFunction>();
  std::vector<unsigned long long> there(kBlocks);
  must(cudaMemcpy(there.data(), device_sums, kBlocks * sizeof there[0], cudaMemcpyDeviceToHost),
       "sums");
  int different = 0, first = -1;
  for (int block = kBlocks - 1; block >= 0; block--) {
    if (here[std::size_t(block)] == there[std::size_t(block)]) continue;
    different++;
    first = block;
  }
  std::printf("%s,%g,%d,", kNames[int(kFunction)], double(bound<kFunction>()), different);
  if (first >= 0) {
    std::vector<std::uint32_t> result(kBlock);
    list_block<kFunction><<<1, kThreads>>>(plant, std::uint32_t(first) * kBlock, listed);
    must(cudaMemcpy(result.data(), listed, kBlock * sizeof result[0], cudaMemcpyDeviceToHost),
         "results");
    for (std::uint32_t k = 0; k < kBlock; k++) {
      const std::uint32_t input = std::uint32_t(first) * kBlock + k,
                          own = result_bits<kFunction>(input);
      if (own == result[k]) continue;
      std::printf("%08x,%08x,%08x", input, own, result[k]);
      break;
    }
  } else {
    std::printf(",,");
  }
  std::printf(",%s\n", commit);
  std::fflush(stdout);
  must(cudaFree(device_sums), "freeing");
  must(cudaFree(listed), "freeing");
  return different == 0;
}

template <Function... kFunctions>
int compare_all(bool plant, const char* commit) {
  int different = 0;
  ((different += compare<kFunctions>(plant, commit) ? 0 : 1), ...);
  std::fprintf(stderr, "%d functions, %d differ\n", int(sizeof...(kFunctions)), different);
  return different == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  const bool plant = argc > 1 && std::strcmp(argv[1], "--plant") == 0;
  const int rest = plant ? 2 : 1;
  if (argc != rest + 1) {
    std::fprintf(stderr, "usage: gallop_gpu_math [--plant] COMMIT\n");
    return 2;
  }
  std::printf("function,greatest_input,blocks_that_differ,first_input,cpu,gpu,commit\n");
  if (plant) return compare_all<Function::kReciprocal>(true, argv[rest]);
  return compare_all<Function::kReciprocal, Function::kReciprocalInRange, Function::kSqrt,
                     Function::kSin, Function::kCos, Function::kExp, Function::kLog,
                     Function::kTanh, Function::kFloor, Function::kPow, Function::kAtan2,
                     Function::kToInt>(false, argv[rest]);
}

}  // namespace
}  // namespace gallop::testing

int main(int argc, char** argv) { return gallop::testing::run(argc, argv); }

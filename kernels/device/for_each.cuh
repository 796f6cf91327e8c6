#pragma once

#include <gallop/kernels/device/launch.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr unsigned kForEachBlock = 128;

// Numbers of elements that kernels divide: in 32 bits, since a division of 64 bits is a subroutine.
// Launchers refuse more.
constexpr long kMostElements = 0xffffffff;

// One thread per element: calls body(i) for i in [0, n).
template <class Body>
__global__ void __launch_bounds__(kForEachBlock) for_each_kernel(long n, Body body) {
  const long i = static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) body(i);
}

// Launches a body whose calls do not depend on each other; on the CPU the same body runs in a loop.
// Body is a struct of pointers and sizes with a host-device operator()(long). n = 0 launches
// nothing.
template <class Body>
LaunchStatus for_each(const char* name, long n, void* stream, const Body& body) {
  if (n == 0) return {0, name};
  const LaunchConfig config{.name = name,
                            .grid = blocks_for(static_cast<std::size_t>(n), kForEachBlock),
                            .block = kForEachBlock,
                            .stream = stream};
  return launch(config, for_each_kernel<Body>, n, body);
}

}  // namespace gallop::inline GALLOP_ISA

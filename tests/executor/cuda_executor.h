#pragma once

// Runs CUDA kernels block by block on the CPU, one fiber per CUDA thread, for tests.
//
// A test includes this header first and the kernels after it, as plain C++:
//
//   #include "tests/executor/cuda_executor.h"
//
//   #include <gallop/kernels/reduce/some_kernel.cuh>
//
// and calls the kernels' own launchers, which go through gallop::launch
// (kernels/device/launch.cuh). ScopedOptions chooses the order of the threads and the number of
// host threads; a kernel's test runs it in all of kAllOrders. A kernel that CUDA would leave
// undefined throws KernelFault: threads at different barriers, a thread that returns while others
// wait for it, a lane missing from its own mask, a write beyond shared memory. Shared memory that
// was never written holds NaNs; under AddressSanitizer a read beyond it is an error. The lanes of a
// warp do not run in lock-step, and a kernel must not wait for another block.

#define GALLOP_CUDA_EXECUTOR 1

#include "tests/executor/cuda_atomics.h"
#include "tests/executor/cuda_intrinsics.h"
#include "tests/executor/cuda_language.h"
#include "tests/executor/grid.h"
#include "tests/executor/kernel_fault.h"
#include "tests/executor/options.h"

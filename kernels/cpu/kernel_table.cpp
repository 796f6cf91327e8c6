// Compiled once for each instruction set.
#include "kernels/cpu/kernel_table.h"

#include "kernels/cpu/native.h"

namespace gallop::inline GALLOP_ISA {

static constexpr CpuKernels kKernels = {kLanesOf<Native>, &rollout<Native>, &act<Native>,
                                        &evaluate<Native>};

}  // namespace gallop::inline GALLOP_ISA

#define GALLOP_PASTE_(a, b) a##_##b
#define GALLOP_PASTE(a, b) GALLOP_PASTE_(a, b)
extern "C" const gallop::CpuKernels* GALLOP_PASTE(gallop_cpu_kernels, GALLOP_ISA)() {
  return &gallop::GALLOP_ISA::kKernels;
}

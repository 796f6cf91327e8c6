// Compiled once for each instruction set.
#include <gallop/kernels/tables/kernel_table.h>

#include <gallop/kernels/numerics/native.h>

namespace gallop::inline GALLOP_ISA {

static constexpr CpuKernels kKernels = {
#define GALLOP_ENTRY(name, Request) &name<Native>,
    GALLOP_OPERATIONS(GALLOP_ENTRY)              //
    GALLOP_ENVIRONMENT_OPERATIONS(GALLOP_ENTRY)  //
#undef GALLOP_ENTRY
    & act<Native>};

}  // namespace gallop::inline GALLOP_ISA

extern "C" const gallop::CpuKernels* GALLOP_OF_ISA(gallop_cpu_kernels)() {
  return &gallop::GALLOP_ISA::kKernels;
}

#include "tests/learning/kernel_sets.h"

#include <gallop_isas.h>

#include <cstdlib>
#include <limits>
#include <new>

#include "tests/sims/environment_tables.h"

extern "C" const gallop::CpuKernels* gallop_cpu_kernels_isa_scalar();

namespace gallop::testing {

const std::vector<KernelSet>& kernel_sets() {
  static const std::vector<KernelSet> sets = [] {
    std::vector<KernelSet> found = {{"scalar", gallop_cpu_kernels_isa_scalar()}};
#define GALLOP_USE(isa) \
  if (processor_has(Isa::isa)) found.push_back({#isa, &cpu_kernels(Isa::isa)});
    GALLOP_FOR_EACH_ISA(GALLOP_USE)
    return found;
  }();
  return sets;
}

Floats::Floats(long count) : count_(count) {
  const std::size_t bytes = (std::size_t(count) * sizeof(float) + 127) / 64 * 64;
  data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
  if (data_ == nullptr) throw std::bad_alloc();
  for (std::size_t i = 0; i < bytes / sizeof(float); i++) {
    data_[i] = std::numeric_limits<float>::quiet_NaN();
  }
}

void Floats::Release::operator()(float* memory) const { std::free(memory); }

}  // namespace gallop::testing

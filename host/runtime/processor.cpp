#include "host/runtime/processor.h"

#include <sched.h>

#include <cstdlib>
#include <string_view>

#include "host/error.h"

extern "C" const gallop::CpuKernels* gallop_cpu_kernels_isa_v3();
extern "C" const gallop::CpuKernels* gallop_cpu_kernels_isa_v4();

namespace gallop {
namespace {

bool has_v3() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

}  // namespace

const char* isa_name(Isa isa) { return isa == Isa::v4 ? "v4" : "v3"; }

Isa processor_isa() {
  __builtin_cpu_init();
  if (!has_v3()) {
    throw Error(ExitCode::unsupported_processor,
                "this processor has no AVX2 and FMA; Gallop needs both (x86-64-v3) because its "
                "results rest on fused multiply-adds. Use a processor of 2013 or later");
  }
  const char* asked = std::getenv("GALLOP_ISA");
  if (asked == nullptr || *asked == 0) return has_v4() ? Isa::v4 : Isa::v3;
  const std::string_view name = asked;
  if (name == "v3") return Isa::v3;
  if (name == "v4" && has_v4()) return Isa::v4;
  throw value_error("GALLOP_ISA is '" + std::string(name) + "'; expected v3" +
                    (has_v4() ? " or v4" : " on this processor, which has no AVX-512"));
}

const CpuKernels& cpu_kernels(Isa isa) {
  return isa == Isa::v4 ? *gallop_cpu_kernels_isa_v4() : *gallop_cpu_kernels_isa_v3();
}

const EnvironmentTable& environment_table(const EnvironmentEntry& entry, Isa isa) {
  return isa == Isa::v4 ? *entry.v4() : *entry.v3();
}

int available_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  const int count = CPU_COUNT(&set);
  return count < 1 ? 1 : count;
}

}  // namespace gallop

#include <gallop/host/runtime/processor.h>

#include <gallop_isas.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include <gallop/host/error.h>
#include <gallop/host/runtime/processor_quota.h>

#define GALLOP_DECLARE_KERNELS(isa) \
  extern "C" const gallop::CpuKernels* gallop_cpu_kernels_isa_##isa();
GALLOP_FOR_EACH_ISA(GALLOP_DECLARE_KERNELS)

namespace gallop {
namespace {

constexpr const char* kIsaNames[kNumIsas] = {"v3", "v4"};  // of Isa, best last
const CpuKernels* (*const kCompiled[kNumIsas])() = GALLOP_ISA_FUNCTIONS(gallop_cpu_kernels);

bool is_compiled(Isa isa) { return kCompiled[int(isa)] != nullptr; }
bool is_usable(Isa isa) { return is_compiled(isa) && processor_has(isa); }

// The names of the instruction sets for which `holds`, as "v3 or v4".
std::string names_where(bool (*holds)(Isa)) {
  std::string names;
  for (int k = 0; k < kNumIsas; k++) {
    if (holds(Isa(k))) names += (names.empty() ? "" : " or ") + std::string(kIsaNames[k]);
  }
  return names;
}

}  // namespace

const char* isa_name(Isa isa) { return kIsaNames[int(isa)]; }

bool processor_has(Isa isa) {
  __builtin_cpu_init();
  const bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::v3) return has_v3;
  return has_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

Isa processor_isa() {
  if (!processor_has(Isa::v3)) {
    throw Error(ExitCode::unsupported_processor,
                "this processor has no AVX2 and FMA; Gallop needs both (x86-64-v3) because its "
                "results rest on fused multiply-adds. Use a processor of 2013 or later");
  }
  const std::string usable = names_where(is_usable);
  if (usable.empty()) {
    throw Error(ExitCode::unsupported_processor,
                "this build has kernels for " + names_where(is_compiled) +
                    ", and this processor only for " + names_where(processor_has) +
                    "; build for it: GALLOP_ISAS=native ./gallop COMMAND, or cmake "
                    "-DGALLOP_ISAS=" +
                    names_where(processor_has));
  }
  const char* asked = std::getenv("GALLOP_ISA");
  const std::string name = asked == nullptr ? "" : asked;
  for (int k = kNumIsas - 1; k >= 0; k--) {
    if (is_usable(Isa(k)) && (name.empty() || name == kIsaNames[k])) return Isa(k);
  }
  for (int k = 0; k < kNumIsas; k++) {
    if (name == kIsaNames[k] && processor_has(Isa(k))) {
      throw value_error("GALLOP_ISA is '" + name + "', which this build lacks: it has " + usable +
                        ". Build it: GALLOP_ISAS=all ./gallop COMMAND, or cmake "
                        "\"-DGALLOP_ISAS=v3;v4\"");
    }
  }
  throw value_error("GALLOP_ISA is '" + name + "'; expected " + usable +
                    (processor_has(Isa::v4) ? "" : " on this processor, which has no AVX-512"));
}

const CpuKernels& cpu_kernels(Isa isa) {
  if (!is_compiled(isa)) {
    throw internal_error(std::string("no kernels were compiled for ") + isa_name(isa));
  }
  return *kCompiled[int(isa)]();
}

const EnvironmentTable& environment_table(const EnvironmentEntry& entry, Isa isa) {
  if (entry.compiled[int(isa)] == nullptr) {
    throw value_error(std::string("the environment ") + entry.type + " was not compiled for " +
                      isa_name(isa) +
                      ", which this process uses; build it with the GALLOP_ISAS of the library");
  }
  return *entry.compiled[int(isa)]();
}

int available_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  const int count = std::max(1, CPU_COUNT(&set));
  const int quota = quota_processors();
  return quota > 0 ? std::min(count, quota) : count;
}

}  // namespace gallop

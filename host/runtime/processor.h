#pragma once

#include "host/registry/generated.h"
#include "kernels/cpu/kernel_table.h"

namespace gallop {

// The instruction sets that kernels are compiled for.
enum class Isa { v3, v4 };

const char* isa_name(Isa isa);

// The best instruction set of this processor; GALLOP_ISA=v3 in the environment asks for the lesser
// one. Throws an Error (unsupported_processor) below AVX2 and FMA, and for an unknown GALLOP_ISA.
Isa processor_isa();

const CpuKernels& cpu_kernels(Isa isa);
const EnvironmentTable& environment_table(const EnvironmentEntry& entry, Isa isa);

// Processors that this process may run on, at least 1.
int available_processors();

}  // namespace gallop

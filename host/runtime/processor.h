#pragma once

#include <gallop/host/registry/generated.h>
#include <gallop/kernels/tables/kernel_table.h>

namespace gallop {

const char* isa_name(Isa isa);
// Whether this processor has the instructions, whatever was built.
bool processor_has(Isa isa);

// The best instruction set that this processor and this build have; GALLOP_ISA in the environment
// asks for another. Throws an Error (unsupported_processor) where they have none in common, and a
// value error where GALLOP_ISA names none of those.
Isa processor_isa();

const CpuKernels& cpu_kernels(Isa isa);
// Throws a value error where the environment was not compiled for `isa`.
const EnvironmentTable& environment_table(const EnvironmentEntry& entry, Isa isa);

// Processors that this process may run on, as its affinity and the quotas of its control groups
// have it; at least 1.
int available_processors();

}  // namespace gallop

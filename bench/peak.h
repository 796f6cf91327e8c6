// What one core of this machine can do at most, measured.
#pragma once

#include "host/runtime/processor.h"

namespace gallop {

// Floating-point operations a second of fused multiply-adds that never wait, on one thread, with
// the registers of the instruction set.
double measure_fma_rate(Isa isa, double seconds);

// Bytes a second that `threads` threads together write to memory that no cache holds.
double measure_store_bandwidth(int threads, double seconds);

}  // namespace gallop

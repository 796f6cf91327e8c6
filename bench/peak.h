// What this machine can do at most, measured.
#pragma once

#include <gallop/host/runtime/backend.h>
#include <gallop/host/runtime/processor.h>

namespace gallop {

// Floating-point operations a second of fused multiply-adds that never wait, on one thread, with
// the registers of the instruction set.
double measure_fma_rate(Isa isa, double seconds);

// Bytes a second that `threads` threads together write to memory that no cache holds.
double measure_store_bandwidth(int threads, double seconds);

// Bytes a second that a copy of `bytes` bytes within the backend's memory reads and writes, twice
// as many as it copies.
double measure_copy_bandwidth(Backend& backend, std::size_t bytes, double seconds);

// What bounds a kernel that does little with each byte: the former on a CPU, the latter on a
// device, of copies that no cache holds.
double measure_memory_rate(Backend& backend, int threads, double seconds);

}  // namespace gallop

#pragma once

namespace gallop {

// What fresh memory of a device holds. Programs rely on none of it: what has to begin as zero asks
// for it (DeviceArray::zeroed). The others show what reads memory that nobody wrote: raw memory to
// compute-sanitizer's initcheck, and a poison, whose floats are NaN, to a comparison of results.
enum class DeviceMemory { kZero, kRaw, kPoison };

constexpr int kPoisonByte = 0xff;

// As GALLOP_DEVICE_MEMORY says: zero, raw or poison, zero where it is empty or not set. Throws a
// value error for anything else.
DeviceMemory device_memory();

}  // namespace gallop

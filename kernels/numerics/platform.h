// What differs between compilers and devices, in one place: the only file that asks for __CUDACC__.
#pragma once

#include <cstdint>

// The compilers' own words for arithmetic that gives other bits than is written.
#if defined(__FAST_MATH__) || __FINITE_MATH_ONLY__ || defined(__ASSOCIATIVE_MATH__) || \
    defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error "Gallop promises bits: compile without -ffast-math, -Ofast and what is part of them"
#endif

// Instruction set of this translation unit: isa_v3 (AVX2 + FMA), isa_v4 (AVX-512), isa_scalar or
// isa_cuda. All arithmetic lives in `namespace gallop::inline GALLOP_ISA`, so that code compiled
// for one instruction set is never merged with the same code compiled for another.
#ifndef GALLOP_ISA
#define GALLOP_ISA isa_scalar
#endif

#define GALLOP_PRAGMA(text) _Pragma(#text)

// The name that a function of this unit has for each instruction set: name_isa_v3, for one.
#define GALLOP_JOIN_(a, b) a##_##b
#define GALLOP_JOIN(a, b) GALLOP_JOIN_(a, b)
#define GALLOP_OF_ISA(name) GALLOP_JOIN(name, GALLOP_ISA)

// GALLOP_HD: a function of one thread, here and on a device. GALLOP_TEAM: one that a whole team
// runs together (numerics/team.h): a block of threads in a kernel, one thread elsewhere.

#if defined(__CUDACC__)
#define GALLOP_HD __host__ __device__ __forceinline__
#define GALLOP_NOINLINE_HD __host__ __device__ __noinline__
#define GALLOP_UNROLL(n) GALLOP_PRAGMA(unroll n)
#define GALLOP_TEAM __device__ __forceinline__
#else
#define GALLOP_HD inline __attribute__((always_inline))
#define GALLOP_NOINLINE_HD __attribute__((noinline))
#define GALLOP_TEAM inline __attribute__((always_inline))
#if defined(__clang__)
#define GALLOP_UNROLL(n) GALLOP_PRAGMA(clang loop unroll_count(n))
#else
#define GALLOP_UNROLL(n) GALLOP_PRAGMA(GCC unroll n)
#endif
#endif

// True while compiling the device side of a kernel, where intrinsics stand in for compiler
// builtins.
#if defined(__CUDA_ARCH__)
#define GALLOP_ON_DEVICE 1
#else
#define GALLOP_ON_DEVICE 0
#endif

// Lanes of 32 bits that one vector register of this translation unit holds.
#if GALLOP_ON_DEVICE || defined(__CUDACC__)
#define GALLOP_LANES 1
#elif defined(GALLOP_FORCE_LANES)
#define GALLOP_LANES GALLOP_FORCE_LANES
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
#define GALLOP_LANES 16
#elif defined(__AVX2__) && defined(__FMA__)
#define GALLOP_LANES 8
#else
#define GALLOP_LANES 1
#endif

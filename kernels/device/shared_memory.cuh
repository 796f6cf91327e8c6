#pragma once

// Shared memory of a block, declared at the top of a kernel or device function.
//
//   GALLOP_DYNAMIC_SHARED(float, weights);    // float*, of LaunchConfig::shared_bytes bytes
//   GALLOP_SHARED(float, partial_sums, 32);   // 32 floats
//
// Both are aligned for 128-bit access. The tests' executor gives each an allocation of its own, so
// that it can poison it and check its bounds.

#ifdef GALLOP_CUDA_EXECUTOR

#define GALLOP_DYNAMIC_SHARED(type, name) \
  type* const name = static_cast<type*>(::gallop::executor::Block::current().shared().dynamic())

#define GALLOP_SHARED(type, name, count) \
  static char name##_key;                \
  type* const name = static_cast<type*>( \
      ::gallop::executor::Block::current().shared().array(&name##_key, sizeof(type) * (count)))

#else

// All kernels see one array: CUDA wants every declaration of it to have the same type.
#define GALLOP_DYNAMIC_SHARED(type, name)                                 \
  extern __shared__ __align__(128) unsigned char gallop_dynamic_shared[]; \
  type* const name = reinterpret_cast<type*>(gallop_dynamic_shared)

#define GALLOP_SHARED(type, name, count) __shared__ __align__(16) type name[count]

#endif

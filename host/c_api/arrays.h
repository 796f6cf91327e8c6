// Arrays of the C interface as the engine takes them.
#pragma once

#include <gallop/host/c_api/handles.h>
#include <gallop/kernels/rollout/layout.h>

namespace gallop::c_api {

// What an array has to be like.
struct Expected {
  const Device& device;
  const char* what;  // its name in messages
  long n;            // instances
  int rows;          // numbers of one
  bool is_index;     // one whole number each, which may be of an integer type
};

// [n, rows] of any strides, or [n] where rows is 1. Throws a value error that says what is wrong.
ArrayView array_view(const gallop_array* array, const Expected& expected);

// A contiguous array [n], or [n, 1], of a type.
float* floats_of(const gallop_array* array, const Expected& expected);
std::int32_t* integers_of(const gallop_array* array, const Expected& expected);
std::uint8_t* flags_of(const gallop_array* array, const Expected& expected);  // uint8 or bool

// Instances of an array of observations: its first dimension.
long instances_of(const gallop_array* array, const char* what);

}  // namespace gallop::c_api

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <gallop/host/files/tensor_file.h>

namespace gallop {

// Tensors of a checkpoint together with what their values can be. Each throws a checkpoint error
// that names the tensor, where it is missing, has another type or shape, or holds another value.

// Finite numbers [size] of at least `low`.
std::vector<float> finite_floats(const TensorFile& file, std::string_view name, std::size_t size);
std::vector<float> finite_floats(const TensorFile& file, std::string_view name, std::size_t size,
                                 double low);
std::vector<double> finite_doubles(const TensorFile& file, std::string_view name, std::size_t size,
                                   double low, double high);

// A finite number from `low` to `high`.
double finite_number(const TensorFile& file, std::string_view name, double low, double high);

// A count of at most `most`; `of` says of what: "steps of 16 instances".
std::uint64_t checked_count(const TensorFile& file, std::string_view name, std::uint64_t most,
                            std::string_view of);

}  // namespace gallop

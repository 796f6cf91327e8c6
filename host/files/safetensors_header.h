#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/files/tensor_file.h>

namespace gallop {

// One tensor as a safetensors header describes it; offsets count from the end of the header.
struct TensorEntry {
  std::string name;
  DType dtype = DType::f32;
  TensorShape shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  // in the order of their bytes
  std::vector<std::pair<std::string, std::string>> metadata;
};

// Parses a header whose tensors fill exactly `data_size` bytes: no gap, overlap, remainder, name
// given twice, unknown field, or size that does not follow from type and shape. Throws a checkpoint
// error whose message begins with `origin`.
SafetensorsHeader parse_safetensors_header(std::string_view json, uint64_t data_size,
                                           std::string_view origin);

}  // namespace gallop

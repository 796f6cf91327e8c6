// Copies of checkpoints in which one tensor or text is another.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <gallop/host/files/tensor_file.h>

namespace gallop::test {

template <class T>
std::vector<T> tensor_values(const TensorFile& file, const std::string& name) {
  const Tensor& tensor = file.tensor(name);
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  file.get<T>(name, tensor.shape, values);
  return values;
}

template <class T>
void put_values(TensorFile& file, const std::string& name, const Tensor& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  file.put<T>(name, tensor.shape, values);
}

inline void put_tensor(TensorFile& file, const std::string& name, const Tensor& tensor) {
  switch (tensor.dtype) {
    case DType::f32:
      return put_values<float>(file, name, tensor);
    case DType::f64:
      return put_values<double>(file, name, tensor);
    case DType::i64:
      return put_values<int64_t>(file, name, tensor);
    case DType::i32:
      return put_values<int32_t>(file, name, tensor);
    case DType::u64:
      return put_values<uint64_t>(file, name, tensor);
    case DType::u32:
      return put_values<uint32_t>(file, name, tensor);
    case DType::u8:
      return put_values<uint8_t>(file, name, tensor);
  }
}

// A copy without tensor `name`.
inline TensorFile without_tensor(const TensorFile& file, const std::string& name) {
  TensorFile copy;
  for (const auto& [key, value] : file.texts()) copy.set_text(key, value);
  for (const auto& [key, tensor] : file.tensors()) {
    if (key != name) put_tensor(copy, key, tensor);
  }
  return copy;
}

// A copy whose tensor `name` holds other values, of the same shape.
template <class T>
TensorFile with_tensor(const TensorFile& file, const std::string& name,
                       const std::vector<T>& values) {
  TensorFile copy = without_tensor(file, name);
  copy.put<T>(name, file.tensor(name).shape, values);
  return copy;
}

// A copy in which element `at` of it is another.
template <class T>
TensorFile with_element(const TensorFile& file, const std::string& name, std::size_t at, T value) {
  std::vector<T> values = tensor_values<T>(file, name);
  values.at(at) = value;
  return with_tensor<T>(file, name, values);
}

}  // namespace gallop::test

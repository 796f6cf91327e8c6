#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gallop {

enum class DType : uint8_t { f32, f64, i64, i32, u64, u32, u8 };

// "F32" and so on, as the safetensors format spells them.
const char* dtype_name(DType dtype);
size_t dtype_size(DType dtype);  // bytes an element

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<T, int64_t>)
    return DType::i64;
  else if constexpr (std::is_same_v<T, int32_t>)
    return DType::i32;
  else if constexpr (std::is_same_v<T, uint64_t>)
    return DType::u64;
  else if constexpr (std::is_same_v<T, uint32_t>)
    return DType::u32;
  else {
    static_assert(std::is_same_v<T, uint8_t>, "a tensor holds f32, f64, i64, i32, u64, u32 or u8");
    return DType::u8;
  }
}

using TensorShape = std::vector<uint64_t>;

struct Tensor {
  DType dtype = DType::f32;
  TensorShape shape;             // no dimension: one element
  std::vector<std::byte> bytes;  // row-major, little-endian
};

// Limits that hold for what is written and for what is read.
inline constexpr size_t kMostTensors = 8192;
inline constexpr size_t kMostTexts = 1024;
inline constexpr size_t kHighestRank = 8;
inline constexpr size_t kLongestTensorName = 255;

// Whether a tensor or a text may bear this name: 1 to 255 of A-Z a-z 0-9 _ . - and '/', no empty
// part, no part "." or "..".
bool is_tensor_name(std::string_view name);

// Bytes of a tensor; false where rank or product is too large to be one.
bool tensor_bytes(DType dtype, const TensorShape& shape, uint64_t& bytes);

// "[3, 4]"
std::string shape_text(const TensorShape& shape);

// What a checkpoint holds: tensors and texts, each by name, in the order of the names.
// Every failing put leaves the object as it was.
class TensorFile {
 public:
  // Copies `values` in; the name must be new. Throws an internal error for a name that is taken or
  // not allowed, or a shape that does not match the number of values.
  template <class T>
  void put(std::string_view name, const TensorShape& shape, std::span<const T> values) {
    put_bytes(name, dtype_of<T>(), shape, std::as_bytes(values));
  }
  template <class T>
  void put_scalar(std::string_view name, T value) {
    put_bytes(name, dtype_of<T>(), {}, std::as_bytes(std::span<const T>(&value, 1)));
  }

  // A tensor of another file, under the same rules.
  void put_copy(std::string_view name, const Tensor& tensor) {
    put_bytes(name, tensor.dtype, tensor.shape, tensor.bytes);
  }

  // Copies a tensor out into memory of exactly its size. Throws a checkpoint error that names the
  // tensor, what it is and what was expected, where it is missing or of another type or shape.
  template <class T>
  void get(std::string_view name, const TensorShape& shape, std::span<T> values) const {
    get_bytes(name, dtype_of<T>(), shape, std::as_writable_bytes(values));
  }
  template <class T>
  T get_scalar(std::string_view name) const {
    T value;
    get_bytes(name, dtype_of<T>(), {}, std::as_writable_bytes(std::span<T>(&value, 1)));
    return value;
  }

  // Texts are UTF-8, their keys are spelled as tensor names. `set_text` replaces; it throws an
  // internal error for what is neither. `text` throws a checkpoint error where there is none.
  void set_text(std::string_view key, std::string_view value);
  const std::string& text(std::string_view key) const;

  bool has(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }
  bool has_text(std::string_view key) const { return texts_.find(key) != texts_.end(); }
  // Throws a checkpoint error where there is none.
  const Tensor& tensor(std::string_view name) const;

  const std::map<std::string, Tensor, std::less<>>& tensors() const { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& texts() const { return texts_; }

 private:
  void put_bytes(std::string_view name, DType dtype, const TensorShape& shape,
                 std::span<const std::byte> bytes);
  void get_bytes(std::string_view name, DType dtype, const TensorShape& shape,
                 std::span<std::byte> bytes) const;

  // The reader fills tensors in place of copying them.
  friend class SafetensorsReader;

  std::map<std::string, Tensor, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> texts_;
};

}  // namespace gallop

#include <gallop/host/files/tensor_file.h>

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include <gallop/host/error.h>
#include <gallop/host/options/utf8.h>

namespace gallop {

static_assert(std::endian::native == std::endian::little,
              "tensors are stored as they lie in memory");

const char* dtype_name(DType dtype) {
  constexpr const char* kNames[] = {"F32", "F64", "I64", "I32", "U64", "U32", "U8"};
  return kNames[static_cast<size_t>(dtype)];
}

size_t dtype_size(DType dtype) {
  constexpr size_t kSizes[] = {4, 8, 8, 4, 8, 4, 1};
  return kSizes[static_cast<size_t>(dtype)];
}

bool is_tensor_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestTensorName) return false;
  for (const char c : name) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && c != '_' && c != '.' && c != '-' && c != '/') return false;
  }
  while (true) {
    const size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

bool tensor_bytes(DType dtype, const TensorShape& shape, uint64_t& bytes) {
  if (shape.size() > kHighestRank) return false;
  bytes = dtype_size(dtype);
  bool empty = false;
  for (const uint64_t dimension : shape) {
    // The product of the other dimensions has to fit even where one of them is zero.
    if (dimension == 0)
      empty = true;
    else if (__builtin_mul_overflow(bytes, dimension, &bytes))
      return false;
  }
  if (empty) bytes = 0;
  return true;
}

std::string shape_text(const TensorShape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

void TensorFile::put_bytes(std::string_view name, DType dtype, const TensorShape& shape,
                           std::span<const std::byte> bytes) {
  if (!is_tensor_name(name)) {
    throw internal_error(fmt::format("tensor name '{}' is not allowed", name.substr(0, 80)));
  }
  if (has(name)) throw internal_error(fmt::format("tensor '{}' is stored twice", name));
  if (tensors_.size() == kMostTensors) {
    throw internal_error(fmt::format("tensor '{}' is one more than {}", name, kMostTensors));
  }
  uint64_t expected = 0;
  if (!tensor_bytes(dtype, shape, expected) || expected != bytes.size()) {
    throw internal_error(fmt::format("tensor '{}' of shape {} and type {} is given {} bytes", name,
                                     shape_text(shape), dtype_name(dtype), bytes.size()));
  }
  tensors_.emplace(std::string(name),
                   Tensor{dtype, shape, std::vector<std::byte>(bytes.begin(), bytes.end())});
}

void TensorFile::get_bytes(std::string_view name, DType dtype, const TensorShape& shape,
                           std::span<std::byte> bytes) const {
  const Tensor& found = tensor(name);
  if (found.dtype != dtype || found.shape != shape || found.bytes.size() != bytes.size()) {
    throw checkpoint_error(
        fmt::format("tensor '{}' has type {} and shape {}, expected {} and {} in {} bytes", name,
                    dtype_name(found.dtype), shape_text(found.shape), dtype_name(dtype),
                    shape_text(shape), bytes.size()));
  }
  if (!bytes.empty()) std::memcpy(bytes.data(), found.bytes.data(), bytes.size());
}

const Tensor& TensorFile::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw checkpoint_error(fmt::format("tensor '{}' is missing", name));
  }
  return found->second;
}

void TensorFile::set_text(std::string_view key, std::string_view value) {
  if (!is_tensor_name(key) || !is_utf8(value) || texts_.size() == kMostTexts) {
    throw internal_error(fmt::format(
        "text '{}' of a checkpoint has a key that is not allowed, is not UTF-8, or is one "
        "more than {}",
        key.substr(0, 80), kMostTexts));
  }
  texts_.insert_or_assign(std::string(key), std::string(value));
}

const std::string& TensorFile::text(std::string_view key) const {
  const auto found = texts_.find(key);
  if (found == texts_.end()) {
    throw checkpoint_error(fmt::format("text '{}' is missing", key));
  }
  return found->second;
}

}  // namespace gallop

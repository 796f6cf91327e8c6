#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include <gallop/host/files/tensor_file.h>

namespace gallop {

// The safetensors container: 8 bytes of header length, a JSON header, the tensors' bytes back to
// back (https://github.com/huggingface/safetensors#format), which any Python user can read. Ours is
// stricter and carries in its metadata a SHA-256 of the whole file, taken with the digest's own 64
// digits as '0', so any changed bit and any cut shows.

// Small enough that a hostile header, all of it one text, keeps the JSON parser's buffers within
// the bound of read_safetensors.
inline constexpr uint64_t kLargestHeader = uint64_t{1} << 20;

// Equal contents give equal bytes: names sorted, no blanks but the padding that aligns the data to
// 8 bytes. Throws a value error where the header would be larger than a reader accepts.
std::vector<std::byte> write_safetensors(const TensorFile& file);

// Copies out.size() bytes from `offset` of the source; throws where it cannot.
using ReadAt = std::function<void(uint64_t offset, std::span<std::byte> out)>;

// Reads a source of `size` bytes. Everything the header claims is checked before the tensors are
// allocated: never more than twice `size` + 16 MiB in all. Throws a checkpoint error that begins
// with `origin` for whatever is not exactly right, a changed bit included.
TensorFile read_safetensors(uint64_t size, const ReadAt& read_at, std::string_view origin);
TensorFile read_safetensors(std::span<const std::byte> bytes, std::string_view origin);

}  // namespace gallop

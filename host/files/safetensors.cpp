#include <gallop/host/files/safetensors.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include <gallop/host/error.h>
#include <gallop/host/files/safetensors_header.h>
#include <gallop/host/files/sha256.h>

namespace gallop {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr size_t kDigestDigits = 64;
constexpr std::string_view kDigestKey = "sha256";
// What stands before the digest in the header. No text can look like it, since a quotation mark
// inside a JSON string is escaped, and no key or tensor name can, since they have none.
constexpr std::string_view kDigestPrefix = "\"sha256\":\"";

std::string quoted_json(const std::string& text) { return nlohmann::json(text).dump(); }

std::string header_of(const TensorFile& file) {
  std::string header = "{\"__metadata__\":{";
  // Sorted together with the other texts.
  std::map<std::string, std::string, std::less<>> texts(file.texts().begin(), file.texts().end());
  texts.insert_or_assign(std::string(kDigestKey), std::string(kDigestDigits, '0'));
  const char* separator = "";
  for (const auto& [key, value] : texts) {
    header += fmt::format("{}{}:{}", separator, quoted_json(key), quoted_json(value));
    separator = ",";
  }
  header += '}';
  uint64_t offset = 0;
  for (const auto& [name, tensor] : file.tensors()) {
    const uint64_t end = offset + tensor.bytes.size();
    header += fmt::format(R"(,"{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", name,
                          dtype_name(tensor.dtype), fmt::join(tensor.shape, ","), offset, end);
    offset = end;
  }
  header += '}';
  header.append((8 - header.size() % 8) % 8, ' ');
  return header;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

std::vector<std::byte> write_safetensors(const TensorFile& file) {
  std::string header = header_of(file);
  if (header.size() > kLargestHeader) {
    throw value_error(
        fmt::format("the header of a checkpoint would have {} bytes, expected at most {}",
                    header.size(), kLargestHeader));
  }
  size_t size = kLengthBytes + header.size();
  for (const auto& [name, tensor] : file.tensors()) size += tensor.bytes.size();

  std::vector<std::byte> result(size);
  const uint64_t length = header.size();
  std::memcpy(result.data(), &length, kLengthBytes);
  std::memcpy(result.data() + kLengthBytes, header.data(), header.size());
  std::byte* at = result.data() + kLengthBytes + header.size();
  for (const auto& [name, tensor] : file.tensors()) {
    at = std::copy(tensor.bytes.begin(), tensor.bytes.end(), at);
  }
  const std::string digest = sha256_hex(result);
  const size_t place = header.find(kDigestPrefix) + kDigestPrefix.size();
  std::memcpy(result.data() + kLengthBytes + place, digest.data(), kDigestDigits);
  return result;
}

// Reads header, layout, tensors and digest in that order: nothing large is allocated before it is
// proven to be in the file.
class SafetensorsReader {
 public:
  SafetensorsReader(uint64_t size, const ReadAt& read_at, std::string_view origin)
      : size_(size), read_at_(read_at), origin_(origin) {}

  TensorFile read() {
    read_header_text();
    const uint64_t data_begin = kLengthBytes + text_.size();
    SafetensorsHeader header = parse_safetensors_header(text_, size_ - data_begin, origin_);
    take_digest(header);
    for (TensorEntry& entry : header.tensors) {
      Tensor tensor{entry.dtype, std::move(entry.shape), {}};
      tensor.bytes.resize(entry.end - entry.begin);
      read_at_(data_begin + entry.begin, tensor.bytes);
      hash_.update(tensor.bytes);
      file_.tensors_.emplace(std::move(entry.name), std::move(tensor));
    }
    if (hash_.hex_digest() != digest_) {
      throw checkpoint_error(
          fmt::format("{}: the contents do not match their SHA-256, the file is damaged", origin_));
    }
    return std::move(file_);
  }

 private:
  void read_header_text() {
    if (size_ < kLengthBytes) {
      throw checkpoint_error(
          fmt::format("{}: {} bytes are too few for a checkpoint", origin_, size_));
    }
    std::byte bytes[kLengthBytes];
    read_at_(0, bytes);
    uint64_t length = 0;
    std::memcpy(&length, bytes, kLengthBytes);
    if (length > kLargestHeader || length > size_ - kLengthBytes) {
      throw checkpoint_error(fmt::format("{}: the header claims {} bytes, expected at most {}",
                                         origin_, length,
                                         std::min(kLargestHeader, size_ - kLengthBytes)));
    }
    hash_.update(bytes);
    text_.resize(length);
    read_at_(kLengthBytes, std::as_writable_bytes(std::span(text_)));
  }

  // Moves the texts over, keeps the digest, and hashes the header with zeros in its place.
  void take_digest(SafetensorsHeader& header) {
    for (auto& [key, value] : header.metadata) {
      if (key == kDigestKey)
        digest_ = std::move(value);
      else
        file_.texts_.emplace(std::move(key), std::move(value));
    }
    const size_t place = text_.find(kDigestPrefix);
    if (digest_.size() != kDigestDigits || place == std::string::npos ||
        text_.compare(place + kDigestPrefix.size(), kDigestDigits, digest_) != 0) {
      throw checkpoint_error(fmt::format(
          "{}: no SHA-256 in the metadata, the file is not a checkpoint of Gallop", origin_));
    }
    text_.replace(place + kDigestPrefix.size(), kDigestDigits, kDigestDigits, '0');
    hash_.update(bytes_of(text_));
  }

  uint64_t size_;
  const ReadAt& read_at_;
  std::string_view origin_;
  std::string text_;
  std::string digest_;
  Sha256 hash_;
  TensorFile file_;
};

TensorFile read_safetensors(uint64_t size, const ReadAt& read_at, std::string_view origin) {
  try {
    return SafetensorsReader(size, read_at, origin).read();
  } catch (const std::bad_alloc&) {
    throw checkpoint_error(fmt::format("{}: not enough memory for its {} bytes", origin, size));
  }
}

TensorFile read_safetensors(std::span<const std::byte> bytes, std::string_view origin) {
  const ReadAt copy = [bytes](uint64_t offset, std::span<std::byte> out) {
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
  };
  return read_safetensors(bytes.size(), copy, origin);
}

}  // namespace gallop

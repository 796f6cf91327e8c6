#pragma once

#include <fmt/format.h>

#include <string>

#include <gallop/host/runtime/backend.h>

namespace gallop {

// FNV-1a over what a benchmark computed: the same bits give the same sixteen digits.
class Checksum {
 public:
  void add(const void* data, std::size_t bytes) {
    const unsigned char* byte = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; i++) hash_ = (hash_ ^ byte[i]) * 0x100000001b3u;
  }
  template <class T>
  void add(const std::vector<T>& values) {
    add(values.data(), values.size() * sizeof(T));
  }
  template <class T>
  void add(const DeviceArray<T>& array) {
    add(array.download());
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

}  // namespace gallop

#pragma once

#include <string>
#include <type_traits>

namespace gallop {

// What a backend keeps of operations that it repeats.
class Recording {
 public:
  virtual ~Recording() = default;
};

// The requests of a sequence of operations, byte for byte. Two sequences with the same bytes do the
// same to the same memory.
class RequestBytes {
 public:
  // `function` tells operations apart whose requests are alike.
  template <class Function, class Request>
  void add(Function* function, Request request) {
    static_assert(std::is_trivially_copyable_v<Request>, "requests are plain structs");
    // Padding holds whatever was in memory before. A compiler that cannot clear it makes a
    // recording anew more often than needed, and never repeats one that it should not.
#if __has_builtin(__builtin_clear_padding)
    __builtin_clear_padding(&request);
#endif
    bytes_.append(reinterpret_cast<const char*>(&function), sizeof(function));
    bytes_.append(reinterpret_cast<const char*>(&request), sizeof(request));
  }

  bool operator==(const RequestBytes&) const = default;

 private:
  std::string bytes_;
};

}  // namespace gallop

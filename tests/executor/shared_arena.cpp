#include "tests/executor/shared_arena.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "tests/executor/sanitizer.h"

namespace gallop::executor {
namespace {

constexpr std::align_val_t kAlignment{128};
constexpr std::size_t kGuardBytes = GALLOP_ADDRESS_SANITIZER ? 0 : 256;
constexpr unsigned char kGuardByte = 0xa5;

}  // namespace

SharedArena::SharedArena(std::size_t dynamic_bytes, unsigned char poison) : poison_(poison) {
  add(nullptr, dynamic_bytes);
}

SharedArena::~SharedArena() {
  for (const Array& array : arrays_) ::operator delete(array.data, kAlignment);
}

void SharedArena::add(const void* key, std::size_t bytes) {
  auto* data = static_cast<unsigned char*>(::operator new(bytes + kGuardBytes, kAlignment));
  std::memset(data, poison_, bytes);
  std::memset(data + bytes, kGuardByte, kGuardBytes);
  arrays_.push_back({key, data, bytes});
}

void* SharedArena::array(const void* key, std::size_t bytes) {
  for (const Array& array : arrays_) {
    if (array.key == key) return array.data;
  }
  add(key, bytes);
  return arrays_.back().data;
}

std::size_t SharedArena::static_bytes() const {
  std::size_t sum = 0;
  for (const Array& array : arrays_) {
    if (array.key != nullptr) sum += (array.bytes + 15) / 16 * 16;
  }
  return sum;
}

std::string SharedArena::overrun() const {
  for (const Array& array : arrays_) {
    const unsigned char* guard = array.data + array.bytes;
    const bool intact = std::all_of(guard, guard + kGuardBytes,
                                    [](unsigned char byte) { return byte == kGuardByte; });
    if (intact) continue;
    return std::string("wrote beyond the ") + std::to_string(array.bytes) + " bytes of its " +
           (array.key == nullptr ? "dynamic" : "static") + " shared memory";
  }
  return "";
}

}  // namespace gallop::executor

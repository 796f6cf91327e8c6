#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace gallop::executor {

// The shared memory of one block: the dynamic array, and one array for every GALLOP_SHARED of the
// kernel that a thread has reached. Each is an allocation of exactly its size, so that
// AddressSanitizer finds a read or write beyond it; without it a guard zone finds the writes.
class SharedArena {
 public:
  SharedArena(std::size_t dynamic_bytes, unsigned char poison);
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;
  ~SharedArena();

  void* dynamic() { return arrays_.front().data; }

  // The array that belongs to `key`, the same for all threads of the block.
  void* array(const void* key, std::size_t bytes);

  // Of all static arrays that a thread has reached, each of whole 16 bytes.
  std::size_t static_bytes() const;

  // What was overwritten beyond its end, or an empty string.
  std::string overrun() const;

 private:
  struct Array {
    const void* key;
    unsigned char* data;
    std::size_t bytes;
  };

  void add(const void* key, std::size_t bytes);

  unsigned char poison_;
  std::vector<Array> arrays_;  // the dynamic one first
};

}  // namespace gallop::executor

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <gallop/host/files/durable_file.h>

namespace gallop {

// The lines of a file of any size, read in pieces: memory does not grow with the file. What is
// appended to the file after the reader was made is not seen.
class LineReader {
 public:
  static constexpr size_t kLongestLine = size_t{1} << 20;

  // The file outlives the reader.
  explicit LineReader(const File& file);

  // The next line without its end, "\n" or "\r\n"; nothing where no complete line is left. The text
  // holds until the next call. Of a line longer than kLongestLine every piece of that length counts
  // as a line. Throws an I/O error.
  std::optional<std::string_view> next();

  uint64_t offset() const { return offset_; }  // of the byte behind the last line
  uint64_t number() const { return number_; }  // of the last line, from 1
  uint64_t size() const { return size_; }

 private:
  bool fill();
  std::string_view take(size_t length, size_t end_length);

  const File& file_;
  uint64_t size_;
  uint64_t read_ = 0;  // bytes of the file that were read
  uint64_t offset_ = 0;
  uint64_t number_ = 0;
  std::string buffer_;
  size_t begin_ = 0;  // of the next line in the buffer
};

}  // namespace gallop

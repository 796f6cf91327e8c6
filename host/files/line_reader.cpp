#include <gallop/host/files/line_reader.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace gallop {
namespace {

constexpr uint64_t kPiece = uint64_t{1} << 18;

}  // namespace

LineReader::LineReader(const File& file) : file_(file), size_(file.status().size) {}

// Moves what is left of the buffer to its front and reads a piece behind it; false at the end.
bool LineReader::fill() {
  const uint64_t count = std::min(kPiece, size_ - read_);
  if (count == 0) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const size_t left = buffer_.size();
  buffer_.resize(left + count);
  file_.read_at(read_, std::as_writable_bytes(std::span(buffer_).subspan(left)));
  read_ += count;
  return true;
}

std::string_view LineReader::take(size_t length, size_t end_length) {
  std::string_view line(buffer_.data() + begin_, length);
  begin_ += length + end_length;
  offset_ += length + end_length;
  ++number_;
  if (end_length > 0 && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<std::string_view> LineReader::next() {
  size_t searched = 0;
  while (true) {
    const size_t end = buffer_.find('\n', begin_ + searched);
    const size_t length = (end == std::string::npos ? buffer_.size() : end) - begin_;
    if (length > kLongestLine) return take(kLongestLine, 0);
    if (end != std::string::npos) return take(length, 1);
    searched = length;
    if (!fill()) return std::nullopt;
  }
}

}  // namespace gallop

#include <gallop/host/logging/progress_line.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <numeric>
#include <utility>

namespace gallop {
namespace {

constexpr double kShortestInterval = 0.1;  // seconds, of a line that is written over
constexpr double kLineInterval = 10;       // seconds
constexpr int kUsualColumns = 80;
// Back to the start of the line; forget what stands to the right.
constexpr std::string_view kLineStart = "\r";
constexpr std::string_view kClearRight = "\x1b[K";

struct CodeRange {
  uint32_t first, last;
};
// What combines with the character before it, and what takes two columns (Unicode's East Asian
// Width W and F, and emoji), as far as names of settings are likely to hold it.
constexpr CodeRange kCombining[] = {
    {0x300, 0x36f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
constexpr CodeRange kWide[] = {
    {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};

template <size_t N>
bool is_in(const CodeRange (&ranges)[N], uint32_t code) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [=](const CodeRange& r) { return code >= r.first && code <= r.last; });
}

// The first character of a text: its bytes and its columns. A byte that is no UTF-8 counts as one.
std::pair<size_t, int> first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t length = byte(0) < 0xc0 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (length == 1 || length > text.size()) return {1, 1};
  uint32_t code = byte(0) & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3fu);
  return {length, is_in(kCombining, code) ? 0 : is_in(kWide, code) ? 2 : 1};
}

std::string cut(std::string_view text, int columns) {
  size_t end = 0;
  while (end < text.size()) {
    const auto [bytes, wide] = first_character(text.substr(end));
    if (wide > columns) break;
    columns -= wide;
    end += bytes;
  }
  return std::string(text.substr(0, end));
}

std::string joined(const std::vector<ProgressPart>& parts) {
  std::string line;
  for (const ProgressPart& part : parts) {
    line += (&part == &parts.front() ? "" : part.before) + part.text;
  }
  return line;
}

}  // namespace

int columns_of(std::string_view text) {
  int columns = 0;
  while (!text.empty()) {
    const auto [bytes, wide] = first_character(text);
    columns += wide;
    text.remove_prefix(bytes);
  }
  return columns;
}

std::string fitted(std::vector<ProgressPart> parts, int columns) {
  while (parts.size() > 1 && columns_of(joined(parts)) > columns) {
    parts.erase(std::max_element(
        parts.begin(), parts.end(),
        [](const ProgressPart& a, const ProgressPart& b) { return a.rank < b.rank; }));
  }
  return cut(joined(parts), std::max(0, columns));
}

ProgressLine::ProgressLine(ProgressForm form, Write write, Columns columns)
    : form_(form), write_(std::move(write)), columns_(std::move(columns)) {}

ProgressLine::~ProgressLine() {
  if (is_open_) write_("\n");
}

bool ProgressLine::is_due(double seconds) const {
  if (form_ == ProgressForm::kNone) return false;
  const double interval = form_ == ProgressForm::kLines ? kLineInterval : kShortestInterval;
  return last_seconds_ < 0 || seconds - last_seconds_ >= interval;
}

// The last column stays free: a terminal may begin a new line once it is written.
std::string ProgressLine::line(const Parts& parts) const {
  if (form_ == ProgressForm::kLines) return joined(parts(INT_MAX));
  const int asked = columns_ ? columns_() : 0;
  const int columns = (asked > 0 ? asked : kUsualColumns) - 1;
  return fitted(parts(columns), columns);
}

void ProgressLine::show(double seconds, const Parts& parts) {
  if (form_ == ProgressForm::kNone) return;
  last_seconds_ = seconds;
  if (form_ == ProgressForm::kLines) {
    write_(line(parts) + "\n");
    return;
  }
  write_(std::string(kLineStart) + line(parts) + std::string(kClearRight));
  is_open_ = true;
}

void ProgressLine::finish(const Parts& parts) {
  const bool overwrites = form_ == ProgressForm::kOverwritten && is_open_;
  if (overwrites || form_ == ProgressForm::kLines) show(last_seconds_, parts);
  if (is_open_) write_("\n");
  is_open_ = false;
}

void ProgressLine::clear() {
  if (!is_open_) return;
  write_(std::string(kLineStart) + std::string(kClearRight));
  is_open_ = false;
}

}  // namespace gallop

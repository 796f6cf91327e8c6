#include "tests/campaign/mutator.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace gallop::campaign {
namespace {

constexpr std::size_t kLongest = 1 << 14;  // of what is made here
constexpr std::string_view kNumbers[] = {"0",
                                         "-0",
                                         "1",
                                         "-1",
                                         "2",
                                         "63",
                                         "64",
                                         "65",
                                         "255",
                                         "256",
                                         "4095",
                                         "4096",
                                         "65536",
                                         "1e6",
                                         "1e30",
                                         "-1e30",
                                         "nan",
                                         "inf",
                                         "-inf",
                                         "1e308",
                                         "1e-308",
                                         "4.9e-324",
                                         "0.5",
                                         "1e999",
                                         "0x1F",
                                         "0b101",
                                         "2147483647",
                                         "2147483648",
                                         "4294967295",
                                         "4294967296",
                                         "1_0",
                                         "+1",
                                         "1k",
                                         "1.5M",
                                         "16777217",
                                         "9007199254740993",
                                         "9223372036854775807",
                                         "9223372036854775808",
                                         "18446744073709551615",
                                         "18446744073709551616",
                                         "-9223372036854775808",
                                         "340282350000000000000000000000000000000"};

}  // namespace

void Mutator::replace_number(std::string& text) {
  const std::size_t from = place(text);
  std::size_t begin = text.find_first_of("0123456789", from);
  if (begin == std::string::npos) begin = text.find_first_of("0123456789");
  if (begin == std::string::npos) return;
  std::size_t end = begin;
  while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) != 0 ||
                               text[end] == '.' || text[end] == 'e')) {
    end++;
  }
  if (begin > 0 && text[begin - 1] == '-') begin--;
  text.replace(begin, end - begin, kNumbers[random_() % std::size(kNumbers)]);
}

void Mutator::mutate(std::string& text, const std::string& other) {
  const std::size_t at = place(text);
  const auto byte = static_cast<char>(random_());
  const std::size_t length = std::min<std::size_t>(1 + random_() % 32, text.size() - at);
  switch (random_() % 12) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << random_() % 8));
      break;
    case 1:
      if (at < text.size()) text[at] = byte;
      break;
    case 2:
      text.insert(at, 1 + random_() % 3, byte);
      break;
    case 3:
      text.erase(at, length);
      break;
    case 4:
      text.insert(place(text), text.substr(at, length));
      break;
    case 5:
    case 6:
      if (!words_.empty()) text.insert(at, words_[random_() % words_.size()]);
      break;
    case 7:
      if (!words_.empty()) text.replace(at, length, words_[random_() % words_.size()]);
      break;
    case 8:
    case 9:
      replace_number(text);
      break;
    case 10:  // a stretch of the other
      text.replace(at, length, other.substr(place(other), 1 + random_() % 64));
      break;
    case 11:  // its end
      text = text.substr(0, at) + other.substr(place(other));
      break;
  }
  if (text.size() > kLongest) text.resize(kLongest);
}

std::string Mutator::mutated(std::string input, const std::string& other) {
  for (std::size_t n = 1 + random_() % 5; n > 0; n--) mutate(input, other);
  return input;
}

}  // namespace gallop::campaign

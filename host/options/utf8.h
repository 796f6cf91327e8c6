#pragma once

#include <string>
#include <string_view>

namespace gallop {

// Whether `text` is UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing above
// U+10FFFF.
bool is_utf8(std::string_view text);

// "UTF-16" or "UTF-32" where the text looks like a file that an editor saved as that, else null.
const char* other_encoding(std::string_view text);

// In quotes, for messages: what is long is cut after about `limit` bytes, what is no UTF-8 or does
// not print is escaped.
std::string in_quotes(std::string_view text, size_t limit = 80);

}  // namespace gallop

#pragma once

#include <string>
#include <string_view>

namespace gallop {

// Text from files and command lines on its way to a terminal: control characters (line breaks and
// tabs too, where `keeps_breaks` is false), the characters that turn the direction of writing, and
// bytes that are no UTF-8 come out as \x1b and the like; everything else is kept.
std::string printable(std::string_view text, bool keeps_breaks = false);

// Valid UTF-8 for JSON and HTML: each byte that is none becomes U+FFFD.
std::string utf8_text(std::string_view text);

// A word that a shell takes as this text, whatever is in it: for commands that a message suggests.
std::string shell_quoted(std::string_view text);

}  // namespace gallop

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gallop {

// Without the blanks at both ends.
std::string_view trimmed(std::string_view text);

// The parts of "a, b,c" without the blanks around them; an empty part stands for itself, an empty
// text has none.
std::vector<std::string> split_list(std::string_view text, char separator = ',');

}  // namespace gallop

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallop {

// Those of `known` that a person means by a word of other programs ("lr", "num_envs", "discount"),
// best first. Capitals and hyphens of the word do not count.
std::vector<std::string> names_meant(std::string_view word, std::span<const std::string> known);

// What there is to say of a word of other programs that has no name here, or an empty text.
std::string why_missing(std::string_view word);

// ": it is called 'learning_rate' here", else ": did you mean ...?", or an empty text.
std::string what_is_meant(std::string_view word, std::span<const std::string> known);

}  // namespace gallop

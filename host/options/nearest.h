#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallop {

// A name as it is compared: in small letters, with underscores for hyphens.
std::string folded_name(std::string_view name);

// Number of single-character insertions, deletions, substitutions and swaps of neighbours that turn
// `a` into `b`, letter case ignored.
int edit_distance(std::string_view a, std::string_view b);

// Up to `limit` candidates that a person may have meant by `name`, nearest first, ties in the order
// given. A candidate counts where at most a third of its characters (at least two) differ, or where
// one begins with the other.
std::vector<std::string> nearest_names(std::string_view name,
                                       std::span<const std::string> candidates, int limit = 3);

// ": did you mean 'a' or 'b'?", or an empty text where nothing is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

}  // namespace gallop

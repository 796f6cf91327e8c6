#include <gallop/host/options/nearest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <utility>

namespace gallop {
namespace {

// Longer texts are cut: no name in the program is as long, and the distance costs O(n^2).
constexpr size_t kLongestCompared = 128;

std::string folded(std::string_view text) {
  std::string result(text.substr(0, kLongestCompared));
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

std::string folded_name(std::string_view name) {
  std::string result(name);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return result;
}

// Optimal string alignment (Damerau-Levenshtein without overlapping swaps), three rows of the
// table.
int edit_distance(std::string_view a_text, std::string_view b_text) {
  const std::string a = folded(a_text);
  const std::string b = folded(b_text);
  std::array<int, kLongestCompared + 1> rows[3];
  int *before = rows[0].data(), *previous = rows[1].data(), *current = rows[2].data();
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

std::vector<std::string> nearest_names(std::string_view name,
                                       std::span<const std::string> candidates, int limit) {
  const std::string wanted = folded(name);
  std::vector<std::pair<int, const std::string*>> ranked;
  for (const std::string& candidate : candidates) {
    const std::string other = folded(candidate);
    const int tolerated = std::max(2, static_cast<int>(other.size()) / 3);
    const bool prefix = (wanted.size() >= 3 && other.size() >= 3 &&
                         (other.starts_with(wanted) || wanted.starts_with(other))) ||
                        (wanted.size() >= 5 && other.find(wanted) != std::string::npos);
    // The distance is no less than that of the lengths, and takes their product in time.
    const int gap = std::abs(static_cast<int>(wanted.size()) - static_cast<int>(other.size()));
    if (gap > tolerated && !prefix) continue;
    const int distance = edit_distance(wanted, other);
    // A distance of the whole length means that nothing is common.
    const bool close = distance <= tolerated && distance < static_cast<int>(other.size());
    if (close || prefix) ranked.emplace_back(distance, &candidate);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<std::string> result;
  for (const auto& [distance, candidate] : ranked) {
    if (static_cast<int>(result.size()) == limit) break;
    result.push_back(*candidate);
  }
  return result;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> candidates) {
  const std::vector<std::string> near = nearest_names(name, candidates);
  if (near.empty()) return "";
  std::string result = ": did you mean ";
  for (size_t i = 0; i < near.size(); ++i) {
    if (i > 0) result += i + 1 == near.size() ? " or " : ", ";
    result += "'" + near[i] + "'";
  }
  return result + "?";
}

}  // namespace gallop

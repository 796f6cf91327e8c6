#include <gallop/host/runtime/processor_quota.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <vector>

namespace gallop {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> words_of(const std::string& line, char separator) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  for (std::string word; std::getline(stream, word, separator);) words.push_back(word);
  return words;
}

bool has_word(const std::string& list, std::string_view word) {
  const std::vector<std::string> words = words_of(list, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Where a hierarchy of control groups is mounted, and which group stands there.
struct Mount {
  std::string point, group;
};

// A line of /proc/self/mountinfo (proc(5)): "36 35 0:30 GROUP POINT OPTIONS ... - TYPE SOURCE
// SUPEROPTIONS".
std::vector<Mount> mounts_of(const std::string& root, bool version_2) {
  std::vector<Mount> mounts;
  for (const std::string& line : lines_of(root + "/proc/self/mountinfo")) {
    const std::vector<std::string> words = words_of(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const bool found =
        version_2 ? dash[1] == "cgroup2" : dash[1] == "cgroup" && has_word(dash[3], "cpu");
    if (found) mounts.push_back({words[4], words[3]});
  }
  return mounts;
}

// Processors that the group in a folder may use.
double limit_in(const std::string& folder, bool version_2) {
  double quota = -1, period = -1;
  if (version_2) {
    std::ifstream(folder + "/cpu.max") >> quota >> period;  // "max 100000" sets neither
  } else {
    std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? quota / period : kNoLimit;
}

// The least limit of a group and of those above it, as far as they are mounted.
double limit_of(const std::string& root, const Mount& mount, std::string group, bool version_2) {
  // What is mounted may be a group itself; a path that does not lead into it is of a namespace.
  if (mount.group != "/") {
    group = group.starts_with(mount.group) ? group.substr(mount.group.size()) : "";
  }
  if (!group.starts_with('/') || group.find("/..") != std::string::npos) group = "";
  const std::string top = root + mount.point;
  double limit = limit_in(top, version_2);
  while (group.size() > 1) {
    limit = std::min(limit, limit_in(top + group, version_2));
    group.resize(group.find_last_of('/'));
  }
  return limit;
}

}  // namespace

int quota_processors(const std::string& root) {
  double limit = kNoLimit;
  // "0::/GROUP" for version 2, "4:cpu,cpuacct:/GROUP" for version 1.
  for (const std::string& line : lines_of(root + "/proc/self/cgroup")) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool version_2 = controllers.empty();
    if (!version_2 && !has_word(controllers, "cpu")) continue;
    for (const Mount& mount : mounts_of(root, version_2)) {
      limit = std::min(limit, limit_of(root, mount, line.substr(second + 1), version_2));
    }
  }
  if (!(limit < 1e6)) return 0;
  return std::max(1, static_cast<int>(std::ceil(limit)));
}

}  // namespace gallop

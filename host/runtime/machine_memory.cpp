#include <gallop/host/runtime/machine_memory.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace gallop {
namespace {

constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();

// The number behind a name at the beginning of a line.
std::optional<std::uint64_t> number_of(const std::string& path, std::string_view wanted) {
  std::ifstream file(path);
  for (std::string name, rest; file >> name; std::getline(file, rest)) {
    std::uint64_t number = 0;
    if (name == wanted && file >> number) return number;
  }
  return std::nullopt;
}

// That of a file which holds nothing else; none where it says "max".
std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

std::uint64_t memory_and_swap() {
  const auto memory = number_of("/proc/meminfo", "MemAvailable:"),
             swap = number_of("/proc/meminfo", "SwapFree:");
  return memory ? (*memory + swap.value_or(0)) * 1024 : kUnknown;
}

struct GroupFiles {
  const char *limit, *used, *statistics, *cached;
};
constexpr GroupFiles kGroups[] = {
    {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat",
     "file"},
    {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
     "/sys/fs/cgroup/memory/memory.stat", "total_cache"}};

std::uint64_t left_of(const GroupFiles& group) {
  const auto limit = number_in(group.limit), used = number_in(group.used);
  if (!limit || !used) return kUnknown;
  const std::uint64_t cached = number_of(group.statistics, group.cached).value_or(0);
  const std::uint64_t kept = *used > cached ? *used - cached : 0;
  return *limit > kept ? *limit - kept : 0;
}

}  // namespace

std::uint64_t machine_memory() {
  std::uint64_t least = memory_and_swap();
  for (const GroupFiles& group : kGroups) least = std::min(least, left_of(group));
  return least;
}

}  // namespace gallop

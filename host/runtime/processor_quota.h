#pragma once

#include <string>

namespace gallop {

// Processors that the control groups of this process give it, rounded up; 0 where they set no
// limit. Containers are limited so (`docker run --cpus 1.5`), by control groups of either version.
// /proc and /sys are found below `root`.
int quota_processors(const std::string& root = "");

}  // namespace gallop

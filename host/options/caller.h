#pragma once

namespace gallop {

// The origin of options that a program which embeds this one sets by calls of the C interface.
inline constexpr const char* kCaller = "the caller";

}  // namespace gallop

#pragma once

// The only way to include toml++. Version 3.3 asserts some things of its input ("[.a]", "a = ,"),
// and lets the compiler assume them in a release build. Here a failing one is an exception, in
// every build: text from outside must not break the program.
namespace gallop {
struct TomlAssertion {};
}  // namespace gallop

#undef NDEBUG
#define TOML_ASSERT(condition)                       \
  do {                                               \
    if (!(condition)) throw gallop::TomlAssertion(); \
  } while (false)

// Those inside functions that must not throw hold for any input; there the program would end, as by
// assert.
#pragma GCC diagnostic push
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wexceptions"
#else
#pragma GCC diagnostic ignored "-Wterminate"
#endif
#include <toml++/toml.h>
#pragma GCC diagnostic pop

#pragma once

#include <string>
#include <string_view>

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

namespace gallop {

struct TomlEntry;

// For readers of documents that read_toml has no shape for. The same limits on size, nesting and
// characters hold, and the same value errors are thrown.
toml::table parse_toml_document(std::string_view toml, std::string_view origin);
// A number, boolean, string or array of integers; `name` stands in the value error for anything
// else.
TomlEntry toml_entry(std::string name, const toml::node& node, std::string_view origin);
// "a.toml:3:7" and "string", for messages.
std::string toml_position(std::string_view origin, const toml::node& node);
std::string toml_kind(const toml::node& node);

}  // namespace gallop

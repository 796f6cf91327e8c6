#pragma once

#include <string>
#include <string_view>

// The only way to include toml++. Version 3.3 asserts some things of its input ("[.a]", "a = ,"),
// and lets the compiler assume them in a release build. Here a failing one is an exception, in
// every build: text from outside must not break the program.
namespace gallop {
struct TomlAssertion {};
}  // namespace gallop

// A stream takes memory that ran out for a malformed number.
#define TOML_FLOAT_CHARCONV 1
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
#pragma GCC diagnostic ignored "-Wkeyword-macro"
#else
#pragma GCC diagnostic ignored "-Wterminate"
#endif
// The constructors of its error copy a text and say that they cannot throw: out of memory there
// would end the program too. Its other parts come first, so that theirs alone may.
#if __has_include(<toml++/impl/parse_error.hpp>)  // since version 3.4
#include <toml++/impl/preprocessor.hpp>

#include <toml++/impl/print_to_stream.hpp>
#include <toml++/impl/source_region.hpp>
#include <toml++/impl/std_except.hpp>
#define noexcept
#include <toml++/impl/parse_error.hpp>
#undef noexcept
#else
#include <toml++/impl/preprocessor.h>

#include <toml++/impl/print_to_stream.h>
#include <toml++/impl/source_region.h>
#include <toml++/impl/std_except.h>
#define noexcept
#include <toml++/impl/parse_error.h>
#undef noexcept
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

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include <gallop/host/error.h>

namespace gallop::test {

// Expects an Error of that code and gives back its message; anything else fails the test.
template <class Call>
std::string expect_error(ExitCode code, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "an exception of another type: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no error, expected one of code " << static_cast<int>(code);
  return "";
}

// The same, and the message has to hold each of the texts.
template <class Call, class... Texts>
void expect_error_with(ExitCode code, const Call& call, const Texts&... texts) {
  const std::string message = expect_error(code, call);
  for (const std::string_view text : {std::string_view(texts)...}) {
    EXPECT_NE(message.find(text), std::string::npos) << "'" << text << "' is not in: " << message;
  }
}

}  // namespace gallop::test

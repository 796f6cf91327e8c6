#pragma once

#include <gallop/host/error.h>

namespace gallop {

// Throws a value error where a request has a `refusal` beside it (kernels/operations.h) and that
// gives a reason.
template <class Request>
void require_valid(const Request& r) {
  if constexpr (requires { refusal(r); }) {
    if (const char* const why = refusal(r); why != nullptr) throw value_error(why);
  }
}

}  // namespace gallop

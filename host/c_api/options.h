#pragma once

#include <string>

#include <gallop/host/training/run_options.h>

struct gallop_options {
  gallop::RunOptions options;
  std::string toml, json;  // the last that were asked for
};

namespace gallop::c_api {

// Where a value came from, in messages.
constexpr const char* kOrigin = "the caller";

}  // namespace gallop::c_api

#pragma once

#include <string>

#include <gallop/host/options/caller.h>
#include <gallop/host/training/run_options.h>

struct gallop_options {
  gallop::RunOptions options;
  std::string toml, json;  // the last that were asked for
};

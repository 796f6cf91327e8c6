#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/error.h>

namespace gallop::campaign {

// A reader of something that comes from outside, with what stands behind it. `run` takes any bytes
// in at most some milliseconds. It throws an Error (but an internal one) for what is refused, and
// returns a few words on what became of the rest; it ends in finding() where a promise is broken.
struct FuzzTarget {
  const char* name;
  std::string (*run)(std::string_view input);
  std::vector<std::string> (*seeds)();  // inputs of every kind
  std::vector<std::string> (*words)();  // what such inputs are made of
  double share = 1;                     // of the campaign's time: greater for those that run slower
};

FuzzTarget toml_target();
FuzzTarget options_target();
FuzzTarget study_target();
FuzzTarget safetensors_target();
FuzzTarget checkpoint_target();
FuzzTarget policy_target();
FuzzTarget logs_target();
FuzzTarget result_target();
FuzzTarget problem_target();
FuzzTarget run_folder_target();
FuzzTarget trace_target();
FuzzTarget words_target();
FuzzTarget api_target();
FuzzTarget controller_target();

std::vector<FuzzTarget> fuzz_targets();

// Runs it, and tells what came of it in words that are the same for inputs of one kind: numbers and
// what stands in quotes are left out.
std::string behaviour(const FuzzTarget& target, std::string_view input);

// Whether it says that memory ran out, which may happen anywhere while allocations fail.
bool is_out_of_memory(const Error& error);

// Splits off the first byte; 0 where there is none.
unsigned take_byte(std::string_view& input);

}  // namespace gallop::campaign

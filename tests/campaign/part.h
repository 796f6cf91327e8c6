#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/campaign/session.h"

namespace gallop::campaign {

// A part of the campaign: one kind of trial, as long as there is time.
struct Part {
  std::string name;
  double share;  // of the time, against the other parts'
  std::function<void(Session&)> run;
  std::function<void(std::string_view input)> repeat;  // one case, as a finding holds it
};

// A fuzz target with inputs made by the mutator from the seeds, from what stands in
// `corpus`/NAME, and from inputs whose behaviour was new, which are kept there.
std::vector<Part> fuzz_parts(const std::string& corpus);

Part allocations_part();     // each allocation of a call of the library fails once
Part calls_part();           // each call on files fails once, while a run trains
Part power_cuts_part();      // the power fails at each of them
Part kills_part();           // the program is killed before each of its system's calls on files
Part program_calls_part();   // each of these fails once
Part program_memory_part();  // each allocation of the program fails once

}  // namespace gallop::campaign

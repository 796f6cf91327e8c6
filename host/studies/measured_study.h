// Studies that are measurements of their own, not runs of algorithms: `gallop study NAME` takes
// flags of their own there (host/program/study_command.cpp).
#pragma once

#include <string>
#include <vector>

namespace gallop {

struct MeasuredStudy {
  const char* name;
  const char* title;
  const char* about;
};

// Null where there is none of that name.
const MeasuredStudy* measured_study_called(const std::string& name);
// The names of all studies in their order: of the shipped files and of those above.
std::vector<std::string> study_names();

}  // namespace gallop

// The campaign against the promises of the program: each part for some seconds, or one case again.
//
//   gallop_campaign list                         name and share of each part
//   gallop_campaign targets                      those of them that are fuzz targets
//   gallop_campaign run PART SECONDS FOLDER      corpora, findings stand in FOLDER; prints
//                                                part,executions,kills,power cuts,findings,seconds
//   gallop_campaign repeat PART FILE             a finding
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/campaign/part.h"

namespace gallop::campaign {
namespace {

std::vector<Part> all_parts(const std::string& folder) {
  std::vector<Part> parts = fuzz_parts(folder + "/corpus");
  for (const Part& part : {allocations_part(), calls_part(), power_cuts_part(), kills_part(),
                           program_calls_part(), program_memory_part()}) {
    parts.push_back(part);
  }
  return parts;
}

int usage() {
  std::fputs("gallop_campaign list | targets | run PART SECONDS FOLDER | repeat PART FILE\n",
             stderr);
  return 2;
}

int run(const std::vector<std::string>& words) {
  const std::string command = words.empty() ? "" : words[0];
  if (command == "list") {
    for (const Part& part : all_parts("")) std::printf("%s %g\n", part.name.c_str(), part.share);
    return 0;
  }
  if (command == "targets") {
    for (const Part& part : fuzz_parts("")) std::puts(part.name.c_str());
    return 0;
  }
  if ((command != "run" || words.size() != 4) && (command != "repeat" || words.size() != 3)) {
    return usage();
  }
  // A part may work in a folder of its own.
  const std::string folder =
      command == "run" ? std::filesystem::absolute(words[3]).string() : std::string();
  for (const Part& part : all_parts(folder)) {
    if (part.name != words[1]) continue;
    if (command == "repeat") {
      std::ifstream file(words[2], std::ios::binary);
      part.repeat(
          std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()));
      std::puts("nothing found");
      return 0;
    }
    const Counts counts =
        supervise(part.name, part.run, std::atof(words[2].c_str()), folder + "/findings");
    std::printf("%s,%lu,%lu,%lu,%lu,%.0f\n", part.name.c_str(), counts.executions, counts.kills,
                counts.power_cuts, counts.findings, counts.seconds);
    return counts.findings == 0 ? 0 : 1;
  }
  std::fprintf(stderr, "there is no part '%s'\n", words[1].c_str());
  return 2;
}

}  // namespace
}  // namespace gallop::campaign

int main(int argc, char** argv) { return gallop::campaign::run({argv + 1, argv + argc}); }

// Runs that an earlier program recorded (tests/data/recorded): the same from nothing, and its
// folders evaluated and resumed. All end with the bits that they had then.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include <gallop/host/registry/registry.h>
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using test::TemporaryFolder;

// A row of runs.csv.
struct RecordedRun {
  std::string name, environment, algorithm, bits;
  double end_return, middle_return;
  std::vector<std::string> arguments;  // of `train ENVIRONMENT`
};

const std::filesystem::path kFolder =
    std::filesystem::path(GALLOP_TEST_SOURCE_DIR) / "tests/data/recorded";

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

bool is_built(const std::string& environment) {
  for (const EnvironmentEntry* entry : all_environments()) {
    if (spec_of(*entry).name == environment) return true;
  }
  return false;
}

// Those of the environments that this build has.
std::vector<RecordedRun> recorded_runs() {
  std::vector<RecordedRun> runs;
  std::ifstream file(kFolder / "runs.csv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = split(line.substr(0, line.find('"')), ',');
    std::string arguments =
        line.find('"') == std::string::npos
            ? cells.back()
            : line.substr(line.find('"') + 1, line.rfind('"') - line.find('"') - 1);
    if (!is_built(cells[1])) continue;
    runs.push_back({cells[0], cells[1], cells[2], cells[3], std::stod(cells[4]),
                    std::stod(cells[5]), split(arguments, ' ')});
  }
  return runs;
}

nlohmann::json result_of(const std::vector<std::string>& arguments) {
  const ProgramResult result = run_program(arguments);
  EXPECT_EQ(result.code, 0) << result.err;
  return nlohmann::json::parse(last_line(result.out), nullptr, false);
}

void expect_end(const RecordedRun& run, const nlohmann::json& result) {
  ASSERT_TRUE(result.is_object());
  EXPECT_EQ(result.value("bits", ""), run.bits);
  EXPECT_NEAR(result.value("eval_return_mean", 0.0), run.end_return,
              1e-8 * std::abs(run.end_return));
}

class EveryRecordedRun : public ::testing::TestWithParam<RecordedRun> {};
INSTANTIATE_TEST_SUITE_P(Recorded, EveryRecordedRun, ::testing::ValuesIn(recorded_runs()),
                         [](const auto& info) { return info.param.name; });

TEST_P(EveryRecordedRun, HasItsBitsFromNothing) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = {"train", GetParam().environment, "--out", folder / "run",
                                        "--json"};
  const std::vector<std::string>& more = GetParam().arguments;
  arguments.insert(arguments.end(), more.begin(), more.end());
  expect_end(GetParam(), result_of(arguments));
}

TEST_P(EveryRecordedRun, IsEvaluatedAndResumedToItsBits) {
  const TemporaryFolder folder;
  const std::string place = folder / "run";
  std::filesystem::copy(kFolder / GetParam().name, place, std::filesystem::copy_options::recursive);
  const nlohmann::json middle = result_of({"eval", place, "--episodes", "4", "--json"});
  ASSERT_TRUE(middle.is_object());
  EXPECT_NEAR(middle.value("eval_return_mean", 0.0), GetParam().middle_return,
              1e-8 * std::abs(GetParam().middle_return));
  expect_end(GetParam(), result_of({"train", GetParam().environment, "--resume", place, "--json"}));
}

TEST(RecordedRuns, NameEveryAlgorithm) {
  std::set<std::string> named;
  for (const RecordedRun& run : recorded_runs()) named.insert(run.algorithm);
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    EXPECT_TRUE(named.contains(algorithm->name)) << algorithm->name;
  }
}

}  // namespace
}  // namespace gallop::testing

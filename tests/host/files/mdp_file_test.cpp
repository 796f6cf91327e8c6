#include <gallop/host/files/mdp_file.h>

#include <gtest/gtest.h>

#include <fstream>

#include <gallop/kernels/environment/mdp_table.h>
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"

namespace gallop::test {
namespace {

constexpr const char* kThreeStates = R"(# the built-in process
states 3
actions 2
horizon 4
start 1 0 0
step 0 0  0    .8 .2 0
step 0 1  -.1  .1 .8 .1   # a comment
step 1 0  .2   .7 .2 .1
step 1 1  -.2  0 .3 .7

step 2 0  1    .5 .5 0
step 2 1  2    .2 .2 .6
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_refused(const std::string& text, const std::string& where, const std::string& what) {
  expect_error_with(
      ExitCode::value, [&] { parse_mdp(text, "my.mdp"); }, where, what);
}

TEST(MdpFile, LaysOutTheTable) {
  const MdpFile file = parse_mdp(kThreeStates, "my.mdp");
  EXPECT_EQ(file.n_states, 3);
  EXPECT_EQ(file.n_actions, 2);
  EXPECT_EQ(file.horizon, 4);
  ASSERT_EQ(file.table.size(), size_t(kMdpTableCapacity));
  const MdpTable layout = {3, 2};
  const float* row = file.table.data() + layout.cumulative() + (1 * 2 + 0) * 3;
  EXPECT_FLOAT_EQ(row[0], 0.7f);
  EXPECT_FLOAT_EQ(row[1], 0.9f);
  EXPECT_EQ(row[2], 1.0f);
  EXPECT_FLOAT_EQ(file.table[layout.reward() + 5], 2.0f);
  EXPECT_EQ(file.table[layout.start()], 1.0f);
  EXPECT_EQ(file.table[layout.terminal() + 2], 0.0f);
}

TEST(MdpFile, HorizonAndTerminalsAreOptional) {
  const std::string text = replaced(kThreeStates, "horizon 4", "terminal 2");
  const MdpFile file = parse_mdp(text, "my.mdp");
  EXPECT_EQ(file.horizon, 0);
  const MdpTable layout = {3, 2};
  EXPECT_EQ(file.table[layout.terminal() + 2], 1.0f);
}

TEST(MdpFile, LargestProcessFits) {
  std::string text = "states 64\nactions 16\nstart 1" + std::string(63 * 2, ' ');
  for (int k = 1; k < 64; k++) text += " 0";
  for (int s = 0; s < 64; s++) {
    for (int a = 0; a < 16; a++) {
      text += "\nstep " + std::to_string(s) + " " + std::to_string(a) + " 1";
      for (int k = 0; k < 64; k++) text += " 0.015625";
    }
  }
  const MdpFile file = parse_mdp(text, "large.mdp");
  const MdpTable layout = {64, 16};
  EXPECT_EQ(layout.size(), kMdpTableCapacity);
  EXPECT_EQ(file.table[layout.cumulative() + 64 * 16 * 64 - 2], 63.0f / 64);
  EXPECT_EQ(file.table[layout.reward() + 64 * 16 - 1], 1.0f);
}

TEST(MdpFile, RefusesProbabilitiesThatAreNone) {
  expect_refused(replaced(kThreeStates, ".8 .2 0", ".8 .3 0"), "my.mdp:6:", "sum to 1.1");
  expect_refused(replaced(kThreeStates, ".8 .2 0", "1.2 -.2 0"), "my.mdp:6:", "1.2");
  expect_refused(replaced(kThreeStates, ".8 .2 0", "nan .2 0"), "my.mdp:6:", "nan");
  expect_refused(replaced(kThreeStates, ".8 .2 0", ".8 .2"), "my.mdp:6:", "expected 6");
  expect_refused(replaced(kThreeStates, "start 1 0 0", "start 0 0 0"), "my.mdp:5:", "sum to 0");
}

TEST(MdpFile, RefusesWhatIsMissingOrTwice) {
  expect_refused("", "my.mdp", "must come first");
  expect_refused(replaced(kThreeStates, "states 3\n", ""), "my.mdp:4:", "must come first");
  expect_refused(replaced(kThreeStates, "start 1 0 0", ""), "my.mdp", "no 'start'");
  expect_refused(replaced(kThreeStates, "step 1 0  .2   .7 .2 .1", ""), "my.mdp", "'step 1 0'");
  expect_refused(replaced(kThreeStates, "step 1 0", "step 1 1"), "my.mdp:9:", "twice");
  expect_refused(replaced(kThreeStates, "actions 2", "actions 2\nactions 2"), "my.mdp:4:", "twice");
  expect_refused(replaced(kThreeStates, "horizon 4", "horizon 4\nhorizon 5"), "my.mdp:5:", "twice");
}

TEST(MdpFile, RefusesWhatIsOutOfRange) {
  expect_refused(replaced(kThreeStates, "states 3", "states 65"), "my.mdp:2:", "1 to 64");
  expect_refused(replaced(kThreeStates, "actions 2", "actions 0"), "my.mdp:3:", "1 to 16");
  expect_refused(replaced(kThreeStates, "step 2 1", "step 3 1"), "my.mdp:12:", "0 to 2");
  expect_refused(replaced(kThreeStates, "step 2 1", "step 2 2"), "my.mdp:12:", "0 to 1");
  expect_refused(replaced(kThreeStates, "step 2 1  2", "step 2 1  1e39"), "my.mdp:12:", "1e39");
  expect_refused(replaced(kThreeStates, "horizon 4", "terminal 3"), "my.mdp:4:", "0 to 2");
  expect_refused(replaced(kThreeStates, "horizon 4", "horizon 4.5"), "my.mdp:4:", "4.5");
}

TEST(MdpFile, OffersTheNearestStatement) {
  expect_refused(replaced(kThreeStates, "start", "strat"), "my.mdp:5:", "did you mean 'start'");
  expect_refused(std::string(500'000, 'x'), "my.mdp:1:", "unknown statement");
  expect_refused(std::string(2'000'000, '\n'), "my.mdp", "2000000 bytes");
}

TEST(MdpFile, ReadsFromDiskAndSaysWhyItCannot) {
  const TemporaryFolder folder;
  const std::string path = folder / "three.mdp";
  std::ofstream(path) << kThreeStates;
  EXPECT_EQ(read_mdp_file(path).n_states, 3);
  expect_error_with(
      ExitCode::io, [&] { read_mdp_file(path + ".none"); }, "three.mdp.none");
}

}  // namespace
}  // namespace gallop::test

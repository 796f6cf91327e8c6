// The comparison that scripts/gpu_check.sh makes of a device, on the subject.
#include "tests/cuda/bits_table.h"

#include <algorithm>
#include <set>

#include "host/registry/registry.h"
#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

TEST(BitsTable, EveryRowIsEqual) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  int n_rows = 0;
  std::set<std::string> environments, algorithms;
  compare_bits(*cpu, *subject, BitsSize::kSmall, false, [&](const BitsRow& row) {
    EXPECT_EQ(row.cpu_hash, row.gpu_hash) << bits_line(row, "");
    environments.insert(row.environment);
    algorithms.insert(row.algorithm);
    n_rows++;
  });
  EXPECT_GE(n_rows, 30);
  EXPECT_EQ(environments.size(), all_environments().size());
  EXPECT_GE(algorithms.size(), 3u);  // of them "-", the rollouts
}

TEST(BitsTable, TheSmallestChangeOfAPolicyShows) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  int n_different = 0;
  compare_bits(*cpu, *subject, BitsSize::kSmall, true, [&](const BitsRow& row) {
    if (row.policy == "uniform") {
      EXPECT_EQ(row.cpu_hash, row.gpu_hash) << bits_line(row, "");
    } else {
      n_different += row.cpu_hash != row.gpu_hash ? 1 : 0;
    }
  });
  EXPECT_GE(n_different, 20);
}

TEST(BitsTable, ALineHasTheColumnsOfItsHeader) {
  const BitsRow row = {"cartpole", "64-64", "-", 3, "5x2", "aa", "bb"};
  EXPECT_EQ(bits_line(row, "c0ffee"), "cartpole,64-64,-,3,5x2,aa,bb,c0ffee");
  const std::string header = bits_header();
  EXPECT_EQ(std::count(header.begin(), header.end(), ','), 7);
}

}  // namespace
}  // namespace gallop::testing

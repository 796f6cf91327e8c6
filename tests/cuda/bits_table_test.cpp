// The comparison that scripts/gpu_check.sh makes of a device, on the subject.
#include "tests/cuda/bits_table.h"

#include <algorithm>
#include <set>

#include <gallop/host/registry/registry.h>
#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

TEST(BitsTable, EveryRowIsEqual) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  int n_rows = 0;
  std::set<std::string> environments, algorithms, policies;
  compare_bits(*cpu, *subject, BitsSize::kSmall, false, [&](const BitsRow& row) {
    EXPECT_EQ(row.cpu_hash, row.gpu_hash) << bits_line(row, "");
    environments.insert(row.environment);
    algorithms.insert(row.algorithm);
    policies.insert(row.policy);
    n_rows++;
  });
  EXPECT_GE(n_rows, 30);
  EXPECT_EQ(environments.size(), all_environments().size());
  EXPECT_EQ(algorithms.size(), all_algorithms().size() + 1);  // and "-", what does not learn
  for (const char* policy : {"uniform", "linear", "64-64", "64-64 most probable",
                             "64-64 network log sigma", "64-64 deterministic", "tabular softmax",
                             "64-64, next-step resets", "steps", "steps, next-step resets",
                             "steps, resets disabled", "default", "network log sigma", "tabular"}) {
    EXPECT_TRUE(policies.contains(policy)) << policy;
  }
}

TEST(BitsTable, TheSmallestChangeOfAPolicyShows) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  int n_different = 0;
  compare_bits(*cpu, *subject, BitsSize::kSmall, true, [&](const BitsRow& row) {
    if (row.policy.starts_with("uniform")) {
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

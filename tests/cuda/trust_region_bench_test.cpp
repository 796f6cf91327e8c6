// The benchmark of scripts/gpu_check.sh on the subject: it computes what the CPU computes.
#include "tests/cuda/trust_region_bench.h"

#include <algorithm>

#include "tests/cuda/subject.h"

namespace gallop::testing {
namespace {

TEST(TrustRegionBench, ComputesWhatTheCpuComputes) {
  const auto rows = [](Backend& backend) {
    std::vector<TrustRegionTime> all;
    bench_trust_region(backend, 10, 15, 2, 1,
                       [&](const TrustRegionTime& row) { all.push_back(row); });
    return all;
  };
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const std::vector<TrustRegionTime> expected = rows(*cpu), actual = rows(*subject);
  ASSERT_EQ(expected.size(), 4u);
  ASSERT_EQ(actual.size(), 4u);
  for (std::size_t k = 0; k < expected.size(); k++) {
    EXPECT_EQ(expected[k].what, actual[k].what);
    EXPECT_EQ(actual[k].samples, 150);
    EXPECT_EQ(expected[k].checksum, actual[k].checksum) << actual[k].what;
    EXPECT_GT(actual[k].checksum, 0.0);
    ASSERT_EQ(actual[k].seconds.size(), 1u);
    EXPECT_GT(actual[k].seconds[0], 0.0);
  }
}

TEST(TrustRegionBench, ALineHasTheColumnsOfItsHeader) {
  const TrustRegionTime row = {"trpo_update", "cartpole", 100, {0.3, 0.1, 0.2}, 1.5};
  EXPECT_EQ(trust_region_line(row, "c0ffee"), "trpo_update,cartpole,100,0.2,0.1,0.3,1.5,c0ffee");
  const std::string header = trust_region_header();
  EXPECT_EQ(std::count(header.begin(), header.end(), ','), 7);
}

}  // namespace
}  // namespace gallop::testing

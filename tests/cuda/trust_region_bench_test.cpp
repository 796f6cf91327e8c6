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
  ASSERT_EQ(expected.size(), 8u);
  ASSERT_EQ(actual.size(), 8u);
  for (std::size_t k = 0; k < expected.size(); k++) {
    const TrustRegionTime& row = actual[k];
    EXPECT_EQ(expected[k].what, row.what);
    EXPECT_EQ(row.samples, 150);
    EXPECT_EQ(row.mode, k % 4 < 2 ? "strict" : "fast");
    if (row.mode == "strict") {
      EXPECT_EQ(row.path, "fused");
      EXPECT_EQ(expected[k].checksum, row.checksum) << row.what;
    } else {
      EXPECT_NEAR(expected[k].checksum, row.checksum, 2e-2 * expected[k].checksum) << row.what;
    }
    EXPECT_GT(row.checksum, 0.0);
    ASSERT_EQ(row.seconds.size(), 1u);
    EXPECT_GT(row.seconds[0], 0.0);
  }
  EXPECT_EQ(actual[2].path, "cublas");
  // 4-64-64-2
  EXPECT_EQ(actual[0].multiply_adds, 150.0 * (2 * 4 * 64 + 2 * 64 * 64 + 2 * 64 * 2));
}

TEST(TrustRegionBench, ALineHasTheColumnsOfItsHeader) {
  TrustRegionTime row = {"fisher_product", "cartpole", "fast", "cublas", 100,
                         {0.3, 0.1, 0.2},  50,         1.5};
  EXPECT_EQ(trust_region_line(row, 1000, "c0ffee"),
            "fisher_product,cartpole,fast,cublas,100,0.2,0.1,0.3,0.250,1.5,c0ffee");
  row.multiply_adds = 0;
  EXPECT_EQ(trust_region_line(row, 1000, "c0ffee"),
            "fisher_product,cartpole,fast,cublas,100,0.2,0.1,0.3,,1.5,c0ffee");
  const std::string header = trust_region_header();
  EXPECT_EQ(std::count(header.begin(), header.end(), ','), 10);
}

}  // namespace
}  // namespace gallop::testing

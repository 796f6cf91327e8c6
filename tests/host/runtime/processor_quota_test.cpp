#include <gallop/host/runtime/processor_quota.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include <gallop/host/runtime/processor.h>
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::put_file;
using test::TemporaryFolder;

// A machine's /proc and /sys, as far as control groups go.
class ProcessorQuota : public ::testing::Test {
 protected:
  ProcessorQuota() { std::filesystem::create_directories(root_ / "proc/self"); }
  void put(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ / path).parent_path());
    put_file(root_ / path, text);
  }
  int processors() const { return quota_processors(root_.path()); }

  TemporaryFolder root_;
};

const std::string kMountsV2 =
    "24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST_F(ProcessorQuota, NoneWithoutControlGroups) {
  EXPECT_EQ(processors(), 0);
  put("proc/self/cgroup", "nonsense\n0:\n::\n");
  put("proc/self/mountinfo", "nonsense\n - \n");
  EXPECT_EQ(processors(), 0);
}

// docker run --cpus on a machine of today: the container sees its group as the root.
TEST_F(ProcessorQuota, OfVersionTwoInAContainer) {
  put("proc/self/cgroup", "0::/\n");
  put("proc/self/mountinfo", kMountsV2);
  const std::pair<const char*, int> cases[] = {{"max 100000\n", 0},
                                               {"200000 100000\n", 2},
                                               {"150000 100000\n", 2},
                                               {"50000 100000\n", 1},
                                               {"1000 100000\n", 1},
                                               {"6400000 100000\n", 64},
                                               {"210000 100000\n", 3},
                                               {"", 0},
                                               {"-1 100000\n", 0},
                                               {"100000 0\n", 0},
                                               {"x y\n", 0}};
  for (const auto& [text, expected] : cases) {
    put("sys/fs/cgroup/cpu.max", text);
    EXPECT_EQ(processors(), expected) << text;
  }
}

// A service on the machine itself: the limit may be that of any group above.
TEST_F(ProcessorQuota, OfVersionTwoTheLeastOfAllAbove) {
  put("proc/self/cgroup", "0::/system.slice/train.service\n");
  put("proc/self/mountinfo", kMountsV2);
  put("sys/fs/cgroup/system.slice/train.service/cpu.max", "max 100000\n");
  EXPECT_EQ(processors(), 0);
  put("sys/fs/cgroup/system.slice/cpu.max", "400000 100000\n");
  EXPECT_EQ(processors(), 4);
  put("sys/fs/cgroup/system.slice/train.service/cpu.max", "300000 100000\n");
  EXPECT_EQ(processors(), 3);
}

TEST_F(ProcessorQuota, OfVersionOne) {
  put("proc/self/cgroup",
      "11:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n3:cpuset:/docker/abc\n0::/\n");
  // Inside the container its group is mounted, under the path that it has outside.
  put("proc/self/mountinfo",
      "40 30 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:15 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "41 30 0:31 /docker/abc /sys/fs/cgroup/cpuset ro,nosuid master:16 - cgroup cgroup "
      "rw,cpuset\n");
  EXPECT_EQ(processors(), 0);
  put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(processors(), 0);
  put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(processors(), 3);
  // The same on the machine itself.
  put("proc/self/mountinfo",
      "40 30 0:30 / /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n");
  put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "50000\n");
  put("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "100000\n");
  EXPECT_EQ(processors(), 2);
}

TEST_F(ProcessorQuota, AGroupOutsideOfTheNamespaceIsNotLookedFor) {
  put("proc/self/cgroup", "0::/../../other\n");
  put("proc/self/mountinfo", kMountsV2);
  put("sys/fs/cgroup/cpu.max", "100000 100000\n");
  put("other/cpu.max", "1000 100000\n");
  EXPECT_EQ(processors(), 1);
}

TEST(AvailableProcessors, AreAtMostTheQuota) {
  EXPECT_GE(available_processors(), 1);
  const int quota = quota_processors();
  if (quota > 0) {
    EXPECT_LE(available_processors(), quota);
  }
}

}  // namespace
}  // namespace gallop

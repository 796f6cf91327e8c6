// The disk in memory that the campaign cuts off from power: what it may lose, and what it may not.
#include "tests/campaign/memory_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <set>

#include <gallop/host/files/durable_file.h>

namespace gallop::campaign {
namespace {

std::shared_ptr<MemoryFiles> empty_disk() { return std::make_shared<MemoryFiles>(MemoryDisk()); }

void put(FileSystem& files, const std::string& path, std::string_view text, bool is_synced) {
  File file(files, path, O_WRONLY | O_CREAT | O_TRUNC);
  file.write(std::as_bytes(std::span(text)));
  if (is_synced) file.sync();
}

// What power cuts leave of a file.
std::set<std::string> texts_left(const MemoryDisk& disk, const std::string& path) {
  std::set<std::string> texts;
  for (std::uint64_t seed = 0; seed < 400; seed++) {
    std::mt19937_64 random(seed);
    const MemoryFiles left(disk.after_power_cut(random));
    texts.insert(left.has(path) ? left.text(path) : "(none)");
  }
  return texts;
}

TEST(MemoryDisk, KeepsWhatIsDurable) {
  const auto files = empty_disk();
  make_folder(*files, "/f");
  write_file_atomically(*files, "/f/a", std::string_view("whole"));
  EXPECT_EQ(files->disk().n_pending(), 0u);
  EXPECT_EQ(texts_left(files->disk(), "/f/a"), std::set<std::string>{"whole"});
}

// A program that does not wait for its file, or not for the folder, can lose it: the disk shows it.
TEST(MemoryDisk, LosesWhatIsNot) {
  const auto files = empty_disk();
  put(*files, "/a", "text", true);  // without the folder
  EXPECT_EQ(texts_left(files->disk(), "/a"), (std::set<std::string>{"(none)", "text"}));
  sync_folder(*files, "/");
  EXPECT_EQ(texts_left(files->disk(), "/a"), std::set<std::string>{"text"});
  put(*files, "/b", "ab", false);
  sync_folder(*files, "/");
  const std::set<std::string> torn = texts_left(files->disk(), "/b");
  EXPECT_TRUE(torn.contains("") && torn.contains("a") && torn.contains("ab"));
  EXPECT_TRUE(torn.contains(std::string(2, '\0'))) << "a length without its bytes";
  EXPECT_FALSE(torn.contains("(none)"));
}

TEST(MemoryDisk, RenamesWholeOrNotAtAll) {
  const auto files = empty_disk();
  put(*files, "/old", "old", true);
  put(*files, "/new", "new", true);
  sync_folder(*files, "/");
  ASSERT_EQ(files->rename("/new", "/old"), 0);
  EXPECT_EQ(texts_left(files->disk(), "/old"), (std::set<std::string>{"old", "new"}));
  for (std::uint64_t seed = 0; seed < 100; seed++) {
    std::mt19937_64 random(seed);
    const MemoryFiles left(files->disk().after_power_cut(random));
    EXPECT_EQ(left.has("/new"), left.text("/old") == "old");
  }
}

TEST(MemoryDisk, ChangesOfDifferentNamesComeInAnyOrder) {
  const auto files = empty_disk();
  put(*files, "/a", "a", true);
  put(*files, "/b", "b", true);
  std::set<std::string> left;
  for (std::uint64_t seed = 0; seed < 400; seed++) {
    std::mt19937_64 random(seed);
    const MemoryFiles disk(files->disk().after_power_cut(random));
    left.insert(std::string(disk.has("/a") ? "a" : "") + (disk.has("/b") ? "b" : ""));
  }
  EXPECT_EQ(left, (std::set<std::string>{"", "a", "b", "ab"}));
}

TEST(MemoryFiles, AnswersAsTheSystemDoes) {
  const auto files = empty_disk();
  EXPECT_EQ(files->open("/no", O_RDONLY, 0), -ENOENT);
  EXPECT_EQ(files->make_folder("/no/f"), -ENOENT);
  EXPECT_EQ(files->make_folder("/f"), 0);
  EXPECT_EQ(files->make_folder("/f"), -EEXIST);
  put(*files, "/f/a", "x", false);
  EXPECT_EQ(files->remove_folder("/f"), -ENOTEMPTY);
  EXPECT_EQ(files->rename_new("/f/a", "/f/a"), -EEXIST);
  EXPECT_EQ(files->open("/f/a", O_WRONLY | O_CREAT | O_EXCL, 0), -EEXIST);
  EXPECT_EQ(files->open("/f/a", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
  const int fd = files->open("/f", O_RDONLY, 0), other = files->open("/f", O_RDONLY, 0);
  EXPECT_EQ(files->lock(fd), 0);
  EXPECT_EQ(files->lock(other), -EWOULDBLOCK);
  EXPECT_EQ(files->close(fd), 0);
  EXPECT_EQ(files->lock(other), 0);
  EXPECT_EQ(files->remove("/f/a"), 0);
  EXPECT_EQ(files->remove_folder("/f"), 0);
}

}  // namespace
}  // namespace gallop::campaign

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/file_system.h>
#include <gallop/host/files/tensor_file.h>

namespace gallop {

struct LoadedCheckpoint {
  uint64_t step = 0;
  std::string path;
  TensorFile file;
};

struct LoadResult {
  std::optional<LoadedCheckpoint> checkpoint;  // empty where the folder holds none at all
  std::vector<std::string>
      warnings;  // one a damaged checkpoint that was passed by: name and reason
};

// The checkpoints of one run: a folder of files step_000000123456.safetensors, each complete or
// absent. One writer a folder. Not thread-safe.
class CheckpointStore {
 public:
  // `keep` counts the newest good checkpoints that stay; at least 1. Nothing is touched before the
  // first call.
  explicit CheckpointStore(std::string folder, int keep = 2,
                           std::shared_ptr<FileSystem> files = posix_file_system());

  // Writes a checkpoint durably, then removes older ones beyond `keep`, each only after it was
  // written or read as good by this store: what is damaged or foreign stays. The folder is made
  // where it is missing. On an I/O error the earlier checkpoints are intact and no temporary file
  // stays; a checkpoint that could not be removed is no error. Returns its path.
  std::string save(uint64_t step, const TensorFile& file);

  // The newest checkpoint that is good. Damaged ones are passed by, kept, and reported. Throws a
  // checkpoint error with all the reasons where there are some and none is good. Another process
  // may be saving meanwhile.
  LoadResult load_newest_good();

  // Removes what processes which are no more left behind: temporary files, and checkpoints beyond
  // those to keep. Only for the folder's one writer.
  void remove_leftovers();

  static std::string file_name(uint64_t step);
  // The step in a checkpoint's name, empty for any other name.
  static std::optional<uint64_t> step_in(std::string_view name);

 private:
  std::string path_of(uint64_t step) const;
  TensorFile read(uint64_t step) const;
  bool look_for_newest(LoadResult& result);
  bool is_good(uint64_t step);
  void rotate();

  std::string folder_;
  size_t keep_;
  std::shared_ptr<FileSystem> files_;
  // By step: whether the checkpoint is good, as far as this store has written or read it.
  std::map<uint64_t, bool> known_;
};

// The bytes of a checkpoint of a step. Throws a value error for a step beyond those that have a
// name.
std::vector<std::byte> checkpoint_bytes(uint64_t step, TensorFile file);

// Reads one checkpoint. Throws a checkpoint error for a damaged one or what is no regular file, an
// I/O error where it cannot be read. Of a path that the user gave symbolic links are followed,
// among `files` they are not.
TensorFile read_checkpoint(const File& file);
TensorFile read_checkpoint(FileSystem& files, const std::string& path);
TensorFile read_checkpoint(const std::string& path);

// The tensors of any file in the format of checkpoints that the user gave; throws as
// read_checkpoint.
TensorFile read_tensors(const std::string& path);

// The step that a checkpoint was written at, as its text says; a checkpoint error where it is none.
uint64_t step_of(const TensorFile& file, const std::string& path);

}  // namespace gallop

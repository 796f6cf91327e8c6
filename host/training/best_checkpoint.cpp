#include <gallop/host/training/best_checkpoint.h>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/files/checkpoint_store.h>

namespace gallop {
namespace {

constexpr const char* kFile = "best.safetensors";
constexpr const char* kReturn = "eval_return";

BestEvaluation read_best(FileSystem& files, const std::string& path) {
  const TensorFile file = read_checkpoint(files, path);
  const std::string& text = file.text(kReturn);
  BestEvaluation best = {0, step_of(file, path)};
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, best.mean);
  if (error == std::errc() && last == end && std::isfinite(best.mean)) return best;
  throw checkpoint_error(fmt::format("'{}': the text '{}' is no finite number", path, kReturn));
}

}  // namespace

BestCheckpoint::BestCheckpoint(const RunFolder& folder,
                               const std::function<void(const std::string&)>& warn)
    : folder_(folder) {
  const std::string path = folder_.file(kFile);
  if (!exists(*folder_.files(), path)) return;
  try {
    best_ = read_best(*folder_.files(), path);
  } catch (const Error& error) {
    if (error.code() != ExitCode::checkpoint) throw;
    if (warn) warn(fmt::format("the best checkpoint is begun anew: {}", error.what()));
  }
}

void BestCheckpoint::offer(const BestEvaluation& evaluation,
                           const std::function<TensorFile()>& state) {
  if (best_ && !(evaluation.mean > best_->mean)) return;
  TensorFile file = state();
  file.set_text(kReturn, fmt::format("{}", evaluation.mean));
  write_file_atomically(*folder_.files(), folder_.file(kFile),
                        checkpoint_bytes(evaluation.step, std::move(file)));
  best_ = evaluation;
}

}  // namespace gallop

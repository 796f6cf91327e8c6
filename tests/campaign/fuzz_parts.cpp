#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unordered_set>

#include <gallop/host/files/sha256.h>
#include "tests/campaign/fuzz_target.h"
#include "tests/campaign/mutator.h"
#include "tests/campaign/part.h"

namespace gallop::campaign {
namespace {

constexpr std::size_t kMostInputs = 4096;

// The inputs of one target that others are made from.
class Corpus {
 public:
  Corpus(const FuzzTarget& target, std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    inputs_ = target.seeds();
    std::vector<std::filesystem::path> kept;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      kept.push_back(entry.path());
    }
    std::sort(kept.begin(), kept.end());
    for (const auto& path : kept) {
      if (inputs_.size() == kMostInputs) break;
      std::ifstream file(path, std::ios::binary);
      inputs_.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }

  const std::vector<std::string>& inputs() const { return inputs_; }
  // Keeps an input whose behaviour no other had.
  void learn(const std::string& behaviour, const std::string& input, bool is_kept) {
    if (!seen_.insert(behaviour).second || !is_kept || inputs_.size() == kMostInputs) return;
    inputs_.push_back(input);
    const std::string name = sha256_hex(std::as_bytes(std::span(input))).substr(0, 16);
    std::ofstream(folder_ + "/" + name, std::ios::binary) << input;
  }

 private:
  std::string folder_;
  std::vector<std::string> inputs_;
  std::unordered_set<std::string> seen_;
};

void fuzz(const FuzzTarget& target, const std::string& folder, Session& session) {
  Corpus corpus(target, folder);
  const auto run = [&](const std::string& input, bool is_kept) {
    session.try_case(input);
    corpus.learn(behaviour(target, input), input, is_kept);
  };
  // What led to a finding is not begun with again.
  if (session.round() == 1) {
    for (const std::string& input : std::vector<std::string>(corpus.inputs())) run(input, false);
  }
  Mutator mutator(std::hash<std::string_view>()(target.name) + session.round(), target.words());
  while (!session.is_over()) {
    const auto any = [&] { return corpus.inputs()[mutator.random()() % corpus.inputs().size()]; };
    const std::string first = any(), second = any();
    run(mutator.mutated(first, second), true);
  }
}

}  // namespace

std::vector<Part> fuzz_parts(const std::string& corpus) {
  std::vector<Part> parts;
  for (const FuzzTarget& target : fuzz_targets()) {
    parts.push_back({target.name, target.share,
                     [target, folder = corpus + "/" + target.name](Session& session) {
                       fuzz(target, folder, session);
                     },
                     [target](std::string_view input) { behaviour(target, input); }});
  }
  return parts;
}

}  // namespace gallop::campaign

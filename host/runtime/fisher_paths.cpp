#include "host/runtime/fisher_paths.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/error.h"

namespace gallop {
namespace {

constexpr int kBurst = 4, kRounds = 5;

// "4-64-64-2"
std::string widths_text(const NetworkShape& shape) {
  std::string text = fmt::format("{}", shape.width[0]);
  for (int l = 1; l <= shape.n_layers; l++) text += fmt::format("-{}", shape.width[l]);
  return text;
}

std::string key_of(const FisherRequest& r) {
  const PolicyShape& shape = r.policy.shape;
  return fmt::format("{} {} {} {}", widths_text(shape.network), int(shape.network.hidden),
                     int(shape.head), r.samples.count);
}

}  // namespace

FisherPaths::FisherPaths(KernelDevice& device, std::function<void(const std::string&)> note)
    : device_(device), note_(std::move(note)) {}

void FisherPaths::tell(const std::string& text) const {
  if (note_) note_(text);
}

bool FisherPaths::has_library() {
  if (!was_opened_) {
    was_opened_ = true;
    library_ = device_.matrix_products(why_not_);
    if (library_ != nullptr) matrices_ = std::make_unique<MatrixFisher>(device_, *library_);
  }
  return library_ != nullptr;
}

FisherPath FisherPaths::path_of(const FisherRequest& r) {
  if (r.path == FisherPath::kFused || r.policy.shape.network.kind == NetworkKind::kTabular) {
    return FisherPath::kFused;
  }
  if (r.path == FisherPath::kFaster) {
    if (const std::optional<FisherChoice> known = choice(r)) return known->path;
    if (has_library()) return FisherPath::kFaster;
    choices_[key_of(r)] = {FisherPath::kFused, 0, 0};
    tell(fmt::format("products with the Fisher matrix of {} take the fused kernel: {}",
                     widths_text(r.policy.shape.network), why_not_));
    return FisherPath::kFused;
  }
  if (!has_library()) {
    throw Error(ExitCode::cuda,
                fmt::format("this run's products with the Fisher matrix are cuBLAS's, but {}; "
                            "install it, or begin a run with fisher = auto or fused",
                            why_not_));
  }
  return FisherPath::kMatrices;
}

// As graphs, for so an update repeats them: the time of launches from the host is that of neither.
FisherPath FisherPaths::compare(const FisherRequest& r, const std::function<void()>& fused,
                                const std::function<void()>& by_matrices) {
  const auto burst = [&](const std::function<void()>& product) {
    return device_.capture([&] {
      for (int k = 0; k < kBurst; k++) product();
    });
  };
  fused();  // both find their scratch, and the library its kernels
  by_matrices();
  const std::unique_ptr<KernelGraph> graphs[] = {burst(fused), burst(by_matrices)};
  double least[2] = {__builtin_inf(), __builtin_inf()};
  for (int round = 0; round < 1 + kRounds; round++) {  // the first one is a warm-up
    for (int k = 0; k < 2; k++) {
      const double seconds = device_.seconds([&] { graphs[k]->launch(); }) / kBurst;
      if (round > 0) least[k] = std::min(least[k], seconds);
    }
  }
  const bool faster = least[1] < least[0];
  const FisherPath path = faster ? FisherPath::kMatrices : FisherPath::kFused;
  choices_[key_of(r)] = {path, least[0], least[1]};
  tell(
      fmt::format("products with the Fisher matrix of {} over {} samples take {}: {:.1f} us by "
                  "the fused kernel, {:.1f} us by {}",
                  widths_text(r.policy.shape.network), r.samples.count,
                  faster ? library_->name() : "the fused kernel", least[0] * 1e6, least[1] * 1e6,
                  library_->name()));
  return path;
}

std::optional<FisherChoice> FisherPaths::choice(const FisherRequest& r) const {
  const auto known = choices_.find(key_of(r));
  if (known == choices_.end()) return std::nullopt;
  return known->second;
}

}  // namespace gallop

#include <gallop/host/runtime/fisher_products.h>

#include <fmt/format.h>

#include <algorithm>

#include <gallop/host/error.h>
#include <gallop/host/runtime/matrix_fisher.h>

namespace gallop {
namespace {

constexpr int kBurst = 4, kWarmUp = 2, kRounds = 5;

// "4-64-64-2"
std::string widths_text(const NetworkShape& shape) {
  std::string text = fmt::format("{}", shape.width[0]);
  for (int l = 1; l <= shape.n_layers; l++) text += fmt::format("-{}", shape.width[l]);
  return text;
}

}  // namespace

FisherProducts::FisherProducts(Backend& backend, const PolicyShape& shape, long count,
                               FisherPath path, FisherMatrix matrix)
    : backend_(backend),
      shape_(shape),
      count_(count),
      path_(FisherPath::kFused),
      matrix_(matrix),
      has_ways_(false) {
  if (matrix == FisherMatrix::kEmpirical) {
    if (path == FisherPath::kMatrices) {
      throw value_error(
          "fisher is cublas, but products with the empirical Fisher matrix are those of the fused "
          "kernel; expected auto or fused");
    }
    path = FisherPath::kFused;
  }
  if (path != FisherPath::kFused && shape.network.kind != NetworkKind::kTabular) {
    library_ = backend.matrix_library(why_not_);
    has_ways_ = !library_.empty() || !why_not_.empty();
  }
  const bool has_library = !library_.empty();
  units_ = DeviceArray<float>(backend, chunk_count(count) * unit_stride() +
                                           (has_library ? matrix_unit_floats(shape, count) : 0));
  if (has_library) {
    matrix_work_ = DeviceArray<float>(backend, matrix_work_floats(shape, count));
  }
  set_path(path);
}

void FisherProducts::set_path(FisherPath path) {
  path_ = path;
  if (!has_ways_ || !library_.empty() || path == FisherPath::kFused) return;
  if (path == FisherPath::kMatrices) {
    throw Error(ExitCode::cuda,
                fmt::format("this run's products with the Fisher matrix are cuBLAS's, but {}; "
                            "install it, or begin a run with fisher = auto or fused",
                            why_not_));
  }
  path_ = FisherPath::kFused;
  choice_ = {path_, 0, 0};
  backend_.note(fmt::format("products with the Fisher matrix of {} take the fused kernel: {}",
                            widths_text(shape_.network), why_not_));
}

void FisherProducts::complete(FisherRequest& request) const {
  request.units = units_.data();
  request.unit_stride = unit_stride();
}

void FisherProducts::prepare(FisherRequest request) {
  complete(request);
  backend_.fisher_prepare(request);
  if (takes_matrices()) prepare_matrix_units(backend_, request);
}

void FisherProducts::product(FisherRequest request) {
  if (is_open()) settle(request);
  complete(request);
  if (takes_matrices()) {
    matrix_fisher_product(backend_, request, matrix_work_.data());
  } else if (matrix_ == FisherMatrix::kEmpirical) {
    backend_.empirical_fisher_product(request);
  } else {
    backend_.fisher_product(request);
  }
}

// As graphs, for so an update repeats them: the time of launches from the host is that of neither.
// Both products go where nobody reads them, and are wanted whatever the request says.
void FisherProducts::settle(FisherRequest request) {
  if (!is_open()) return;
  complete(request);
  const DeviceArray<float> product(backend_, std::size_t(parameter_count(shape_)));
  request.product = product.data();
  request.active = nullptr;
  std::unique_ptr<Recording> recordings[2];
  double least[2] = {__builtin_inf(), __builtin_inf()};
  for (int round = 0; round < kWarmUp + kRounds; round++) {
    for (int k = 0; k < 2; k++) {
      const auto burst = [&] {
        for (int i = 0; i < kBurst; i++) {
          if (k == 0) {
            backend_.fisher_product(request);
          } else {
            matrix_fisher_product(backend_, request, matrix_work_.data());
          }
        }
      };
      const double seconds = backend_.seconds([&] { backend_.run(burst, recordings[k]); });
      if (round >= kWarmUp) least[k] = std::min(least[k], seconds / kBurst);
    }
  }
  const bool faster = least[1] < least[0];
  path_ = faster ? FisherPath::kMatrices : FisherPath::kFused;
  choice_ = {path_, least[0], least[1]};
  backend_.note(
      fmt::format("products with the Fisher matrix of {} over {} samples take {}: {:.1f} us by "
                  "the fused kernel, {:.1f} us by {}",
                  widths_text(shape_.network), count_, faster ? library_ : "the fused kernel",
                  least[0] * 1e6, least[1] * 1e6, library_));
}

}  // namespace gallop

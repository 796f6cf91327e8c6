// Parameters that episodes draw.
#include <algorithm>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/runtime/environments.h>

namespace gallop {
namespace {

constexpr const char* kTensor = "ranges";  // of a snapshot: [P, 3], whether and how, low, high
enum Form : int { kNotDrawn, kPlain, kLogarithmic };

}  // namespace

void Environments::randomize(std::string_view name, const DrawnRange& range) {
  parameter_values_.set_range(parameter_values_.find(name), range);
  upload_ranges();
}

void Environments::stop_randomizing(std::string_view name) {
  parameter_values_.clear_range(parameter_values_.find(name));
  upload_ranges();
}

void Environments::stop_randomizing() {
  for (int k = 0; k < spec_->n_parameters; k++) parameter_values_.clear_range(k);
}

void Environments::upload_ranges() {
  const std::vector<ParameterRange> rows = ranges().rows();
  if (rows.empty()) return;
  if (ranges_.size() == 0) ranges_ = DeviceArray<ParameterRange>(*backend_, rows.size());
  ranges_.upload(rows);
}

// What the instances drew in episodes of these numbers [at least N], by the arithmetic of kernels.
std::vector<float> Environments::drawn(int index, std::span<const std::uint32_t> episodes) const {
  const std::vector<ParameterRange> rows = ranges().rows();
  std::vector<float> values;
  for (int i = 0; i < options_.n_envs; i++) {
    values.push_back(drawn_parameter<float>(rows.data(), index, options_.seed, id(i), episodes[i]));
  }
  return values;
}

// ParameterValues::rows() with what is drawn.
std::vector<float> Environments::rows_in(const ParameterValues& values,
                                         std::span<const std::uint32_t> episodes) const {
  std::vector<float> rows = values.rows();
  if (values.ranges().empty()) return rows;
  if (!values.per_instance()) {
    std::vector<float> each;
    for (const float x : rows) each.insert(each.end(), std::size_t(stride_), x);
    rows = std::move(each);
  }
  for (int k = 0; k < spec_->n_parameters; k++) {
    if (!values.ranges().has(k)) continue;
    const std::vector<float> own = drawn(k, episodes);
    std::copy(own.begin(), own.end(), rows.begin() + k * stride_);
  }
  return rows;
}

void Environments::save_ranges(TensorFile& file) const {
  if (ranges().empty()) return;
  std::vector<double> rows;
  for (int k = 0; k < spec_->n_parameters; k++) {
    const DrawnRange* const range = ranges().find(k);
    const Form form = range == nullptr ? kNotDrawn : range->logarithmic ? kLogarithmic : kPlain;
    rows.push_back(double(form));
    rows.push_back(range == nullptr ? 0 : range->low);
    rows.push_back(range == nullptr ? 0 : range->high);
  }
  file.put<double>(kTensor, {std::size_t(spec_->n_parameters), 3}, rows);
}

// Throws a value error for a range that cannot be one.
void Environments::restore_ranges(const TensorFile& file) {
  stop_randomizing();
  if (!file.has(kTensor)) return;
  const std::size_t n = std::size_t(spec_->n_parameters);
  std::vector<double> rows(3 * n);
  file.get<double>(kTensor, {n, 3}, rows);
  for (std::size_t k = 0; k < n; k++) {
    const double* const row = rows.data() + 3 * k;
    if (row[0] == double(kNotDrawn)) continue;
    parameter_values_.set_range(int(k), {row[1], row[2], row[0] == double(kLogarithmic)});
  }
  upload_ranges();
}

}  // namespace gallop

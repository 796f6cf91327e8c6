#include <gallop/host/laboratory/comparison.h>

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <optional>

#include <gallop/host/error.h>
#include <gallop/host/runtime/scratch.h>
#include <gallop/host/runtime/thread_pool.h>

namespace gallop {
namespace {

constexpr long kWave = 256;             // blocks
constexpr long kRecordFloats = 131072;  // of a block, so that it stays in a cache
constexpr int kLeastBlock = 64, kMostBlock = 2048;

bool is_one_of(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// On a shared machine the fairest clock for work that stays on one thread.
double thread_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

// n samples in blocks of nearly equal size, at most `most`, whatever the machine.
struct Blocks {
  long n;
  long count;
  int stride;  // a block's paths, rounded up to whole chunks

  Blocks(long samples, int most) : n(samples), count((samples + most - 1) / most), stride(most) {}
  long begin(long block) const { return long(__int128(n) * block / count); }
  int size(long block) const { return int(begin(block + 1) - begin(block)); }
};

int block_size(long chunk_floats) {
  const long chunks = kRecordFloats / chunk_floats;
  return int(std::clamp(chunks * kLaboratoryChunk, long(kLeastBlock), long(kMostBlock)));
}

// Memory of one thread, and the seconds that it spent.
struct Worker {
  Scratch record, old_record, scratch, gradient;
  double path_seconds = 0, old_seconds = 0;
  std::vector<double> seconds;  // by estimator and, for rollouts of its own, parameter
};

double moved_return(const LaboratoryProblem& problem, int d, double by) {
  double theta[kMaxLaboratoryParameters];
  std::copy(std::begin(problem.model().theta), std::end(problem.model().theta), theta);
  theta[d] += by;
  return problem.expected_return(theta);
}

// E[U(theta + s z) z] / s for z ~ N(0, 1), by the trapezoid rule, which for a smooth function times
// a Gaussian converges faster than any power of the spacing.
double smoothed_slope(const LaboratoryProblem& problem, int d) {
  constexpr double kReach = 14, kSpacing = 1.0 / 16;
  const double s = problem.model().smoothing;
  double sum = 0, weights = 0;
  for (int k = -int(kReach / kSpacing); k <= int(kReach / kSpacing); k++) {
    const double z = k * kSpacing, weight = std::exp(-0.5 * z * z);
    sum += weight * z * moved_return(problem, d, s * z);
    weights += weight;
  }
  return sum / (weights * s);
}

// E[U(theta + s z) z_d] / s for z ~ N(0, I), by the same rule in each parameter; NaN of more than
// two, whose grid would have too many points.
double jointly_smoothed_slope(const LaboratoryProblem& problem, int d) {
  constexpr double kReach = 9, kSpacing = 0.125;
  constexpr int kPoints = int(kReach / kSpacing);
  const LaboratoryModel& m = problem.model();
  if (m.n_parameters > 2) return std::nan("");
  const int other_points = m.n_parameters == 2 ? kPoints : 0;
  double theta[kMaxLaboratoryParameters], sum = 0, weights = 0;
  std::copy(std::begin(m.theta), std::end(m.theta), theta);
  for (int i = -kPoints; i <= kPoints; i++) {
    for (int j = -other_points; j <= other_points; j++) {
      const double z = i * kSpacing, other = j * kSpacing;
      theta[d] = m.theta[d] + m.smoothing * z;
      if (m.n_parameters == 2) theta[1 - d] = m.theta[1 - d] + m.smoothing * other;
      const double weight = std::exp(-0.5 * (z * z + other * other));
      sum += weight * z * problem.expected_return(theta);
      weights += weight;
    }
  }
  return sum / (weights * m.smoothing);
}

// What the mean of a row's estimates tends to for parameter d: a derivative, a difference quotient,
// or the derivative of the smoothed return. NaN where no closed form is known.
double expectation_of(const LaboratoryProblem& problem, const EstimatorRow& row, int d) {
  const double gamma = problem.model().gamma, e = problem.model().difference;
  if (row.bias == EstimatorBias::kBiasedByDiscount && gamma == 1) {
    return problem.gradient(kPlain)[d];
  }
  switch (row.target) {
    case EstimatorTarget::kReturn:
      return problem.gradient(kPlain)[d];
    case EstimatorTarget::kDiscountedReturn:
      return problem.gradient(kDiscounted)[d];
    case EstimatorTarget::kDifference:
      return (moved_return(problem, d, e) - moved_return(problem, d, -e)) / (2 * e);
    case EstimatorTarget::kSmoothed:
      return smoothed_slope(problem, d);
    case EstimatorTarget::kJointlySmoothed:
      return jointly_smoothed_slope(problem, d);
    case EstimatorTarget::kAlongPaths:
      return problem.along_paths()[d];
    case EstimatorTarget::kUnknown:
      break;
  }
  return std::nan("");
}

class Comparison {
 public:
  Comparison(const LaboratoryKernels& kernels, LaboratoryProblem& problem,
             const ComparisonSettings& settings, const ComparisonProgress& progress)
      : kernels_(kernels),
        problem_(problem),
        model_(problem.model()),
        settings_(settings),
        progress_(progress),
        block_(block_size(kernels.record_size(model_))),
        pool_(settings.threads) {
    for (int k = 0; k < kernels.n_rows; k++) {
      const EstimatorRow& row = kernels.rows[k];
      if (row.only_discounted && model_.gamma == 1) continue;
      if (settings.only.empty() || is_one_of(settings.only, row.name)) rows_.push_back(k);
    }
    for (int k = 0; k < pool_.size(); k++) {
      workers_.push_back(std::make_unique<Worker>());
      workers_.back()->seconds.assign(size_t(kernels.n_rows) * kMaxLaboratoryParameters, 0.0);
    }
  }

  std::vector<EstimatorResult> run() {
    if (needs(EstimatorData::kPathsAndPilot)) run_pilot();
    count_work();
    if (needs_paths() || needs(EstimatorData::kOldPaths)) run_shared();
    std::vector<EstimatorResult> results;
    for (const int k : rows_) {
      const EstimatorRow& row = kernels_.rows[k];
      for (int d = 0; d < model_.n_parameters; d++) {
        const bool own = row.data == EstimatorData::kOwnRollouts;
        results.push_back(result(k, d, own ? run_own(k, d) : shared_[k * model_.n_parameters + d]));
      }
    }
    return results;
  }

 private:
  bool needs(EstimatorData data) const {
    return std::any_of(rows_.begin(), rows_.end(),
                       [&](int k) { return kernels_.rows[k].data == data; });
  }
  bool needs_paths() const {
    return needs(EstimatorData::kPaths) || needs(EstimatorData::kPathsAndPilot);
  }

  LaboratoryRequest request(Worker& w, const Blocks& blocks, long block) const {
    const long size = kernels_.record_size(model_) * (blocks.stride / kLaboratoryChunk);
    LaboratoryRequest r = {};
    r.model = &model_;
    r.seed = settings_.seed;
    r.first_path = std::uint32_t(blocks.begin(block));
    r.n_paths = blocks.size(block), r.stride = blocks.stride;
    r.record = w.record.floats(size), r.old_record = w.old_record.floats(size);
    r.scratch = reinterpret_cast<double*>(
        w.scratch.floats(2 * kernels_.scratch_size(model_, blocks.stride)));
    r.gradient = w.gradient.floats(long(model_.n_parameters) * blocks.stride);
    return r;
  }
  // Samples a block into `record` by the policy at `theta`.
  void sample(LaboratoryRequest r, LaboratoryStream stream, const double* theta,
              float* record) const {
    r.stream = stream, r.theta = theta, r.record = record;
    kernels_.sample(r);
  }

  void run_pilot() {
    const double start = thread_seconds();
    const Blocks blocks(settings_.pilot, block_);
    std::vector<double> sums(
        PilotLayout{model_.n_parameters, model_.horizon, model_.n_features}.size(), 0.0);
    for (long block = 0; block < blocks.count; block++) {
      LaboratoryRequest r = request(*workers_[0], blocks, block);
      r.sums = sums.data();
      sample(r, kPilotStream, model_.theta, r.record);
      kernels_.pilot(r);
    }
    problem_.fit_baselines(sums);
    pilot_seconds_ = thread_seconds() - start;
  }

  // Everything that works on the paths that are shared. Blocks come in waves, merged in their
  // order, so that memory does not grow with the samples.
  void run_shared() {
    const Blocks blocks(settings_.samples, block_);
    const size_t n_moments = size_t(kernels_.n_rows) * model_.n_parameters;
    shared_.assign(n_moments, {});
    std::vector<EstimateMoments> parts(n_moments * kWave);
    for (long wave = 0; wave < blocks.count; wave += kWave) {
      const long n = std::min(kWave, blocks.count - wave);
      pool_.run(n, 1, [&](int thread, long begin, long) {
        run_block(*workers_[thread], blocks, wave + begin, &parts[begin * n_moments]);
        report(thread, blocks.size(wave + begin));
      });
      for (long block = 0; block < n; block++) {
        for (size_t k = 0; k < n_moments; k++) shared_[k].merge(parts[block * n_moments + k]);
      }
    }
  }
  // Writes moments [rows, D] of one block.
  void run_block(Worker& w, const Blocks& blocks, long block, EstimateMoments* to) const {
    const LaboratoryRequest r = request(w, blocks, block);
    double last = thread_seconds();
    const auto lap = [&last](double& seconds) {
      const double now = thread_seconds();
      seconds += now - last;
      last = now;
    };
    if (needs_paths()) sample(r, kPathStream, model_.theta, r.record);
    lap(w.path_seconds);
    if (needs(EstimatorData::kOldPaths)) {
      sample(r, kOldPathStream, model_.old_theta, r.old_record);
    }
    lap(w.old_seconds);
    for (const int k : rows_) {
      if (kernels_.rows[k].data == EstimatorData::kOwnRollouts) continue;
      last = thread_seconds();
      kernels_.rows[k].estimate(r);
      lap(w.seconds[size_t(k) * kMaxLaboratoryParameters]);
      for (int d = 0; d < model_.n_parameters; d++) {
        to[k * model_.n_parameters + d] = moments_of(r.gradient + long(d) * r.stride, r.n_paths);
      }
    }
  }

  long own_samples(const EstimatorRow& row) const {
    const double steps = double(row.n_rollouts) * model_.horizon * model_.n_parameters;
    return std::min(settings_.samples, std::max(1000L, long(settings_.own_steps / steps)));
  }
  EstimateMoments run_own(int row, int d) {
    const Blocks blocks(own_samples(kernels_.rows[row]), block_);
    std::vector<EstimateMoments> parts(blocks.count);
    pool_.run(blocks.count, 1, [&](int thread, long begin, long) {
      Worker& w = *workers_[thread];
      LaboratoryRequest r = request(w, blocks, begin);
      r.parameter = d;
      r.stream = kFirstOwnStream + std::uint32_t(2 * (row * kMaxLaboratoryParameters + d));
      const double start = thread_seconds();
      kernels_.rows[row].estimate(r);
      w.seconds[size_t(row) * kMaxLaboratoryParameters + d] += thread_seconds() - start;
      parts[begin] = moments_of(r.gradient, r.n_paths);
      report(thread, blocks.size(begin));
    });
    EstimateMoments all;
    for (const EstimateMoments& part : parts) all.merge(part);
    return all;
  }

  // Smoothed returns take time, and several rows have the same.
  double expectation(const EstimatorRow& row, int d) {
    const bool joint = row.target == EstimatorTarget::kJointlySmoothed;
    if (joint && !settings_.joint_expectations) return std::nan("");
    if (row.target != EstimatorTarget::kSmoothed) return expectation_of(problem_, row, d);
    if (!smoothed_[d]) smoothed_[d] = expectation_of(problem_, row, d);
    return *smoothed_[d];
  }

  EstimatorResult result(int k, int d, const EstimateMoments& moments) {
    const EstimatorRow& row = kernels_.rows[k];
    const bool own = row.data == EstimatorData::kOwnRollouts;
    EstimatorResult result = {};
    result.row = &row;
    result.parameter = problem_.parameters()[d];
    result.samples = long(moments.count);
    result.mean = moments.mean;
    result.variance = moments.variance();
    result.standard_error = std::sqrt(result.variance / moments.count);
    if (!std::isfinite(result.mean) || !std::isfinite(result.variance)) {
      throw Error(ExitCode::non_finite,
                  fmt::format("the estimates of d/d {} by '{}' are not finite (mean {}, variance "
                              "{}); take a shorter horizon or a stabler policy",
                              result.parameter, row.name, result.mean, result.variance));
    }
    const bool discounted = row.target == EstimatorTarget::kDiscountedReturn;
    result.exact = problem_.gradient(discounted ? kDiscounted : kPlain)[d];
    result.expected = expectation(row, d);
    result.biased = row.bias == EstimatorBias::kBiased ||
                    (row.bias == EstimatorBias::kBiasedByDiscount && model_.gamma < 1) ||
                    (row.target == EstimatorTarget::kAlongPaths && result.expected != result.exact);
    for (const std::unique_ptr<Worker>& w : workers_) {
      result.seconds += w->seconds[size_t(k) * kMaxLaboratoryParameters + (own ? d : 0)];
      if (row.data == EstimatorData::kOldPaths)
        result.seconds += w->old_seconds;
      else if (!own)
        result.seconds += w->path_seconds;
    }
    if (row.data == EstimatorData::kPathsAndPilot) result.seconds += pilot_seconds_;
    return result;
  }

  void count_work() {
    work_ = needs_paths() || needs(EstimatorData::kOldPaths) ? double(settings_.samples) : 0;
    for (const int k : rows_) {
      const EstimatorRow& row = kernels_.rows[k];
      if (row.data == EstimatorData::kOwnRollouts) {
        work_ += double(own_samples(row)) * model_.n_parameters;
      }
    }
  }
  void report(int thread, int samples) {
    const double done = double(done_.fetch_add(samples) + samples);
    if (thread == 0 && progress_) progress_(std::min(1.0, done / work_));
  }

  const LaboratoryKernels& kernels_;
  LaboratoryProblem& problem_;
  const LaboratoryModel& model_;
  const ComparisonSettings& settings_;
  const ComparisonProgress& progress_;
  int block_;
  ThreadPool pool_;
  std::vector<int> rows_;  // numbers of the estimators that run
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<EstimateMoments> shared_;  // [rows, D]
  std::optional<double> smoothed_[kMaxLaboratoryParameters];
  double pilot_seconds_ = 0, work_ = 1;
  std::atomic<long> done_{0};
};

}  // namespace

double EstimatorResult::bias() const {
  const double distance = mean - exact;
  if (standard_error > 0) return distance / standard_error;
  return distance == 0 ? 0 : std::copysign(INFINITY, distance);
}

std::vector<EstimatorResult> compare_estimators(const LaboratoryDescriptor& descriptor,
                                                LaboratoryProblem& problem,
                                                const ComparisonSettings& settings,
                                                const ComparisonProgress& progress) {
  if (settings.samples < 2 || settings.samples > (1L << 31)) {
    throw value_error(fmt::format("samples is {}, expected 2 to {}", settings.samples, 1L << 31));
  }
  const LaboratoryKernels& kernels = descriptor.kernels(processor_isa());
  for (const std::string& name : settings.only) {
    const std::span<const EstimatorRow> rows(kernels.rows, std::size_t(kernels.n_rows));
    if (std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; })) {
      continue;
    }
    throw usage_error(fmt::format("the problem '{}' has no estimator '{}'", descriptor.name, name));
  }
  return Comparison(kernels, problem, settings, progress).run();
}

// Standard errors beyond which an estimator without bias has not seen what counts: weights that
// underflow, an event that never came.
constexpr double kBelievable = 6;

const EstimatorResult* best_estimator(const std::vector<EstimatorResult>& results,
                                      const std::string& parameter) {
  const EstimatorResult* best = nullptr;
  for (const EstimatorResult& result : results) {
    if (result.biased || result.parameter != parameter) continue;
    if (result.row->target == EstimatorTarget::kDiscountedReturn) continue;
    if (std::abs(result.bias()) > kBelievable) continue;
    if (best == nullptr || result.variance * result.cost() < best->variance * best->cost()) {
      best = &result;
    }
  }
  return best;
}

}  // namespace gallop

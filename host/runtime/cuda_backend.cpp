// The CUDA backend: every operation fills in a request and calls a launcher of the kernel tables.
// It includes nothing of CUDA; memory and stream are the device's.
#include "host/runtime/cuda_backend.h"

#include <algorithm>
#include <cmath>

#include "host/registry/registry.h"
#include "host/runtime/device_scratch.h"
#include "host/runtime/fisher_paths.h"
#include "kernels/gradients/gradient.h"

namespace gallop {
namespace {

// The graph of a sequence of operations: made when they come for the second time, since the first
// time finds the scratch they need.
struct CudaRecording : Recording {
  std::string key;
  long generation = 0;  // of the scratch that the graph points into
  std::unique_ptr<KernelGraph> graph;
};

class CudaBackend : public Backend {
 public:
  CudaBackend(std::unique_ptr<KernelDevice> device,
              const std::function<void(const std::string&)>& note)
      : device_(std::move(device)),
        kernels_(device_->kernels()),
        note_(note),
        fisher_paths_(*device_, note),
        partial_(*device_, generation_),
        work_(*device_, generation_),
        small_(*device_, generation_) {}

  std::string name() const override { return "cuda"; }

  void* allocate(std::size_t bytes) override { return device_->allocate(bytes); }
  void release(void* memory) noexcept override { device_->release(memory); }
  void clear(void* memory, std::size_t bytes) override { device_->fill(memory, 0, bytes); }
  void to_device(void* to, const void* from, std::size_t bytes) override {
    device_->to_device(to, from, bytes);
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    device_->to_host(to, from, bytes);
  }

  void reset(const EnvironmentEntry& environment, const EnvironmentBatch& batch,
             const std::uint8_t* mask) override {
    check(table(environment).reset(batch, 0, batch.n_envs, mask, stream()));
  }

  void observe(const EnvironmentEntry& environment, const EnvironmentBatch& batch,
               float* observation) override {
    check(table(environment).observe(batch, 0, batch.n_envs, observation, batch.n_envs, stream()));
  }

  void step(const EnvironmentEntry& environment, const EnvironmentBatch& batch, const float* action,
            bool clip, ResetMode mode, const StepOutput& out) override {
    check(
        table(environment)
            .step(batch, 0, batch.n_envs, action, batch.n_envs, clip ? 1 : 0, mode, out, stream()));
  }

  void rollout(const EnvironmentEntry& environment, const RolloutRequest& request) override {
    RolloutRequest r = request;
    r.begin = 0;
    r.end = r.batch.n_envs;
    if (r.arithmetic == Arithmetic::kFast && !has_fast_rollout(environment, r))
      note_strict(environment, r);
    check(table(environment).rollout(r, stream()));
  }
  bool has_fast_rollout(const EnvironmentEntry& environment,
                        const RolloutRequest& request) const override {
    return table(environment).has_fast_rollout(request);
  }

  void values(const ValuesRequest& r) override {
    check(kernels_.values({r.shape, r.parameters, r.normalization, r.n_rows, r.n_envs,
                           r.observation, nullptr, nullptr, r.output, r.arithmetic},
                          stream()));
  }

  void final_values(const FinalValueRequest& r) override {
    check(kernels_.values({r.shape, r.parameters, r.normalization, r.n_steps, r.n_envs,
                           r.final_observation, r.terminated, r.truncated, r.final_value},
                          stream()));
  }

  void gae(GaeRequest r) override {
    r.begin = 0;
    r.end = r.n_envs;
    check(kernels_.gae(r, stream()));
  }

  void returns(ReturnsRequest r) override {
    r.begin = 0;
    r.end = r.n_envs;
    check(kernels_.returns(r, stream()));
  }

  void n_step(NStepRequest r) override { check(kernels_.n_step(r, stream())); }
  void path_returns(PathReturnsRequest r) override { check(kernels_.path_returns(r, stream())); }
  void ages(AgeRequest r) override { check(kernels_.ages(r, stream())); }
  void discount_by_age(float* advantage, const float* age, float gamma, long n) override {
    check(kernels_.discount_by_age({advantage, age, gamma, 0, n}, stream()));
  }
  void features(const FeaturesRequest& r) override { check(kernels_.features(r, stream())); }
  void gram(const GramRequest& r) override { check(kernels_.gram(r, stream())); }
  void linear_values(const LinearValuesRequest& r) override {
    check(kernels_.linear_values(r, stream()));
  }
  void optimal_baseline(OptimalBaselineRequest r, long n_parameters) override {
    r.begin = 0;
    r.end = n_parameters;
    check(kernels_.optimal_baseline(r, stream()));
  }

  std::vector<Moments> grouped_moments(const float* x, int groups, long group_stride, long rows,
                                       long n, long stride) override {
    std::vector<Moments> results;
    if (groups == 0 || rows * n == 0) return std::vector<Moments>(groups);
    for (const CudaMoments& m : compute_moments({x, rows, n, stride, 0, groups, group_stride})) {
      results.push_back({m.mean, m.sum_of_squares, rows * n});
    }
    return results;
  }

  EpisodeSums episodes(const EpisodesRequest& r) override {
    auto* const at = static_cast<CudaEpisodes*>(small_.bytes(kSmallBytes));
    check(kernels_.episodes(r, at, stream()));
    EpisodeSums sums;
    device_->to_host(&sums, &at->sums, sizeof(sums));
    return sums;
  }

  void standardize(float* x, long n, float mean, float inverse_std) override {
    check(kernels_.standardize(x, n, mean, inverse_std, stream()));
  }

  void policy_gradient(PolicyGradientRequest r, float* gradient) override {
    Segments segments;
    policy_segments(r.policy.shape, segments);
    const int n_chunks = prepare(segments, r, gradient_floats(r.policy.shape, r.samples.count));
    check(kernels_.policy_gradient(r, stream()));
    reduce(segments, n_chunks, r.partial, r.stride, r.greatest, gradient);
  }

  void value_gradient(ValueGradientRequest r, float* gradient) override {
    Segments segments;
    value_segments(r.shape, segments);
    const int n_chunks =
        prepare(segments, r, kernels_.gradient_scratch(r.shape, 1, chunk_count(r.samples.count)));
    check(kernels_.value_gradient(r, stream()));
    reduce(segments, n_chunks, r.partial, r.stride, r.greatest, gradient);
  }

  double norm(const float* gradient, long n) override {
    if (n == 0) return 0.0;
    return std::sqrt(compute_moments({gradient, 1, n, n, 1}).front().sum_of_squares);
  }

  void optimizer_step(const StepRequest& r) override {
    check(
        kernels_.optimizer_step(r, static_cast<CudaMoments*>(small_.bytes(kSmallBytes)), stream()));
  }

  void shuffle(std::uint64_t seed, std::uint64_t counter, long n, std::uint32_t* order) override {
    const std::size_t bytes = kernels_.shuffle_scratch(n);
    check(kernels_.shuffle({seed, counter, n, order, work_.bytes(bytes), bytes}, stream()));
  }

  long fisher_units(const PolicyShape& shape, long count, FisherPath path) const override {
    const long floats = long(chunk_count(count)) * unit_floats(shape);
    return path == FisherPath::kFused ? floats
                                      : floats + MatrixFisher::unit_floats(shape.network, count);
  }

  void fisher_prepare(FisherRequest r, float* units) override {
    r.begin = 0;
    r.end = chunk_count(r.samples.count);
    r.units = units;
    r.unit_stride = unit_floats(r.policy.shape);
    r.scratch = work_.floats(kernels_.fisher_scratch(r.policy.shape, r.end));
    check(kernels_.fisher_prepare(r, stream()));
    if (fisher_paths_.path_of(r) != FisherPath::kFused) fisher_paths_.matrices().prepare(r);
  }

  void fisher_product(FisherRequest r, float* product) override {
    FisherPath path = fisher_paths_.path_of(r);
    if (path == FisherPath::kFaster) path = faster_path(r);
    if (path == FisherPath::kMatrices) {
      product_by_matrices(r, product);
    } else {
      fused_product(r, product);
    }
  }

  std::optional<FisherChoice> fisher_choice(const FisherRequest& r) const override {
    return fisher_paths_.choice(r);
  }

  void policy_divergence(DivergenceRequest r, float* sums) override {
    Segments segments;
    divergence_segments(segments);
    const PolicyShape& shape = r.candidate.shape;
    long stride = 0;
    const int n_chunks =
        prepare(segments, r, kernels_.fisher_scratch(shape, chunk_count(r.samples.count)), stride);
    r.unit_stride = unit_floats(shape);
    check(kernels_.policy_divergence(r, stream()));
    reduce(segments, n_chunks, r.partial, stride, r.greatest, sums, r.active);
  }

  void conjugate_gradient_begin(const ConjugateGradientRequest& r) override {
    check(kernels_.conjugate_gradient_begin(r, stream()));
  }
  void conjugate_gradient_step(const ConjugateGradientRequest& r) override {
    check(kernels_.conjugate_gradient_step(r, stream()));
  }
  void conjugate_gradient_end(const ConjugateGradientRequest& r) override {
    check(kernels_.conjugate_gradient_end(r, stream()));
  }
  void line_search_begin(const LineSearchRequest& r) override {
    check(kernels_.line_search_begin(r, stream()));
  }
  void line_search_step(const LineSearchRequest& r) override {
    check(kernels_.line_search_step(r, stream()));
  }
  void copy_bytes(void* to, const void* from, std::size_t bytes) override {
    device_->copy(to, from, bytes);
  }
  void copy(float* to, const float* from, long n) override {
    check(kernels_.copy(to, from, n, stream()));
  }
  void add_scaled(float* y, float a, const float* x, long n) override {
    check(kernels_.add_scaled(y, a, x, n, stream()));
  }

  void run(const std::string& key, const std::function<void()>& operations,
           std::unique_ptr<Recording>& recording) override {
    auto* const known = static_cast<CudaRecording*>(recording.get());
    if (known != nullptr && known->key == key && known->generation == generation_) {
      if (known->graph == nullptr) known->graph = device_->capture(operations);
      known->graph->launch();
      return;
    }
    recording = nullptr;
    operations();
    auto fresh = std::make_unique<CudaRecording>();
    fresh->key = key;
    fresh->generation = generation_;
    recording = std::move(fresh);
  }

 private:
  void* stream() const { return device_->stream(); }
  void check(const LaunchStatus& status) const { device_->check(status); }
  const CudaEnvironmentTable& table(const EnvironmentEntry& environment) const {
    return device_->environment(environment);
  }

  // Says once that rollouts of mode fast are strict ones here.
  void note_strict(const EnvironmentEntry& environment, const RolloutRequest& r) {
    if (r.source != ActionSource::kPolicy || noted_strict_ || !note_) return;
    noted_strict_ = true;
    note_(std::string("mode fast has no rollout on tensor cores of ") + spec_of(environment).name +
          " under this policy, only under two hidden layers of a width that the environment lists "
          "(kFusedWidths) and with log sigma, if any, as a parameter; the strict one runs");
  }

  // Of each group.
  std::vector<CudaMoments> compute_moments(const CudaMomentsRequest& request) {
    std::vector<CudaMoments> results(request.groups);
    const std::size_t bytes = results.size() * sizeof(CudaMoments);
    auto* const at = static_cast<CudaMoments*>(small_.bytes(std::max(kSmallBytes, bytes)));
    check(kernels_.moments(request, at, stream()));
    device_->to_host(results.data(), at, bytes);
    return results;
  }

  long gradient_floats(const PolicyShape& shape, long count) const {
    return kernels_.gradient_scratch(shape.network, shape.n_actions, chunk_count(count));
  }

  void fused_product(FisherRequest r, float* product) {
    Segments segments;
    fisher_segments(r.policy.shape, segments);
    const PolicyShape& shape = r.policy.shape;
    const int n_chunks =
        prepare(segments, r, kernels_.fisher_scratch(shape, chunk_count(r.samples.count)));
    r.unit_stride = unit_floats(shape);
    check(kernels_.fisher_product(r, stream()));
    reduce(segments, n_chunks, r.partial, r.stride, r.greatest, product, r.active);
  }

  void product_by_matrices(FisherRequest r, float* product) {
    r.unit_stride = unit_floats(r.policy.shape);
    r.scratch = work_.floats(MatrixFisher::scratch_floats(r.policy.shape, r.samples.count));
    fisher_paths_.matrices().product(r, product);
  }

  // Both products go where nobody reads them, and are wanted whatever the request says.
  FisherPath faster_path(FisherRequest r) {
    const DeviceArray<float> product(*this, std::size_t(parameter_count(r.policy.shape)));
    r.active = nullptr;
    return fisher_paths_.compare(
        r, [&] { fused_product(r, product.data()); },
        [&] { product_by_matrices(r, product.data()); });
  }

  // Fills in the chunks, the memory for their sums, and `scratch_floats` of scratch.
  template <class Request>
  int prepare(const Segments& segments, Request& r, long scratch_floats) {
    return prepare(segments, r, scratch_floats, r.stride);
  }
  template <class Request>
  int prepare(const Segments& segments, Request& r, long scratch_floats, long& stride) {
    const int n_chunks = chunk_count(r.samples.count);
    r.begin = 0;
    r.end = n_chunks;
    stride = (segments.begin[segments.count] + 15) / 16 * 16;
    r.partial = partial_.floats(long(n_chunks) * (stride + kMaxSegments));
    r.greatest = r.partial + long(n_chunks) * stride;
    r.scratch = work_.floats(scratch_floats);
    return n_chunks;
  }

  void reduce(const Segments& segments, int n_chunks, const float* partial, long stride,
              const float* greatest, float* sum, const std::int32_t* active = nullptr) {
    auto* const bound = static_cast<float*>(small_.bytes(kSmallBytes));
    check(kernels_.reduce_partials({segments, n_chunks, partial, stride, greatest, sum, 0,
                                    segments.begin[segments.count], active},
                                   bound, stream()));
  }

  // Holds the moments of a few groups, sums over episodes, or the bounds of all segments.
  static constexpr std::size_t kSmallBytes = 1024;
  static_assert(sizeof(CudaMoments) <= kSmallBytes && sizeof(CudaEpisodes) <= kSmallBytes &&
                sizeof(float) * kMaxSegments <= kSmallBytes);

  std::unique_ptr<KernelDevice> device_;
  const CudaKernels& kernels_;
  std::function<void(const std::string&)> note_;
  bool noted_strict_ = false;
  FisherPaths fisher_paths_;
  long generation_ = 0;
  DeviceScratch partial_, work_, small_;
};

}  // namespace

std::unique_ptr<Backend> make_kernel_backend(std::unique_ptr<KernelDevice> device,
                                             const std::function<void(const std::string&)>& note) {
  return std::make_unique<CudaBackend>(std::move(device), note);
}

}  // namespace gallop

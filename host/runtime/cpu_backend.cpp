// The CPU backend: splits each operation over threads in fixed shares and calls the kernels of the
// best instruction set.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "host/error.h"
#include "host/runtime/aligned_memory.h"
#include "host/runtime/backend.h"
#include "host/runtime/cpu_work.h"
#include "host/runtime/processor.h"
#include "kernels/random/shuffle.h"
#include "kernels/reduce/fixed_point.h"

namespace gallop {
namespace {

// Instances in a share: a multiple of what a cache line of flags holds, so that threads share none.
constexpr long kInstanceGrain = 64;

class CpuBackend : public Backend, private CpuWork {
 public:
  explicit CpuBackend(int n_threads)
      : CpuWork(n_threads > 0 ? n_threads : available_processors()),
        isa_(processor_isa()),
        kernels_(cpu_kernels(isa_)) {}

  std::string name() const override { return "cpu"; }

  void* allocate(std::size_t bytes) override {
    void* memory = allocate_aligned(bytes);
    if (memory == nullptr) {
      throw value_error("out of memory: " + std::to_string(bytes) +
                        " bytes asked for; fewer instances (n_envs, episodes), shorter rollouts "
                        "(n_steps) or a smaller network take less");
    }
    std::memset(memory, 0, (bytes + 63) / 64 * 64);
    return memory;
  }
  void release(void* memory) noexcept override { std::free(memory); }
  void copy_bytes(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void clear(void* memory, std::size_t bytes) override { std::memset(memory, 0, bytes); }
  void to_device(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }

  void reset(const EnvironmentEntry& environment, const EnvironmentBatch& batch,
             const std::uint8_t* mask) override {
    const EnvironmentTable& table = environment_table(environment, isa_);
    pool_.run(batch.n_envs, share(batch.n_envs, kInstanceGrain), [&](int, long begin, long end) {
      table.reset(batch, int(begin), int(end), mask == nullptr ? nullptr : mask + begin);
    });
  }

  void observe(const EnvironmentEntry& environment, const EnvironmentBatch& batch,
               float* observation) override {
    const EnvironmentTable& table = environment_table(environment, isa_);
    pool_.run(batch.n_envs, share(batch.n_envs, kInstanceGrain), [&](int, long begin, long end) {
      table.observe(batch, int(begin), int(end), observation + begin, batch.n_envs);
    });
  }

  void step(const EnvironmentEntry& environment, const EnvironmentBatch& batch, const float* action,
            bool clip, ResetMode mode, const StepOutput& out) override {
    const EnvironmentTable& table = environment_table(environment, isa_);
    pool_.run(batch.n_envs, share(batch.n_envs, kInstanceGrain), [&](int, long begin, long end) {
      StepOutput part = out;
      const auto shift = [begin](auto*& array) {
        if (array != nullptr) array += begin;
      };
      shift(part.observation);
      shift(part.final_observation);
      shift(part.reward);
      shift(part.terminated);
      shift(part.truncated);
      shift(part.ended_return);
      shift(part.ended_length);
      table.step(batch, int(begin), int(end), action + begin, batch.n_envs, clip ? 1 : 0, mode,
                 part);
    });
  }

  bool has_fast_rollout(const EnvironmentEntry&, const RolloutRequest&) const override {
    return false;
  }
  void rollout(const EnvironmentEntry& environment, const RolloutRequest& request) override {
    RolloutRequest r = request;
    r.environment = &environment_table(environment, isa_);
    const bool has_policy = r.source == ActionSource::kPolicy;
    reserve(rollout_scratch(r.batch.shared.sizes.observation, r.batch.shared.sizes.action,
                            has_policy ? &r.policy.shape.network : nullptr));
    pool_.run(r.batch.n_envs, share(r.batch.n_envs, kInstanceGrain),
              [&, r](int thread, long begin, long end) {
                RolloutRequest part = r;
                part.begin = int(begin);
                part.end = int(end);
                part.scratch = scratch_[thread].data();
                kernels_.rollout(part);
              });
  }

  void values(const ValuesRequest& v) override {
    const int inputs = v.shape.kind == NetworkKind::kTabular ? 1 : v.shape.width[0];
    const int n_rows = v.n_rows, n_envs = v.n_envs;
    // Few rows of many instances or many rows of few: split whichever is longer.
    const bool by_row = n_rows >= n_envs / kInstanceGrain;
    reserve(2L * widest(v.shape) * 32);
    pool_.run(by_row ? n_rows : n_envs, by_row ? share(n_rows, 1) : share(n_envs, kInstanceGrain),
              [&](int thread, long begin, long end) {
                EvaluateRequest r = {};
                r.shape = v.shape;
                r.parameters = v.parameters;
                r.normalization = v.normalization;
                r.observation_stride = n_envs;
                r.output_stride = n_envs;
                r.scratch = scratch_[thread].data();
                r.n = by_row ? n_envs : int(end - begin);
                const long column = by_row ? 0 : begin;
                for (long t = by_row ? begin : 0; t < (by_row ? end : n_rows); t++) {
                  r.observation = v.observation + t * inputs * n_envs + column;
                  r.output = v.output + t * n_envs + column;
                  kernels_.evaluate(r);
                }
              });
  }

  void final_values(const FinalValueRequest& r) override {
    std::vector<long>& at = truncated_;
    at.clear();
    const long total = long(r.n_steps) * r.n_envs;
    for (long i = 0; i < total; i++) {
      if (r.truncated[i] != 0 && r.terminated[i] == 0) at.push_back(i);
    }
    const long n = long(at.size());
    if (n == 0) return;
    gathered_.resize(std::size_t(r.observation_rows + 1) * n);
    float* output = gathered_.data() + r.observation_rows * n;
    for (long k = 0; k < n; k++) {
      const long t = at[k] / r.n_envs, i = at[k] % r.n_envs;
      for (int o = 0; o < r.observation_rows; o++) {
        gathered_[o * n + k] = r.final_observation[(t * r.observation_rows + o) * r.n_envs + i];
      }
    }
    values({r.shape, r.parameters, r.normalization, 1, int(n), gathered_.data(), output});
    for (long k = 0; k < n; k++) r.final_value[at[k]] = output[k];
  }

  void gae(GaeRequest r) override { over_elements(r, r.n_envs, kInstanceGrain, kernels_.gae); }
  void returns(ReturnsRequest r) override {
    over_elements(r, r.n_envs, kInstanceGrain, kernels_.returns);
  }

  void n_step(NStepRequest r) override {
    over_elements(r, r.n_envs, kInstanceGrain, kernels_.n_step);
  }
  void path_returns(PathReturnsRequest r) override {
    over_elements(r, r.n_envs, kInstanceGrain, kernels_.path_returns);
  }
  void ages(AgeRequest r) override { over_elements(r, r.n_envs, kInstanceGrain, kernels_.ages); }

  void discount_by_age(float* advantage, const float* age, float gamma, long n) override {
    over_elements(AgeDiscountRequest{advantage, age, gamma, 0, 0}, n, 1024,
                  kernels_.discount_by_age);
  }
  void optimal_baseline(OptimalBaselineRequest r, long n_parameters) override {
    over_elements(r, n_parameters, 64, kernels_.optimal_baseline);
  }
  void features(const FeaturesRequest& r) override {
    over_range(r, r.count, 64, kernels_.features);
  }
  void gram(const GramRequest& r) override {
    over_range(r, gram_count(r.n_features), 1, kernels_.gram);
  }
  void linear_values(const LinearValuesRequest& r) override {
    over_range(r, r.count, 64, kernels_.linear_values);
  }

  std::vector<Moments> grouped_moments(const float* x, int groups, long group_stride, long rows,
                                       long n, long stride) override {
    std::vector<Moments> results;
    for (int g = 0; g < groups; g++) {
      results.push_back(moments_of_group(x + g * group_stride, rows, n, stride));
    }
    return results;
  }

  EpisodeSums episodes(const EpisodesRequest& r) override { return sum_episodes(r); }

  void standardize(float* x, long n, float mean, float inverse_std) override {
    pool_.run(n, share(n, 4096), [&](int, long begin, long end) {
      kernels_.standardize(x + begin, end - begin, mean, inverse_std);
    });
  }

  void policy_gradient(PolicyGradientRequest r, float* gradient) override {
    Segments segments;
    policy_segments(r.policy.shape, segments);
    const int n_chunks = prepare(segments, r.samples.count, r.partial, r.stride, r.greatest);
    reserve(gradient_scratch(r.policy.shape.network, r.policy.shape.n_actions));
    over_chunks(r, n_chunks, kernels_.policy_gradient);
    reduce(segments, n_chunks, r.partial, r.stride, r.greatest, gradient);
  }

  void value_gradient(ValueGradientRequest r, float* gradient) override {
    Segments segments;
    value_segments(r.shape, segments);
    const int n_chunks = prepare(segments, r.samples.count, r.partial, r.stride, r.greatest);
    reserve(gradient_scratch(r.shape, 1));
    over_chunks(r, n_chunks, kernels_.value_gradient);
    reduce(segments, n_chunks, r.partial, r.stride, r.greatest, gradient);
  }

  double norm(const float* gradient, long n) override {
    return std::sqrt(sum_of_squares(gradient, n));
  }

  void optimizer_step(const StepRequest& r) override {
    begin_step(r, sum_of_squares(r.gradient, r.n), *r.state);
    if (r.state->refused != 0) return;
    if (r.rule == StepRule::kPlain) {
      add_scaled(r.parameters, plain_factor(*r.state), r.gradient, r.n);
    } else {
      over_elements(adam_of(r, *r.state), r.n, 4096, kernels_.adam);
    }
  }

  void fisher_prepare(FisherRequest r, float* units) override {
    const int n_chunks = chunk_count(r.samples.count);
    r.units = units;
    r.unit_stride = unit_floats(r.policy.shape);
    reserve(fisher_scratch(r.policy.shape));
    over_chunks(r, n_chunks, kernels_.fisher_prepare);
  }
  long fisher_units(const PolicyShape& shape, long count, FisherPath) const override {
    return long(chunk_count(count)) * unit_floats(shape);
  }
  std::optional<FisherChoice> fisher_choice(const FisherRequest&) const override { return {}; }

  void fisher_product(FisherRequest r, float* product) override {
    if (r.active != nullptr && *r.active == 0) return;
    Segments segments;
    fisher_segments(r.policy.shape, segments);
    const int n_chunks = prepare(segments, r.samples.count, r.partial, r.stride, r.greatest);
    r.unit_stride = unit_floats(r.policy.shape);
    reserve(fisher_scratch(r.policy.shape));
    over_chunks(r, n_chunks, kernels_.fisher_product);
    reduce(segments, n_chunks, r.partial, r.stride, r.greatest, product);
  }

  void policy_divergence(DivergenceRequest r, float* sums) override {
    if (r.active != nullptr && *r.active == 0) return;
    Segments segments;
    divergence_segments(segments);
    long stride = 0;
    const int n_chunks = prepare(segments, r.samples.count, r.partial, stride, r.greatest);
    r.unit_stride = unit_floats(r.candidate.shape);
    reserve(gradient_scratch(r.candidate.shape.network, r.candidate.shape.n_actions));
    over_chunks(r, n_chunks, kernels_.policy_divergence);
    reduce(segments, n_chunks, r.partial, stride, r.greatest, sums);
  }

  void copy(float* to, const float* from, long n) override {
    std::memcpy(to, from, std::size_t(n) * sizeof(float));
  }
  void add_scaled(float* y, float a, const float* x, long n) override {
    for (long i = 0; i < n; i++) y[i] = fmadd(a, x[i], y[i]);
  }

  void conjugate_gradient_begin(const ConjugateGradientRequest& r) override {
    kernels_.conjugate_gradient_begin(r);
  }
  void conjugate_gradient_step(const ConjugateGradientRequest& r) override {
    kernels_.conjugate_gradient_step(r);
  }
  void conjugate_gradient_end(const ConjugateGradientRequest& r) override {
    kernels_.conjugate_gradient_end(r);
  }
  void line_search_begin(const LineSearchRequest& r) override { kernels_.line_search_begin(r); }
  void line_search_step(const LineSearchRequest& r) override { kernels_.line_search_step(r); }

  void run(const std::string&, const std::function<void()>& operations,
           std::unique_ptr<Recording>&) override {
    operations();
  }

  void shuffle(std::uint64_t seed, std::uint64_t counter, long n, std::uint32_t* order) override {
    keys_.resize(n);
    pool_.run(n, share(n, 1024), [&](int, long begin, long end) {
      for (long i = begin; i < end; i++) {
        keys_[i] =
            std::uint64_t(shuffle_key(seed, counter, std::uint32_t(i))) << 32 | std::uint64_t(i);
      }
    });
    std::sort(keys_.begin(), keys_.end());
    for (long i = 0; i < n; i++) order[i] = std::uint32_t(keys_[i]);
  }

 private:
  // NaN where an element is not finite.
  double sum_of_squares(const float* gradient, long n) const {
    const float bound = kernels_.greatest_magnitude(gradient, n);
    if (!(bound < __builtin_inff())) return __builtin_nan("");
    const int exponent = fixed_exponent(double(bound) * double(bound), n);
    return from_fixed(kernels_.fixed_sum_of_squares(gradient, n, 0.0, exponent), exponent);
  }

  Moments moments_of_group(const float* x, long rows, long n, long stride) {
    std::vector<float> greatest(pool_.size(), 0.0f);
    pool_.run(rows, share(rows, 1), [&](int thread, long begin, long end) {
      for (long k = begin; k < end; k++) {
        greatest[thread] =
            std::max(greatest[thread], kernels_.greatest_magnitude(x + k * stride, n));
      }
    });
    Moments result;
    result.count = rows * n;
    const double bound = *std::max_element(greatest.begin(), greatest.end());
    if (result.count == 0 || !(bound < __builtin_inf())) {
      result.mean = result.sum_of_squares = result.count == 0 ? 0.0 : __builtin_nan("");
      return result;
    }
    const int exponent = fixed_exponent(bound, result.count);
    const std::int64_t sum = sum_over_rows(
        rows, [&](long k) { return kernels_.fixed_sum(x + k * stride, n, exponent); });
    result.mean = from_fixed(sum, exponent) / double(result.count);
    const double spread = bound + std::abs(result.mean);
    const int square_exponent = fixed_exponent(spread * spread, result.count);
    const std::int64_t squares = sum_over_rows(rows, [&](long k) {
      return kernels_.fixed_sum_of_squares(x + k * stride, n, result.mean, square_exponent);
    });
    result.sum_of_squares = from_fixed(squares, square_exponent);
    return result;
  }

  void reduce(const Segments& segments, int n_chunks, const float* partial, long stride,
              const float* greatest, float* sum) {
    const long n = segments.begin[segments.count];
    over_elements(ReduceRequest{segments, n_chunks, partial, stride, greatest, sum, 0, 0}, n, 512,
                  kernels_.reduce_partials);
  }

  Isa isa_;
  const CpuKernels& kernels_;
  std::vector<long> truncated_;
  std::vector<float> gathered_;
  std::vector<std::uint64_t> keys_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int n_threads) {
  return std::make_unique<CpuBackend>(n_threads);
}

}  // namespace gallop

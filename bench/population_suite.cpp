#include "bench/population_suite.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include <gallop/host/error.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/runtime/processor.h>
#include "bench/checksum.h"
#include "bench/peak.h"
#include "bench/timer.h"

namespace gallop {
namespace {

constexpr std::size_t kLeastGenerations = 3;
constexpr std::uint64_t kSeed = 1;
constexpr float kSigma = 0.02f, kStep = 0.01f;
constexpr std::int64_t kMostEpisodes = 1 << 28;

struct Size {
  std::int64_t members, episodes;
  std::int64_t all() const { return members * episodes; }
};

std::vector<int> hidden_of(const std::string& policy) {
  if (policy == "linear") return {};
  if (policy == "64-64") return {64, 64};
  if (policy == "256-256") return {256, 256};
  throw usage_error(fmt::format("unknown policy '{}'; expected linear, 64-64 or 256-256", policy));
}

PolicyShape shape_for(const Environments& e, const std::vector<int>& hidden) {
  PolicyShape shape = {};
  const bool discrete = e.spec().action_kind == SpaceKind::kDiscrete;
  shape.head = discrete ? Head::kCategorical : Head::kDeterministic;
  shape.n_actions = e.action_size();
  NetworkShape& network = shape.network;
  network.kind = e.has_index_observations() ? NetworkKind::kTabular : NetworkKind::kMlp;
  network.hidden = Activation::kTanh;
  network.width[0] = e.observation_size();
  for (const int width : hidden) network.width[++network.n_layers] = width;
  network.width[++network.n_layers] = e.action_size();
  return shape;
}

// Multiply-adds of a network for a step; 0 of a table.
double multiply_adds(const NetworkShape& shape) {
  double sum = 0;
  for (int l = 0; shape.kind == NetworkKind::kMlp && l < shape.n_layers; l++) {
    sum += double(shape.width[l]) * shape.width[l + 1];
  }
  return sum;
}

// A generation after the other.
class Generations {
 public:
  Generations(Backend& backend, Environments& environments, const PolicyShape& shape,
              const Size& size, bool mirrored)
      : backend_(backend),
        environments_(environments),
        size_(size),
        center_(DeviceArray<float>::zeroed(backend, std::size_t(parameter_count(shape)))),
        step_(backend, center_.size()),
        returns_(backend, std::size_t(size.all())),
        fitness_(backend, std::size_t(size.members)),
        weight_(backend, std::size_t(size.members)),
        lengths_(backend, std::size_t(size.all())) {
    Population& p = request_.population;
    p.shape = shape;
    p.n_members = int(size.members);
    p.mirrored = mirrored ? 1 : 0;
    p.n_parameters = long(center_.size());
    p.center = center_.data();
    p.sigma_all = kSigma;
    p.seed = kSeed;
    request_.episodes = int(size.episodes);
    request_.deterministic = 1;
    request_.episode_return = returns_.data();
    request_.episode_length = lengths_.data();
  }

  void run() {
    environments_.evaluate_population(request_);
    backend_.rank_members({fitness(), size_.members, nullptr, nullptr, weight_.data()});
    backend_.sum_members({request_.population, weight_.data(), step_.data(), nullptr});
    backend_.add_scaled(
        {center_.data(), kStep / float(size_.members), step_.data(), long(center_.size())});
    request_.population.generation++;
  }
  void wait() const {
    float done;
    step_.download(&done, 1);
  }
  // Steps of all episodes of the last generation.
  double steps() const {
    double sum = 0;
    for (const std::int32_t length : lengths_.download()) sum += length;
    return sum;
  }
  void add_to(Checksum& sum) const {
    sum.add(returns_);
    sum.add(center_);
  }

 private:
  // The returns of single episodes, or the sums of a member's: columns of [P, E], one after
  // another.
  const float* fitness() {
    if (size_.episodes == 1) return returns_.data();
    backend_.clear(fitness_.data(), fitness_.size() * sizeof(float));
    by_episode_.resize(std::size_t(size_.all()));
    returns_.download(by_episode_.data(), by_episode_.size());
    std::vector<float> sums(fitness_.size(), 0.0f);
    for (std::size_t i = 0; i < by_episode_.size(); i++) {
      sums[i / std::size_t(size_.episodes)] += by_episode_[i];
    }
    fitness_.upload(sums);
    return fitness_.data();
  }

  Backend& backend_;
  Environments& environments_;
  Size size_;
  DeviceArray<float> center_, step_, returns_, fitness_, weight_;
  DeviceArray<std::int32_t> lengths_;
  std::vector<float> by_episode_;
  PopulationRequest request_ = {};
};

void check(const PopulationSuite& suite, const std::vector<Size>& sizes) {
  if (suite.threads < 0 || suite.threads > 1024) {
    throw value_error(fmt::format("--threads is {}; expected 0 to 1024", suite.threads));
  }
  if (!(suite.seconds > 0 && suite.seconds <= 3600)) {
    throw value_error(fmt::format("--seconds is {}; expected above 0, up to 3600", suite.seconds));
  }
  for (const Size& size : sizes) {
    const bool fits = size.members >= 2 && size.episodes >= 1 && size.members <= kMostEpisodes &&
                      size.episodes <= kMostEpisodes && size.all() <= kMostEpisodes;
    if (!fits || (suite.mirrored && size.members % 2 != 0)) {
      throw value_error(fmt::format(
          "{} members of {} episodes each; expected at least 2{}, and up to {} episodes",
          size.members, size.episodes, suite.mirrored ? ", an even number" : "", kMostEpisodes));
    }
  }
}

EnvironmentOptions options_for(const PopulationSuite& suite) {
  EnvironmentOptions options;
  options.seed = kSeed;
  if (spec_of(find_environment(suite.environment)).time_limit == 0) options.time_limit = 500;
  return options;
}

}  // namespace

void run_population_suite(const PopulationSuite& suite,
                          const std::function<void(const BenchRow&)>& show) {
  std::vector<Size> sizes;
  for (const std::int64_t p :
       suite.members.empty() ? std::vector<std::int64_t>{256, 4096} : suite.members) {
    for (const std::int64_t e :
         suite.episodes.empty() ? std::vector<std::int64_t>{1, 16} : suite.episodes) {
      sizes.push_back({p, e});
    }
  }
  check(suite, sizes);
  const std::vector<std::string> policies =
      suite.policies.empty() ? std::vector<std::string>{"linear", "64-64"} : suite.policies;
  for (const std::string& policy : policies) hidden_of(policy);
  const EnvironmentEntry& entry = find_environment(suite.environment);
  const int wanted = suite.threads > 0 ? suite.threads : available_processors();
  const auto backend = make_backend(suite.device, wanted, [](const std::string&) {});
  const bool on_cpu = backend->name() == "cpu";
  const int threads = on_cpu ? wanted : 1;
  const auto clock = on_cpu && threads == 1 ? thread_seconds : wall_seconds;
  Environments environments(*backend, entry, options_for(suite));
  for (const char* limit : {"x_limit", "theta_limit"}) {
    if (std::string(spec_of(entry).name) == "cartpole") environments.set_parameter(limit, 1e6);
  }
  for (const std::string& policy : policies) {
    const PolicyShape shape = shape_for(environments, hidden_of(policy));
    for (const Size& size : sizes) {
      Generations generations(*backend, environments, shape, size, suite.mirrored);
      BenchRow row;
      row.shape = fmt::format("{}x{}", size.members, size.episodes);
      row.environment = spec_of(entry).name;
      row.policy = policy;
      row.kernel = suite.mirrored ? "mirrored" : "independent";
      row.name = fmt::format("black_box/{}/{}/{}", row.environment, policy, row.shape);
      row.scope = "S+P+L";
      row.backend = on_cpu ? std::string("cpu-") + isa_name(processor_isa()) : backend->name();
      row.threads = threads;
      row.flops_per_step = 2 * multiply_adds(shape.network);
      row.baseline_per_second = row.peak_fraction = std::nan("");
      generations.run();  // warm-up, and what the checksum is of
      Checksum sum;
      generations.add_to(sum);
      row.checksum = sum.text();
      Rates rates, fma;
      while (rates.seconds() < suite.seconds || rates.count() < kLeastGenerations) {
        const double start = clock();
        generations.run();
        generations.wait();
        const double seconds = clock() - start;
        rates.add(generations.steps(), seconds);
        if (on_cpu) fma.add(measure_fma_rate(processor_isa(), 0.001) * threads, 1.0);
      }
      row.per_second = rates.median();
      row.spread = rates.spread();
      if (on_cpu) row.peak_fraction = row.per_second * row.flops_per_step / fma.median();
      show(row);
    }
  }
}

}  // namespace gallop

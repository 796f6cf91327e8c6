#include "bench/training_suite.h"

#include <fmt/format.h>

#include <map>
#include <memory>

#include <gallop/host/error.h>
#include <gallop/host/learning/pathwise.h>
#include <gallop/host/learning/value_fit.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/host/training/run_options.h>
#include "bench/checksum.h"
#include "bench/peak.h"
#include "bench/timer.h"

namespace gallop {

const std::vector<std::string> kTrainingShape = {"n_envs=64", "n_steps=782", "hidden=[64,64]"};

namespace {

constexpr std::size_t kLeastIterations = 3;

// The tables' defaults and what was asked for: a benchmark must not change with a shipped
// configuration.
RunOptions options_of(const TrainingSuite& suite) {
  RunOptions options(suite.environment, suite.algorithm);
  Options plain = options.values();
  for (const OptionSpec& row : options.algorithm().options) {
    plain.set(row.name, row.default_value.text(), "default");
  }
  options.values() = plain;
  for (const std::string& assignment : kTrainingShape) {
    options.set_assignment(assignment, "the shape of the benchmark");
  }
  for (const std::string& assignment : suite.assignments) {
    options.set_assignment(assignment, "--set");
  }
  return options;
}

std::string network_name(const Options& options) {
  std::string name;
  for (const std::int64_t width : options.integers("hidden")) {
    name += fmt::format("{}{}", name.empty() ? "" : "-", width);
  }
  return name;
}

// Multiply-adds of a network for a sample; NaN of a table.
double multiply_adds(const NetworkShape& shape, bool with_first_layer) {
  if (shape.kind == NetworkKind::kTabular) return std::nan("");
  double sum = 0;
  for (int l = with_first_layer ? 0 : 1; l < shape.n_layers; l++) {
    sum += double(shape.width[l]) * shape.width[l + 1];
  }
  return sum;
}

// Operations of PPO's matrix products for a sample of an iteration: the policy acts, the value
// network is asked, and in every epoch each of them goes forward and, for the gradients of weights
// and of units, backward; the gradient of the inputs is not needed.
double ppo_flops(NetworkShape network, const Options& options) {
  double sum = 0;
  const std::vector<std::int64_t>& hidden = options.integers("value_hidden");
  for (const bool of_value : {false, true}) {
    if (of_value && network.kind == NetworkKind::kMlp) {
      if (hidden != std::vector<std::int64_t>{0}) {
        const int inputs = network.width[0];
        network.n_layers = int(hidden.size()) + 1;
        network.width[0] = inputs;
        for (std::size_t l = 0; l < hidden.size(); l++) network.width[l + 1] = int(hidden[l]);
      }
      network.width[network.n_layers] = 1;
    }
    const double forward = multiply_adds(network, true);
    const double backward = forward + multiply_adds(network, false);
    sum += 2 * (forward + double(options.integer("epochs")) * (forward + backward));
  }
  return sum;
}

// The phases of an iteration of trpo, each as the algorithm calls it, on a learner of their own.
class TrpoPhases {
 public:
  TrpoPhases(const AlgorithmContext& context)
      : backend_(context.backend),
        learner_(context),
        value_fit_(context, learner_),
        products_(int(context.options.integer("cg_iterations")) + 1),
        vector_(backend_, learner_.policy().parameters().size()),
        product_(backend_, learner_.policy().parameters().size()),
        units_(backend_, std::size_t(chunk_count(learner_.n_samples())) *
                             unit_floats(learner_.policy().shape())) {
    vector_.upload(learner_.policy().parameters().values());
  }

  void run(double (*clock)(), std::map<std::string, Rates>& rates) {
    const double samples = double(learner_.n_samples());
    const auto time = [&](const char* phase, auto work) {
      const double start = clock();
      work();
      wait();
      rates[phase].add(samples, clock() - start);
    };
    time("rollout", [&] { learner_.collect(); });
    time("advantages", [&] { learner_.estimate_advantages(); });
    time("gradient", [&] { backend_.policy_gradient(request()); });
    time("fisher_products", [&] {
      FisherRequest r = {};
      r.policy = learner_.policy().view();
      r.samples = learner_.all_samples();
      r.weight = 1.0f / float(learner_.n_samples());
      r.units = units_.data();
      r.unit_stride = unit_floats(learner_.policy().shape());
      r.vector = vector_.data();
      r.product = product_.data();
      backend_.fisher_prepare(r);
      for (int k = 0; k < products_; k++) backend_.fisher_product(r);
    });
    time("value_fit", [&] { value_fit_.run(); });
  }

 private:
  PolicyGradientRequest request() const {
    PolicyGradientRequest r = learner_.policy().gradient_request(learner_.all_samples());
    r.loss = PolicyLoss::kSurrogate;
    return r;
  }
  void wait() const {
    float done;
    product_.download(&done, 1);
  }

  Backend& backend_;
  OnPolicyLearner learner_;
  ValueFit value_fit_;
  int products_;
  DeviceArray<float> vector_, product_, units_;
};

// Those of an iteration of bptt: the rollout, and the gradient along it.
class BpttPhases {
 public:
  BpttPhases(const AlgorithmContext& context)
      : learner_(context),
        gradient_(context, learner_.environments(), learner_.policy(), learner_.rollout()) {}

  void run(double (*clock)(), std::map<std::string, Rates>& rates) {
    const auto time = [&](const char* phase, auto work) {
      const double start = clock();
      work();
      rates[phase].add(double(learner_.n_samples()), clock() - start);
    };
    time("rollout", [&] { learner_.collect(); });
    time("gradient", [&] {
      gradient_.find(learner_.environments(), learner_.rollout(), learner_.policy(), 1.0);
      learner_.policy().parameters().statistics();  // waits
    });
  }

 private:
  OnPolicyLearner learner_;
  PathwiseGradient gradient_;
};

}  // namespace

void run_training_suite(const TrainingSuite& suite,
                        const std::function<void(const BenchRow&)>& show) {
  if (suite.threads < 0 || suite.threads > 1024) {
    throw value_error(fmt::format("--threads is {}; expected 0 to 1024", suite.threads));
  }
  if (!(suite.seconds > 0 && suite.seconds <= 3600)) {
    throw value_error(fmt::format("--seconds is {}; expected above 0, up to 3600", suite.seconds));
  }
  const RunOptions options = options_of(suite);
  const int threads = suite.threads > 0 ? suite.threads : available_processors();
  const auto backend = make_backend(suite.device, threads, [](const std::string&) {});
  const bool on_cpu = backend->name() == "cpu";
  const AlgorithmContext context = {*backend, options.environment(), options.values(),
                                    options.seed(), options.configure()};
  const auto algorithm = options.algorithm().create(context);
  const auto clock = on_cpu && threads == 1 ? thread_seconds : wall_seconds;
  algorithm->iterate();  // warm-up, and what the checksum is of

  BenchRow row;
  row.name = fmt::format("{}/{}/{}", options.algorithm().name, spec_of(options.environment()).name,
                         network_name(options.values()));
  row.scope = "S+P+L";
  row.environment = spec_of(options.environment()).name;
  row.policy = network_name(options.values());
  if (!on_cpu) row.mode = options.values().text("mode");
  row.shape =
      fmt::format("{}x{}", options.values().integer("n_envs"), options.values().integer("n_steps"));
  row.backend = on_cpu ? std::string("cpu-") + isa_name(processor_isa()) : backend->name();
  row.threads = on_cpu ? threads : 1;
  row.stored = true;
  row.baseline_per_second = row.peak_fraction = std::nan("");
  std::vector<float> parameters(parameter_count(algorithm->policy().shape));
  backend->to_host(parameters.data(), algorithm->policy().parameters,
                   parameters.size() * sizeof(float));
  Checksum sum;
  sum.add(parameters);
  row.checksum = sum.text();

  std::map<std::string, Rates> rates;
  std::function<void()> run_phases;
  std::vector<const char*> phases;
  if (std::string(options.algorithm().name) == "trpo") {
    phases = {"rollout", "advantages", "gradient", "fisher_products", "value_fit"};
    run_phases = [all = std::make_shared<TrpoPhases>(context), clock, &rates] {
      all->run(clock, rates);
    };
  }
  if (std::string(options.algorithm().name) == "bptt") {
    phases = {"rollout", "gradient"};
    run_phases = [all = std::make_shared<BpttPhases>(context), clock, &rates] {
      all->run(clock, rates);
    };
  }
  const bool is_ppo = std::string(options.algorithm().name) == "ppo";
  if (is_ppo) {
    row.flops_per_step = ppo_flops(algorithm->policy().shape.network, options.values());
  }
  Rates iterations, fma;
  const double samples = double(algorithm->steps_per_iteration());
  while (iterations.seconds() < suite.seconds || iterations.count() < kLeastIterations) {
    const double start = clock();
    algorithm->iterate();
    iterations.add(samples, clock() - start);
    if (on_cpu && is_ppo) fma.add(measure_fma_rate(processor_isa(), 0.001) * threads, 1.0);
    if (run_phases) run_phases();
  }
  row.per_second = iterations.median();
  row.spread = iterations.spread();
  row.peak_fraction = row.per_second * row.flops_per_step / fma.median();
  show(row);
  const std::string name = row.name;
  for (const char* phase : phases) {
    row.phase = phase;
    row.name = name + "/" + phase;
    row.scope = row.phase == "rollout" ? "S+P" : "L";
    row.per_second = rates[phase].median();
    row.spread = rates[phase].spread();
    show(row);
  }
}

}  // namespace gallop

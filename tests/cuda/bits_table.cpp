#include "tests/cuda/bits_table.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <span>
#include <thread>

#include <gallop/host/files/sha256.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/algorithm.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/training/run_options.h>
#include "tests/cuda/rollout_case.h"
#include "tests/cuda/step_case.h"

namespace gallop::testing {
namespace {

// SHA-256 of the digests of pieces, which all processors work on: hundreds of megabytes a row.
class Hash {
 public:
  template <class T>
  void add(const std::vector<T>& values) {
    for (auto left = std::as_bytes(std::span<const T>(values)); !left.empty();) {
      const auto piece = left.first(std::min(left.size(), kPiece));
      pieces_.push_back(piece);
      left = left.subspan(piece.size());
    }
  }
  // While what was added is still there.
  std::string text() const {
    std::vector<std::string> digest(pieces_.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t k; (k = next++) < pieces_.size();) {
        Sha256 sha;
        sha.update(pieces_[k]);
        digest[k] = sha.hex_digest();
      }
    };
    std::vector<std::jthread> others(
        std::min<std::size_t>(std::thread::hardware_concurrency(), pieces_.size()));
    for (std::jthread& other : others) other = std::jthread(work);
    work();
    others.clear();
    Sha256 all;
    for (const std::string& one : digest) all.update(std::as_bytes(std::span(one)));
    return all.hex_digest().substr(0, 16);
  }

 private:
  static constexpr std::size_t kPiece = std::size_t(1) << 20;
  std::vector<std::span<const std::byte>> pieces_;
};

std::string hash_of(const RolloutResult& r) {
  Hash hash;
  hash.add(r.observation);
  hash.add(r.action);
  hash.add(r.log_prob);
  hash.add(r.reward);
  hash.add(r.final_observation);
  hash.add(r.ended_return);
  hash.add(r.terminated);
  hash.add(r.truncated);
  hash.add(r.ended_length);
  hash.add(r.state);
  return hash.text();
}

std::string hash_of(const StepResult& r) {
  Hash hash;
  hash.add(r.observation);
  hash.add(r.final_observation);
  hash.add(r.reward);
  hash.add(r.ended_return);
  hash.add(r.terminated);
  hash.add(r.truncated);
  hash.add(r.ended_length);
  hash.add(r.state);
  return hash.text();
}

// Kinds of kernels that hold different numbers of instances on a multiprocessor.
enum class Kind { kThread, kPair, kTeam };

struct Policy {
  const char* name;
  ActionSource source;
  std::vector<int> hidden;
  Head head;
  bool normalized;
  Kind kind;
  bool deterministic = false;
};

// Every head, and networks for each kernel of rollouts.
std::vector<Policy> policies_for(const EnvironmentSpec& spec) {
  const bool discrete = spec.action_kind == SpaceKind::kDiscrete;
  const Head head = discrete ? Head::kCategorical : Head::kGaussian;
  constexpr ActionSource kPolicy = ActionSource::kPolicy;
  std::vector<Policy> policies = {
      {"uniform", ActionSource::kUniform, {}, head, false, Kind::kThread}};
  if (spec.observation_kind == SpaceKind::kDiscrete) {
    policies.push_back({"tabular softmax", kPolicy, {}, head, false, Kind::kThread});
    policies.push_back({"tabular greatest", kPolicy, {}, head, false, Kind::kThread, true});
    return policies;
  }
  policies.push_back({"linear", kPolicy, {}, head, true, Kind::kThread});
  policies.push_back({"64-64", kPolicy, {64, 64}, head, true, Kind::kPair});
  policies.push_back({"64-64 most probable", kPolicy, {64, 64}, head, false, Kind::kPair, true});
  policies.push_back({"128-128", kPolicy, {128, 128}, head, true, Kind::kTeam});
  policies.push_back({"256-256", kPolicy, {256, 256}, head, false, Kind::kTeam});
  policies.push_back({"48-17-33", kPolicy, {48, 17, 33}, head, false, Kind::kTeam});
  if (!discrete) {
    const Head network = Head::kGaussianNetwork, only_mean = Head::kDeterministic;
    policies.push_back({"linear network log sigma", kPolicy, {}, network, true, Kind::kThread});
    policies.push_back({"64-64 network log sigma", kPolicy, {64, 64}, network, false, Kind::kTeam});
    policies.push_back({"64-64 deterministic", kPolicy, {64, 64}, only_mean, true, Kind::kPair});
  }
  return policies;
}

// Instances that 132 multiprocessors hold at most (docs/kernel_resources.csv): threads of one
// instance each, threads of two, and teams of threads for 32 or 64 together. The threads of
// articulated bodies take more registers, those of the greater ones all: 256 of them, or 384, which
// half as many again exceed too.
int filling(const EnvironmentSpec& spec, Kind kind) {
  constexpr int kMultiprocessors = 132;
  const bool is_great = spec.long_steps && spec.observation_capacity > 10;
  if (kind == Kind::kThread) {
    return kMultiprocessors * (is_great ? 256 : spec.long_steps ? 1024 : 2048);
  }
  if (kind == Kind::kPair && !spec.long_steps) return kMultiprocessors * 512;
  return kMultiprocessors * (spec.long_steps ? 64 : 128);
}

struct Batch {
  int n_envs, n_steps;
  std::string text() const { return std::to_string(n_envs) + "x" + std::to_string(n_steps); }
};

// A batch of so many instances, for no more steps than a processor computes in a moment.
Batch batch_of(const EnvironmentSpec& spec, int n_envs) {
  const int most = spec.long_steps ? 65536 : 270336;
  return {n_envs, std::clamp(most / n_envs, 1, spec.long_steps ? 16 : 64)};
}

// Batches below, at and above what fills the device; small ones for an executor.
std::vector<Batch> batches_of(const EnvironmentSpec& spec, Kind kind, BitsSize size) {
  if (size == BitsSize::kSmall) return {{37, 5}};
  const int full = filling(spec, kind);
  return {batch_of(spec, 1000), batch_of(spec, full), batch_of(spec, full + full / 2 + 1)};
}

// Each with all batches: a seed that stood for a batch would hide what depends on the other.
std::vector<std::uint64_t> seeds_of(BitsSize size) {
  return size == BitsSize::kSmall ? std::vector<std::uint64_t>{1}
                                  : std::vector<std::uint64_t>{1, 2};
}

class Comparison {
 public:
  Comparison(Backend& cpu, Backend& subject, BitsSize size, bool plant,
             const std::function<void(const BitsRow&)>& report)
      : cpu_(cpu),
        subject_(subject),
        small_(size == BitsSize::kSmall),
        size_(size),
        plant_(plant),
        report_(report) {}

  void rollouts() const {
    for (const EnvironmentEntry* entry : all_environments()) {
      const EnvironmentSpec& spec = spec_of(*entry);
      for (const Policy& policy : policies_for(spec)) {
        const std::vector<Batch> batches = batches_of(spec, policy.kind, size_);
        for (const std::uint64_t seed : seeds_of(size_)) {
          for (const Batch& batch : batches) {
            rollout(*entry, policy, ResetMode::kSameStep, batch, seed);
          }
        }
        // The one whose kernels have the least to do, and the one that most runs have, above what
        // fills the device too.
        const bool also_above =
            policy.source == ActionSource::kUniform || policy.kind == Kind::kPair;
        rollout(*entry, policy, ResetMode::kNextStep, batches.front(), 3);
        if (also_above && !small_) rollout(*entry, policy, ResetMode::kNextStep, batches.back(), 3);
      }
    }
  }

  // A fused rollout resets by itself, so that disabled resets are those of single steps.
  void steps() const {
    for (const EnvironmentEntry* entry : all_environments()) {
      const EnvironmentSpec& spec = spec_of(*entry);
      const int above = batches_of(spec, Kind::kThread, size_).back().n_envs;
      const Batch below = small_ ? Batch{21, 6} : Batch{1000, 12}, full = {above, 2};
      for (const ResetMode mode :
           {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
        for (const std::uint64_t seed : seeds_of(size_)) step(*entry, mode, below, seed);
        if (!small_ && mode == ResetMode::kDisabled) step(*entry, mode, full, 3);
      }
    }
  }

  void training() const {
    // Categories, normals with parameters or outputs of the network as log sigma, and tables.
    struct Problem {
      const char *environment, *policy;
      std::vector<std::string> options;
    };
    const Problem problems[] = {{"cartpole", "default", {}},
                                {"pendulum", "default", {}},
                                {"pendulum", "network log sigma", {"log_std=network"}},
                                {"acrobot", "default", {}},
                                {"hopper", "default", {}},
                                {"mdp", "tabular", {}}};
    for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
      const bool black_box = optimizer_called(algorithm->name) != nullptr;
      const bool off_policy = Options(algorithm->options).has("learning_starts");
      for (const Problem& problem : problems) {
        if (off_policy) {
          if (std::string(problem.environment) == "pendulum" && problem.options.empty()) {
            replay(*algorithm, problem.environment, problem.policy);
          }
          continue;
        }
        if (black_box && !problem.options.empty()) continue;  // their heads have no such option
        const EnvironmentSpec& spec = spec_of(find_environment(problem.environment));
        if (algorithm->refusal != nullptr && algorithm->refusal(spec) != nullptr) continue;
        for (const std::uint64_t seed : seeds_of(size_)) {
          if (black_box) {
            std::vector<std::string> options = {small_ ? "hidden=" : "hidden=32"};
            const bool sized = Options(algorithm->options).has("population");
            if (small_ && sized) options.push_back("population=20");
            train(*algorithm, problem.environment, problem.policy, options, seed);
            continue;
          }
          // As it comes, and a batch of many instances, which fills the device.
          if (!small_)
            train(*algorithm, problem.environment, problem.policy, problem.options, seed);
          std::vector<std::string> options = problem.options;
          if (small_) {
            options.insert(options.end(), {"n_envs=6", "n_steps=21", "hidden=8"});
            for (const char* few : {"updates=1", "paths=20", "horizon=3", "model_epochs=1"}) {
              const std::string name = std::string(few).substr(0, std::string(few).find('='));
              if (Options(algorithm->options).has(name)) options.push_back(few);
            }
          } else {
            options.insert(options.end(), {"n_envs=1030", "n_steps=32"});
          }
          train(*algorithm, problem.environment, problem.policy, options, seed);
        }
      }
    }
  }

 private:
  // Of continuous, bounded actions alone.
  void replay(const AlgorithmDescriptor& algorithm, const char* environment,
              const char* policy) const {
    const std::vector<std::string> small = {"n_envs=6",     "n_steps=21",     "learning_starts=60",
                                            "batch_size=9", "buffer_size=90", "hidden=8"};
    const std::vector<std::string> large = {"n_envs=1030", "n_steps=32", "learning_starts=3000"};
    for (const std::uint64_t seed : seeds_of(size_)) {
      train(algorithm, environment, policy, small_ ? small : large, seed);
    }
  }

  static const char* text(ResetMode mode) {
    return mode == ResetMode::kSameStep   ? ""
           : mode == ResetMode::kNextStep ? ", next-step resets"
                                          : ", resets disabled";
  }

  void rollout(const EnvironmentEntry& entry, const Policy& policy, ResetMode mode,
               const Batch& batch, std::uint64_t seed) const {
    RolloutCase c;
    c.environment = entry.type;
    c.n_envs = batch.n_envs;
    c.n_steps = batch.n_steps;
    c.seed = seed;
    c.time_limit = batch.n_steps;  // two rollouts: every instance ends at least once
    c.mode = mode;
    c.source = policy.source;
    c.hidden = policy.hidden;
    c.head = policy.head;
    c.deterministic = policy.deterministic;
    c.normalized = policy.normalized;
    RolloutCase other = c;
    if (plant_) other.weight_scale = 1.0f + 0x1p-23f;
    report({spec_of(entry).name, std::string(policy.name) + text(mode), "-", seed, batch.text()},
           [&](Backend& backend) {
             return hash_of(run_rollout(backend, &backend == &cpu_ ? c : other));
           });
  }

  void step(const EnvironmentEntry& entry, ResetMode mode, const Batch& batch,
            std::uint64_t seed) const {
    StepCase c;
    c.environment = entry.type;
    c.n_envs = batch.n_envs;
    c.n_steps = batch.n_steps;
    c.seed = seed;
    c.time_limit = std::min(4, batch.n_steps - 1);
    c.mode = mode;
    report({spec_of(entry).name, std::string("steps") + text(mode), "-", seed, batch.text()},
           [&](Backend& backend) { return hash_of(run_steps(backend, c)); });
  }

  void train(const AlgorithmDescriptor& algorithm, const char* environment, const char* policy,
             const std::vector<std::string>& assignments, std::uint64_t seed) const {
    RunOptions options(environment, algorithm.name);
    for (const std::string& assignment : assignments) {
      options.set_assignment(assignment, "the comparison of bits");
    }
    options.set_assignment("seed=" + std::to_string(seed), "the comparison of bits");
    const int n_iterations = small_ ? 1 : 3;
    const bool rolls_out = options.values().has("n_envs");
    const Batch batch = rolls_out ? Batch{int(options.values().integer("n_envs")),
                                          int(options.values().integer("n_steps"))}
                                  : Batch{int(options.values().integer("episodes")), 1};
    report({environment, policy, algorithm.name, seed,
            batch.text() + "x" + std::to_string(n_iterations)},
           [&](Backend& backend) { return train_hash(backend, options, n_iterations); });
  }

  // Both sides at once: one has the device, the other the processor.
  void report(BitsRow row, const std::function<std::string(Backend&)>& hash) const {
    std::future<std::string> subject =
        std::async(std::launch::async, [&] { return hash(subject_); });
    row.cpu_hash = hash(cpu_);
    row.gpu_hash = subject.get();
    report_(row);
  }

  static std::string train_hash(Backend& backend, const RunOptions& options, int n_iterations) {
    const std::unique_ptr<Algorithm> learner = options.algorithm().create(
        {backend, options.environment(), options.values(), options.seed(), options.configure()});
    for (int k = 0; k < n_iterations; k++) learner->iterate();
    TensorFile file;
    learner->save(file);
    Hash hash;
    for (const auto& [name, tensor] : file.tensors()) hash.add(tensor.bytes);
    return hash.text();
  }

  Backend &cpu_, &subject_;
  bool small_;
  BitsSize size_;
  bool plant_;
  const std::function<void(const BitsRow&)>& report_;
};

}  // namespace

void compare_bits(Backend& cpu, Backend& subject, BitsSize size, bool plant,
                  const std::function<void(const BitsRow&)>& report) {
  const Comparison comparison(cpu, subject, size, plant, report);
  comparison.rollouts();
  if (plant) return;  // what has no policy, or learns it
  comparison.steps();
  comparison.training();
}

std::string bits_header() {
  return "environment,policy,algorithm,seed,shape,cpu_hash,gpu_hash,commit";
}

std::string bits_line(const BitsRow& row, const std::string& commit) {
  return row.environment + "," + row.policy + "," + row.algorithm + "," + std::to_string(row.seed) +
         "," + row.shape + "," + row.cpu_hash + "," + row.gpu_hash + "," + commit;
}

}  // namespace gallop::testing

#include "tests/cuda/bits_table.h"

#include <algorithm>
#include <atomic>
#include <span>
#include <thread>

#include "host/checkpoint/sha256.h"
#include "host/checkpoint/tensor_file.h"
#include "host/registry/registry.h"
#include "host/training/algorithm.h"
#include "host/training/run_options.h"
#include "tests/cuda/rollout_case.h"

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

struct Policy {
  const char* name;
  ActionSource source;
  std::vector<int> hidden;
  Head head;
  bool normalized;
};

std::vector<Policy> policies_for(const EnvironmentSpec& spec) {
  const bool discrete = spec.action_kind == SpaceKind::kDiscrete;
  const Head head = discrete ? Head::kCategorical : Head::kGaussian;
  std::vector<Policy> policies = {{"uniform", ActionSource::kUniform, {}, head, false}};
  if (spec.observation_kind == SpaceKind::kDiscrete) {
    policies.push_back({"tabular softmax", ActionSource::kPolicy, {}, head, false});
    return policies;
  }
  policies.push_back({"linear", ActionSource::kPolicy, {}, head, true});
  policies.push_back({"64-64", ActionSource::kPolicy, {64, 64}, head, true});
  policies.push_back({"256-256", ActionSource::kPolicy, {256, 256}, head, false});
  policies.push_back({"48-17-33", ActionSource::kPolicy, {48, 17, 33}, head, false});
  if (!discrete) {
    policies.push_back({"64-64 network log sigma",
                        ActionSource::kPolicy,
                        {64, 64},
                        Head::kGaussianNetwork,
                        false});
    policies.push_back(
        {"64-64 deterministic", ActionSource::kPolicy, {64, 64}, Head::kDeterministic, true});
  }
  return policies;
}

struct Batch {
  int n_envs, n_steps;
  std::uint64_t seed;
};

// Below, at and above what fills 132 multiprocessors: 67 584 instances of a small environment with
// 64-64, and half as many of ant or humanoid, whose threads take all registers and whose
// observations would otherwise be gigabytes.
std::vector<Batch> batches_of(const EnvironmentSpec& spec, BitsSize size) {
  if (size == BitsSize::kSmall) return {{37, 5, 1}};
  if (spec.observation_capacity > 64) return {{1000, 16, 1}, {33792, 2, 2}, {67585, 1, 3}};
  return {{1000, 64, 1}, {67584, 4, 2}, {200001, 2, 3}};
}

void compare_rollouts(Backend& cpu, Backend& subject, BitsSize size, bool plant,
                      const std::function<void(const BitsRow&)>& report) {
  for (const EnvironmentEntry* entry : all_environments()) {
    const EnvironmentSpec& spec = spec_of(*entry);
    for (const Policy& policy : policies_for(spec)) {
      for (const Batch& batch : batches_of(spec, size)) {
        RolloutCase rollout;
        rollout.environment = entry->type;
        rollout.n_envs = batch.n_envs;
        rollout.n_steps = batch.n_steps;
        rollout.seed = batch.seed;
        rollout.time_limit = batch.n_steps;  // two rollouts: every instance ends at least once
        rollout.source = policy.source;
        rollout.hidden = policy.hidden;
        rollout.head = policy.head;
        rollout.normalized = policy.normalized;
        const std::string cpu_hash = hash_of(run_rollout(cpu, rollout));
        if (plant) rollout.weight_scale = 1.0f + 0x1p-23f;
        report({spec.name, policy.name, "-", batch.seed,
                std::to_string(batch.n_envs) + "x" + std::to_string(batch.n_steps), cpu_hash,
                hash_of(run_rollout(subject, rollout))});
      }
    }
  }
}

std::string train_hash(Backend& backend, const RunOptions& options, int n_iterations) {
  const std::unique_ptr<Algorithm> learner = options.algorithm().create(
      {backend, options.environment(), options.values(), options.seed(), options.configure()});
  for (int k = 0; k < n_iterations; k++) learner->iterate();
  TensorFile file;
  learner->save(file);
  Hash hash;
  for (const auto& [name, tensor] : file.tensors()) hash.add(tensor.bytes);
  return hash.text();
}

void compare_training(Backend& cpu, Backend& subject, BitsSize size,
                      const std::function<void(const BitsRow&)>& report) {
  const bool small = size == BitsSize::kSmall;
  const int n_iterations = small ? 1 : 5;
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    for (const char* environment : {"cartpole", "pendulum", "acrobot", "hopper"}) {
      for (std::uint64_t seed = 1; seed <= (small ? 1u : 3u); seed++) {
        if (small && std::string(environment) != "cartpole") continue;
        RunOptions options(environment, algorithm->name);
        options.set_assignment("seed=" + std::to_string(seed), "the comparison of bits");
        const std::string gpu_hash = train_hash(subject, options, n_iterations);
        report({environment, "default", algorithm->name, seed,
                std::to_string(n_iterations) + " iterations",
                train_hash(cpu, options, n_iterations), gpu_hash});
      }
    }
  }
}

}  // namespace

void compare_bits(Backend& cpu, Backend& subject, BitsSize size, bool plant,
                  const std::function<void(const BitsRow&)>& report) {
  compare_rollouts(cpu, subject, size, plant, report);
  if (!plant) compare_training(cpu, subject, size, report);
}

std::string bits_header() {
  return "environment,policy,algorithm,seed,shape,cpu_hash,gpu_hash,commit";
}

std::string bits_line(const BitsRow& row, const std::string& commit) {
  return row.environment + "," + row.policy + "," + row.algorithm + "," + std::to_string(row.seed) +
         "," + row.shape + "," + row.cpu_hash + "," + row.gpu_hash + "," + commit;
}

}  // namespace gallop::testing

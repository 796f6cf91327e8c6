#include "bench/gae_sides.h"

#include <fmt/format.h>
#include <gallop_isas.h>

#include <algorithm>
#include <cstring>

#include <gallop/host/error.h>
#include <gallop/host/runtime/processor.h>
#include <gallop/kernels/random/stream.h>
#include "bench/rollout_sides.h"

#define GALLOP_DECLARE_BASELINE(isa) extern "C" gallop::GaeBaseline gallop_gae_baseline_isa_##isa;
GALLOP_FOR_EACH_ISA(GALLOP_DECLARE_BASELINE)

namespace gallop {
namespace {

GaeBaseline* const kBaselines[kNumIsas] = GALLOP_ISA_FUNCTIONS(gallop_gae_baseline);

constexpr std::uint32_t kGaeStream = 8;
constexpr int kPattern = 65521;       // numbers that are drawn, and repeat: a prime
constexpr float kEndedShare = 0.01f;  // of either flag
constexpr double kBytesOfARun = 2e9;  // on a device: a millisecond, a hundred times the wait
constexpr double kMostPasses = 256;

}  // namespace

std::string GaeShape::text() const { return fmt::format("{}x{}", n_envs, n_steps); }

GaeBatch::GaeBatch(GaeShape s) : shape(s) {
  Rng<float> rng(kBenchSeed, kRandomInitialise, kGaeStream, 0u, 0u);
  std::vector<float> number(kPattern), uniform(kPattern);
  for (float& x : number) x = rng.normal();
  for (float& x : uniform) x = rng.uniform();
  const std::size_t n = std::size_t(s.n_envs) * s.n_steps;
  const auto fill = [](auto& to, std::size_t size, std::size_t first, auto value_at) {
    to.resize(size);
    for (std::size_t k = 0; k < size; k++) to[k] = value_at((first + k) % kPattern);
  };
  fill(reward, n, 0, [&](std::size_t k) { return number[k]; });
  fill(value, n + std::size_t(s.n_envs), 1000, [&](std::size_t k) { return 3 * number[k]; });
  fill(final_value, n, 2000, [&](std::size_t k) { return 3 * number[k]; });
  fill(terminated, n, 0, [&](std::size_t k) { return uniform[k] < kEndedShare ? 1 : 0; });
  fill(truncated, n, 3000, [&](std::size_t k) { return uniform[k] < kEndedShare ? 1 : 0; });
}

GaeRequest GaeBatch::request() const {
  GaeRequest r = {};
  r.n_steps = shape.n_steps;
  r.n_envs = shape.n_envs;
  r.gamma = 0.99f;
  r.lambda = 0.95f;
  r.reward_scale = 1.0f;
  r.reward = reward.data();
  r.terminated = terminated.data();
  r.truncated = truncated.data();
  r.value = value.data();
  r.final_value = final_value.data();
  return r;
}

const char* name_of(GaeKernel kernel) {
  return kernel == GaeKernel::kSequential ? "sequential"
         : kernel == GaeKernel::kScan     ? "scan"
         : kernel == GaeKernel::kReturns  ? "returns"
                                          : "n_step";
}

// Values before a reset are read where an episode is cut, which is seldom, and do not count.
double gae_bytes_per_element(GaeShape shape, GaeKernel kernel) {
  if (kernel == GaeKernel::kReturns) return 2 * sizeof(float) + 2;
  constexpr double kRead = 2 * sizeof(float) + 2, kWritten = 2 * sizeof(float);
  return kRead + kWritten + sizeof(float) / double(shape.n_steps);  // a row of values more
}

OurGae::OurGae(Backend& backend, const GaeBatch& batch, GaeKernel kernel)
    : backend_(backend),
      shape_(batch.shape),
      kernel_(kernel),
      passes_(1),
      reward_(backend, batch.reward.size()),
      value_(backend, batch.value.size()),
      final_value_(backend, batch.final_value.size()),
      advantage_(backend, batch.reward.size()),
      target_(backend, batch.reward.size()),
      terminated_(backend, batch.terminated.size()),
      truncated_(backend, batch.truncated.size()),
      request_(batch.request()) {
  if (backend.name() != "cpu") {
    const double bytes = gae_bytes_per_element(shape_, kernel_) * shape_.elements();
    passes_ = int(std::clamp(kBytesOfARun / bytes, 1.0, kMostPasses));
  }
  reward_.upload(batch.reward);
  value_.upload(batch.value);
  final_value_.upload(batch.final_value);
  terminated_.upload(batch.terminated);
  truncated_.upload(batch.truncated);
  request_.way = kernel == GaeKernel::kScan ? GaeWay::kScan : GaeWay::kSequential;
  request_.reward = reward_.data();
  request_.terminated = terminated_.data();
  request_.truncated = truncated_.data();
  request_.value = value_.data();
  request_.final_value = final_value_.data();
  request_.advantage = advantage_.data();
  request_.target = target_.data();
}

void OurGae::call() {
  const GaeRequest& g = request_;
  if (kernel_ == GaeKernel::kReturns) {
    backend_.returns({g.n_steps, g.n_envs, g.gamma, g.reward_scale, g.reward, g.terminated,
                      g.truncated, g.value + std::size_t(g.n_steps) * g.n_envs, g.final_value,
                      g.advantage});
  } else if (kernel_ == GaeKernel::kNStep) {
    backend_.n_step({g.n_steps, g.n_envs, kBenchNStep, g.gamma, g.reward_scale, g.reward,
                     g.terminated, g.truncated, g.value, g.final_value, g.advantage, g.target});
  } else {
    backend_.gae(g);
  }
}

void OurGae::run() {
  const auto passes = [&] {
    for (int k = 0; k < passes_; k++) call();
  };
  backend_.run(passes, recording_);
  float done;
  advantage_.download(&done, 1);  // waits for the device
}

void OurGae::copy() {
  constexpr int kNoFlag = 2;
  const std::size_t n = std::size_t(shape_.n_envs) * shape_.n_steps;
  std::memcpy(advantage_.data(), reward_.data(), n * sizeof(float));
  if (kernel_ != GaeKernel::kReturns) std::memcpy(target_.data(), value_.data(), n * sizeof(float));
  if (std::memchr(terminated_.data(), kNoFlag, n) != nullptr ||
      std::memchr(truncated_.data(), kNoFlag, n) != nullptr) {
    throw internal_error("a flag of the benchmark's batch is neither 0 nor 1");
  }
}

PlainGae::PlainGae(const GaeBatch& batch, GaeKernel kernel)
    : baseline_(*kBaselines[int(processor_isa())]),
      kernel_(kernel),
      following_(batch.shape.n_envs),
      advantage_(batch.reward.size()),
      target_(batch.reward.size()),
      request_(batch.request()) {
  request_.advantage = advantage_.data();
  request_.target = target_.data();
}

}  // namespace gallop

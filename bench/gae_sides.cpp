#include "bench/gae_sides.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/rollout_sides.h"
#include "host/runtime/processor.h"
#include "kernels/random/stream.h"

extern "C" gallop::GaeBaseline gallop_gae_baseline_isa_v3;
extern "C" gallop::GaeBaseline gallop_gae_baseline_isa_v4;

namespace gallop {
namespace {

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
  r.end = shape.n_envs;
  return r;
}

// Values before a reset are read where an episode is cut, which is seldom, and do not count.
double gae_bytes_per_element(GaeShape shape) {
  constexpr double kRead = 2 * sizeof(float) + 2, kWritten = 2 * sizeof(float);
  return kRead + kWritten + sizeof(float) / double(shape.n_steps);  // a row of values more
}

OurGae::OurGae(Backend& backend, const GaeBatch& batch, GaeWay way)
    : backend_(backend),
      shape_(batch.shape),
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
    const double bytes = gae_bytes_per_element(shape_) * shape_.elements();
    passes_ = int(std::clamp(kBytesOfARun / bytes, 1.0, kMostPasses));
  }
  reward_.upload(batch.reward);
  value_.upload(batch.value);
  final_value_.upload(batch.final_value);
  terminated_.upload(batch.terminated);
  truncated_.upload(batch.truncated);
  request_.way = way;
  request_.reward = reward_.data();
  request_.terminated = terminated_.data();
  request_.truncated = truncated_.data();
  request_.value = value_.data();
  request_.final_value = final_value_.data();
  request_.advantage = advantage_.data();
  request_.target = target_.data();
}

void OurGae::run() {
  const auto passes = [&] {
    for (int k = 0; k < passes_; k++) backend_.gae(request_);
  };
  backend_.run("gae", passes, recording_);
  float done;
  advantage_.download(&done, 1);  // waits for the device
}

PlainGae::PlainGae(const GaeBatch& batch)
    : baseline_(processor_isa() == Isa::v4 ? gallop_gae_baseline_isa_v4
                                           : gallop_gae_baseline_isa_v3),
      following_(batch.shape.n_envs),
      advantage_(batch.reward.size()),
      target_(batch.reward.size()),
      request_(batch.request()) {
  request_.advantage = advantage_.data();
  request_.target = target_.data();
}

}  // namespace gallop

#include <gallop/host/learning/replay_buffer.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/runtime/environments.h>

namespace gallop {
namespace {

void require_room(const Backend& backend, long capacity, long width, long batch_size) {
  if (capacity < 1 || capacity > kMostReplayed) {
    throw value_error(
        fmt::format("buffer_size is {}; expected 1 to {} transitions", capacity, kMostReplayed));
  }
  const double bytes = (double(capacity) + double(batch_size)) * double(width) * sizeof(float);
  const double available = double(backend.available_memory());
  if (bytes <= available) return;
  constexpr double kGigabyte = 1e9;
  throw value_error(fmt::format(
      "a replay buffer of buffer_size {} takes {:.2f} GB, {} bytes a transition; {:.2f} GB are "
      "available. A smaller buffer_size takes less",
      capacity, bytes / kGigabyte, width * long(sizeof(float)), available / kGigabyte));
}

}  // namespace

ReplayBuffer::ReplayBuffer(Backend& backend, const Environments& environments, long capacity,
                           long batch_size, std::uint64_t seed)
    : ReplayBuffer(backend, environments.observation_rows(), environments.action_rows(), capacity,
                   batch_size, seed) {}

ReplayBuffer::ReplayBuffer(Backend& backend, int observation_rows, int action_rows, long capacity,
                           long batch_size, std::uint64_t seed)
    : backend_(&backend), seed_(seed) {
  const long width = replay_width(observation_rows, action_rows);
  require_room(backend, capacity, width, batch_size);
  const std::size_t b = std::size_t(batch_size);
  const std::size_t input = std::size_t(observation_rows + action_rows) * b;
  rows_ = DeviceArray<float>(backend, std::size_t(capacity) * std::size_t(width));
  state_ = DeviceArray<ReplayState>::zeroed(backend, 1);
  input_ = DeviceArray<float>::zeroed(backend, input);
  next_input_ = DeviceArray<float>::zeroed(backend, input);
  reward_ = DeviceArray<float>(backend, b);
  terminated_ = DeviceArray<float>(backend, b);
  ring_ = {rows_.data(), capacity, observation_rows, action_rows, state_.data()};
  batch_ = {batch_size, input_.data(), reward_.data(), terminated_.data(), next_input_.data()};
}

void ReplayBuffer::write(const Trajectory& rollout) {
  write(rollout, nullptr, long(rollout.n_steps) * rollout.n_envs);
}

void ReplayBuffer::write(const Trajectory& rollout, const std::vector<std::uint32_t>& kept) {
  if (kept.empty()) return;
  if (order_.size() < kept.size()) order_ = DeviceArray<std::uint32_t>(*backend_, kept.size());
  order_.upload(kept.data(), kept.size());
  write(rollout, order_.data(), long(kept.size()));
}

void ReplayBuffer::write(const Trajectory& t, const std::uint32_t* order, long count) {
  if (count > capacity()) {
    throw value_error(fmt::format(
        "{} transitions at once into a replay buffer of buffer_size {}; expected at most as many",
        count, capacity()));
  }
  backend_->replay_write({ring_, t.n_steps, t.n_envs, t.observation, t.action, t.reward,
                          t.terminated, t.truncated, t.final_observation, order, count});
  size_ = std::min(capacity(), size_ + count);
  written_ += std::uint64_t(count);
}

void ReplayBuffer::draw() const {
  if (size_ == 0) throw internal_error("a batch of an empty replay buffer");
  backend_->replay_draw({ring_, seed_, batch_.count, input_.data(), reward_.data(),
                         terminated_.data(), next_input_.data()});
}

void ReplayBuffer::save(TensorFile& file) const {
  const std::uint64_t width = std::uint64_t(replay_width(ring_));
  std::vector<float> rows(std::size_t(size_) * width);
  rows_.download(rows.data(), rows.size());
  ReplayState state;
  state_.download(&state, 1);
  file.put<float>("replay/transitions", {std::uint64_t(size_), width}, rows);
  file.put_scalar<std::uint64_t>("replay/next", std::uint64_t(state.next));
  file.put_scalar<std::uint64_t>("replay/written", written_);
  file.put_scalar<std::uint64_t>("replay/draws", state.draws);
}

void ReplayBuffer::load(const TensorFile& file, std::uint64_t most) {
  const std::uint64_t width = std::uint64_t(replay_width(ring_));
  const TensorShape& shape = file.tensor("replay/transitions").shape;
  if (shape.size() != 2 || shape[0] > std::uint64_t(capacity()) || shape[1] != width) {
    throw checkpoint_error(
        fmt::format("tensor 'replay/transitions' has the shape {}; expected [n, {}] with n at most "
                    "the {} of buffer_size",
                    shape_text(shape), width, capacity()));
  }
  std::vector<float> rows(shape[0] * width);
  file.get<float>("replay/transitions", shape, std::span<float>(rows));
  const auto bad =
      std::find_if(rows.begin(), rows.end(), [](float x) { return !std::isfinite(x); });
  if (bad != rows.end()) {
    throw checkpoint_error(fmt::format(
        "tensor 'replay/transitions': number {} of transition {} is {}; expected finite numbers",
        (bad - rows.begin()) % long(width), (bad - rows.begin()) / long(width), *bad));
  }
  const std::uint64_t written = checked_count(file, "replay/written", most, "transitions");
  const std::uint64_t next = checked_count(file, "replay/next", std::uint64_t(capacity() - 1),
                                           "the places of the replay buffer");
  if (shape[0] != std::min(written, std::uint64_t(capacity())) ||
      next != written % std::uint64_t(capacity())) {
    throw checkpoint_error(fmt::format(
        "tensor 'replay/written' is {}, which does not make {} transitions of which the "
        "next is written to place {}, as 'replay/transitions' and 'replay/next' say",
        written, shape[0], next));
  }
  const ReplayState state = {
      std::int64_t(shape[0]), std::int64_t(next),
      checked_count(file, "replay/draws", ~std::uint64_t(0) >> 1, "batches")};
  rows_.upload(rows.data(), rows.size());
  state_.upload(&state, 1);
  size_ = long(shape[0]);
  written_ = written;
}

}  // namespace gallop

// kernels/replay/replay.h through host/learning/replay_buffer.h: what is kept of a rollout, which
// is replaced, what is drawn, and what a checkpoint holds.
#include <gallop/host/learning/replay_buffer.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include <gallop/host/files/tensor_file.h>
#include "tests/cuda/subject.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

constexpr int kT = 3, kN = 4, kO = 2, kA = 1;

// Number k of transition (t, i): observations are 100 t + 10 i + component, plus 1000 * block.
struct Rollout {
  std::vector<float> observation, action, reward, final_observation;
  std::vector<std::uint8_t> terminated, truncated;
  DeviceArray<float> on_observation, on_action, on_reward, on_final;
  DeviceArray<std::uint8_t> on_terminated, on_truncated;

  Rollout(Backend& backend, float block) {
    for (int t = 0; t <= kT; t++) {
      for (int k = 0; k < kO; k++) {
        for (int i = 0; i < kN; i++) observation.push_back(block + 100.0f * t + 10.0f * i + k);
      }
    }
    for (int t = 0; t < kT; t++) {
      for (int i = 0; i < kN; i++) {
        action.push_back(block + 0.5f + t * kN + i);
        reward.push_back(-(block + t * kN + i));
        terminated.push_back(t == 1 && (i == 1 || i == 3));
        truncated.push_back(t == 1 && (i == 2 || i == 3));
      }
    }
    for (int t = 0; t < kT; t++) {
      for (int k = 0; k < kO; k++) {
        for (int i = 0; i < kN; i++) {
          const bool ended = t == 1 && i > 0;
          final_observation.push_back(ended ? block + 7000.0f + 10.0f * i + k : NAN);
        }
      }
    }
    on_observation = uploaded(backend, observation);
    on_action = uploaded(backend, action);
    on_reward = uploaded(backend, reward);
    on_final = uploaded(backend, final_observation);
    on_terminated = uploaded(backend, terminated);
    on_truncated = uploaded(backend, truncated);
  }
  Trajectory trajectory() const {
    Trajectory t = {};
    t.n_steps = kT;
    t.n_envs = kN;
    t.observation = on_observation.data();
    t.action = on_action.data();
    t.reward = on_reward.data();
    t.terminated = on_terminated.data();
    t.truncated = on_truncated.data();
    t.final_observation = on_final.data();
    return t;
  }
};

std::vector<float> rows_of(const ReplayBuffer& buffer) {
  TensorFile file;
  buffer.save(file);
  const Tensor& tensor = file.tensor("replay/transitions");
  std::vector<float> rows(tensor.bytes.size() / sizeof(float));
  file.get<float>("replay/transitions", tensor.shape, std::span<float>(rows));
  return rows;
}

TEST(Replay, ATerminationEndsAndATimeLimitDoesNot) {
  const auto backend = make_cpu_backend(1);
  const Rollout rollout(*backend, 0);
  ReplayBuffer buffer(*backend, kO, kA, 20, 4, 1);
  buffer.write(rollout.trajectory());
  const std::vector<float> rows = rows_of(buffer);
  ASSERT_EQ(buffer.size(), kT * kN);
  for (int t = 0; t < kT; t++) {
    for (int i = 0; i < kN; i++) {
      const float* const row = rows.data() + (t * kN + i) * 7;
      const bool ended = t == 1 && i > 0;
      for (int k = 0; k < kO; k++) {
        EXPECT_EQ(row[k], 100 * t + 10 * i + k);
        EXPECT_EQ(row[5 + k], ended ? 7000 + 10 * i + k : 100 * (t + 1) + 10 * i + k) << t << i;
      }
      EXPECT_EQ(row[2], 0.5f + t * kN + i);
      EXPECT_EQ(row[3], -(t * kN + i));
      // A time limit alone (i = 2) does not end the task; both at once (i = 3) do.
      EXPECT_EQ(row[4], t == 1 && (i == 1 || i == 3) ? 1 : 0) << t << i;
    }
  }
}

TEST(Replay, TheOldestAreReplaced) {
  const auto backend = make_cpu_backend(1);
  ReplayBuffer buffer(*backend, kO, kA, 17, 4, 1);
  const Rollout first(*backend, 0), second(*backend, 10000), third(*backend, 20000);
  buffer.write(first.trajectory());
  buffer.write(second.trajectory());
  EXPECT_EQ(buffer.size(), 17);
  buffer.write(third.trajectory(), {5, 2});
  EXPECT_EQ(buffer.written(), 26u);
  const std::vector<float> rows = rows_of(buffer);
  // Places 0 to 6 have the second block's 5 to 11, then come 5 and 2 of the third.
  const auto reward = [&](int place) { return rows[place * 7 + 3]; };
  for (int k = 0; k < 7; k++) EXPECT_EQ(reward(k), -(10000.0f + 5 + k));
  EXPECT_EQ(reward(7), -20005.0f);
  EXPECT_EQ(reward(8), -20002.0f);
  for (int k = 9; k < 12; k++) EXPECT_EQ(reward(k), -float(k));
  for (int k = 12; k < 17; k++) EXPECT_EQ(reward(k), -(10000.0f + k - 12));
}

// 12 transitions, 60000 draws: each count is binomial with deviation 68; five deviations.
TEST(Replay, DrawsAreUniformAndWholeTransitions) {
  const auto backend = make_cpu_backend(2);
  const Rollout rollout(*backend, 0);
  const long b = 600;
  ReplayBuffer buffer(*backend, kO, kA, 1000, b, 7);
  buffer.write(rollout.trajectory());
  std::vector<int> count(kT * kN, 0);
  std::vector<float> input(3 * b), reward(b), terminated(b), next(3 * b), before;
  for (int k = 0; k < 100; k++) {
    buffer.draw();
    const ReplayBatch& batch = buffer.batch();
    backend->to_host(input.data(), batch.input, sizeof(float) * 3 * b);
    backend->to_host(next.data(), batch.next_input, sizeof(float) * 3 * b);
    backend->to_host(reward.data(), batch.reward, sizeof(float) * b);
    backend->to_host(terminated.data(), batch.terminated, sizeof(float) * b);
    EXPECT_NE(reward, before) << "batches differ";
    before = reward;
    for (long s = 0; s < b; s++) {
      const int id = int(-reward[s]), t = id / kN, i = id % kN;
      count[id]++;
      ASSERT_EQ(input[s], 100 * t + 10 * i);
      ASSERT_EQ(input[b + s], 100 * t + 10 * i + 1);
      ASSERT_EQ(input[2 * b + s], 0.5f + id);
      ASSERT_EQ(terminated[s], t == 1 && (i == 1 || i == 3) ? 1 : 0);
      ASSERT_EQ(next[s], t == 1 && i > 0 ? 7000 + 10 * i : 100 * (t + 1) + 10 * i);
    }
  }
  for (const int n : count) EXPECT_NEAR(n, 5000, 5 * 68);
}

TEST(Replay, ACheckpointGoesOnWithTheSameBatches) {
  const auto backend = make_cpu_backend(1);
  const Rollout first(*backend, 0), second(*backend, 10000);
  ReplayBuffer buffer(*backend, kO, kA, 15, 8, 3), other(*backend, kO, kA, 15, 8, 3);
  buffer.write(first.trajectory());
  buffer.draw();
  TensorFile file;
  buffer.save(file);
  other.load(file, 12);
  for (ReplayBuffer* const each : {&buffer, &other}) {
    each->write(second.trajectory());
    each->draw();
  }
  EXPECT_EQ(rows_of(buffer), rows_of(other));
  std::vector<float> a(8), b(8);
  backend->to_host(a.data(), buffer.batch().reward, sizeof(float) * 8);
  backend->to_host(b.data(), other.batch().reward, sizeof(float) * 8);
  EXPECT_EQ(a, b);
}

TEST(Replay, WhatCannotBeIsRefused) {
  const auto backend = make_cpu_backend(1);
  const Rollout rollout(*backend, 0);
  test::expect_error_with(
      ExitCode::value, [&] { ReplayBuffer(*backend, kO, kA, 0, 4, 1); }, "buffer_size is 0");
  test::expect_error_with(
      ExitCode::value, [&] { ReplayBuffer(*backend, 4000, kA, kMostReplayed, 4, 1); },
      "GB are available");
  ReplayBuffer buffer(*backend, kO, kA, 11, 4, 1);
  test::expect_error_with(
      ExitCode::internal, [&] { buffer.draw(); }, "empty replay buffer");
  test::expect_error_with(
      ExitCode::value, [&] { buffer.write(rollout.trajectory()); }, "12 transitions at once");
  buffer.write(rollout.trajectory(), {0, 1, 2});
  TensorFile file;
  buffer.save(file);
  ReplayBuffer small(*backend, kO, kA, 2, 4, 1);
  test::expect_error_with(
      ExitCode::checkpoint, [&] { small.load(file, 3); },
      "'replay/transitions' has the shape [3, 7]");
  test::expect_error_with(
      ExitCode::checkpoint, [&] { buffer.load(file, 2); }, "replay/written");
  TensorFile wrong;
  std::vector<float> rows(21, 0.0f);
  rows[9] = NAN;
  wrong.put<float>("replay/transitions", {3, 7}, std::span<const float>(rows));
  test::expect_error_with(
      ExitCode::checkpoint, [&] { buffer.load(wrong, 3); }, "number 2 of transition 1 is nan");
}

}  // namespace
}  // namespace gallop::testing

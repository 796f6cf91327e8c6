// A batch of recorded transitions, made up, on any backend, for the kernels of the learner.
#pragma once

#include "tests/cuda/subject.h"

namespace gallop::testing {

struct BatchCase {
  int n_steps = 20, n_envs = 33;
  int observation_rows = 4;
  int action_rows = 1;
  int n_actions = 2;  // categories, or 0 for continuous components
  float ended_share = 0.1f;
  std::uint32_t seed = 5;
};

struct RecordedBatch {
  BatchCase shape;
  DeviceArray<float> observation, action, log_prob, reward, value, final_value, final_observation;
  DeviceArray<float> advantage, target;
  DeviceArray<std::uint8_t> terminated, truncated;

  RecordedBatch(Backend& backend, const BatchCase& batch) : shape(batch) {
    Numbers numbers(batch.seed);
    const std::size_t n = batch.n_envs, t = batch.n_steps, o = batch.observation_rows;
    observation = uploaded(backend, numbers.many((t + 1) * o * n, -1.5f, 1.5f));
    std::vector<float> actions = numbers.many(t * batch.action_rows * n, -1.0f, 1.0f);
    if (batch.n_actions > 0) {
      for (float& a : actions) a = float(numbers.word() % unsigned(batch.n_actions));
    }
    action = uploaded(backend, actions);
    log_prob = uploaded(backend, numbers.many(t * n, -1.2f, -0.3f));
    reward = uploaded(backend, numbers.many(t * n, -1.0f, 1.0f));
    value = uploaded(backend, numbers.many((t + 1) * n, -2.0f, 2.0f));
    final_value = uploaded(backend, numbers.many(t * n, -2.0f, 2.0f));
    final_observation = uploaded(backend, numbers.many(t * o * n, -1.5f, 1.5f));
    advantage = uploaded(backend, numbers.many(t * n, -2.0f, 2.0f));
    target = uploaded(backend, numbers.many(t * n, -2.0f, 2.0f));
    terminated = uploaded(backend, numbers.flags(t * n, batch.ended_share));
    truncated = uploaded(backend, numbers.flags(t * n, batch.ended_share));
  }

  Samples samples(const std::uint32_t* order, long count) const {
    return {shape.n_envs,
            shape.observation_rows,
            shape.action_rows,
            observation.data(),
            action.data(),
            log_prob.data(),
            advantage.data(),
            target.data(),
            order,
            count};
  }
};

}  // namespace gallop::testing

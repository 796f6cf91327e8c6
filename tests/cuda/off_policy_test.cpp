// Operations of off-policy learners on the subject, against the CPU bit for bit: replay, actions,
// targets, noise, averages, and the gradient of a policy through Q networks.
#include <gallop/kernels/off_policy/q_policy_gradient.h>

#include <cmath>

#include "tests/cuda/rollout_case.h"
#include "tests/cuda/subject.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

using Results = std::vector<std::vector<float>>;

// What `run` gives on both backends, and on the subject in every order of threads.
void expect_equal(const std::function<Results(Backend&)>& run) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const Results expected = run(*cpu);
  for (const std::vector<float>& values : expected) EXPECT_FALSE(untouched(values));
  in_every_order([&] {
    const Results actual = run(*subject);
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t k = 0; k < expected.size(); k++) {
      EXPECT_TRUE(same_bits(expected[k], actual[k])) << "result " << k;
    }
  });
}

DeviceArray<ReplayState> state_of(Backend& backend, const ReplayState& state) {
  DeviceArray<ReplayState> array(backend, 1);
  array.upload(&state, 1);
  return array;
}

Results run_replay(Backend& backend, long capacity, long batch, bool ordered) {
  const int t = 5, n = 7, o = 3, a = 2;
  Numbers numbers(5);
  const std::size_t samples = std::size_t(t) * n;
  const auto observation = uploaded(backend, numbers.many((samples + n) * o, -1, 1));
  const auto action = uploaded(backend, numbers.many(samples * a, -1, 1));
  const auto reward = uploaded(backend, numbers.many(samples, -1, 1));
  const auto final_observation = uploaded(backend, numbers.many(samples * o, 2, 3));
  const auto terminated = uploaded(backend, numbers.flags(samples, 0.2f));
  const auto truncated = uploaded(backend, numbers.flags(samples, 0.2f));
  std::vector<std::uint32_t> kept;
  for (std::uint32_t k = 0; k < samples; k += 2) kept.push_back(k);
  const auto order = uploaded(backend, kept);
  const auto rows = poisoned<float>(backend, std::size_t(capacity * replay_width(o, a)) + 3);
  const auto state = state_of(backend, {0, capacity - 4, 11});
  const ReplayRing ring = {rows.data(), capacity, o, a, state.data()};
  ReplayWriteRequest write = {ring,
                              t,
                              n,
                              observation.data(),
                              action.data(),
                              reward.data(),
                              terminated.data(),
                              truncated.data(),
                              final_observation.data(),
                              ordered ? order.data() : nullptr,
                              ordered ? long(kept.size()) : long(samples)};
  backend.replay_write(write);
  const auto input = poisoned<float>(backend, std::size_t((o + a) * batch) + 3);
  const auto next = poisoned<float>(backend, std::size_t((o + a) * batch) + 3);
  const auto rewards = poisoned<float>(backend, std::size_t(batch) + 3);
  const auto ends = poisoned<float>(backend, std::size_t(batch) + 3);
  // Of a ring that is not full, only what was written.
  const ReplayState written = {10, 3, 11};
  DeviceArray<ReplayState> drawn_from = state_of(backend, written);
  ReplayRing from = ring;
  if (!ordered) from.state = drawn_from.data();
  if (ordered) {
    ReplayState now;
    state.download(&now, 1);
    EXPECT_EQ(now.size, long(kept.size()));
    EXPECT_EQ(now.next, (capacity - 4 + long(kept.size())) % capacity);
    now.size = 10;
    drawn_from.upload(&now, 1);
    from.state = drawn_from.data();
  }
  backend.replay_draw({from, 99, batch, input.data(), rewards.data(), ends.data(), next.data()});
  ReplayState after;
  drawn_from.download(&after, 1);
  EXPECT_EQ(after.draws, 12u);
  return {rows.download(), input.download(), rewards.download(), ends.download(), next.download()};
}

TEST(OffPolicy, Replay) {
  for (const bool ordered : {false, true}) {
    for (const long batch : {1L, 64L, 77L, 300L}) {
      SCOPED_TRACE(batch);
      expect_equal([&](Backend& backend) { return run_replay(backend, 41, batch, ordered); });
    }
  }
}

PolicyShape policy_shape(Head head, int n_in, int n_actions, std::vector<int> hidden,
                         Activation activation) {
  PolicyShape shape = {};
  shape.head = head;
  shape.n_actions = n_actions;
  shape.network.hidden = activation;
  int layer = 0;
  shape.network.width[layer++] = n_in;
  for (const int width : hidden) shape.network.width[layer++] = width;
  shape.network.n_layers = layer;
  shape.network.width[layer] = head_outputs(head, n_actions);
  return shape;
}

TEST(OffPolicy, ActionsTargetsNoiseAndAverages) {
  for (const Head head :
       {Head::kSquashedGaussian, Head::kSquashedDeterministic, Head::kDeterministic}) {
    for (const long n : {1L, 16L, 131L}) {
      SCOPED_TRACE(::testing::Message() << "head " << int(head) << " n " << n);
      expect_equal([&](Backend& backend) -> Results {
        const PolicyShape shape = policy_shape(head, 3, 3, {}, Activation::kTanh);
        const auto parameters = uploaded(backend, parameters_of(shape, 17, 1.0f));
        Numbers numbers(3);
        const std::size_t outputs = std::size_t(outputs_of(shape.network) * n);
        const auto output = uploaded(backend, numbers.many(outputs, -3, 3));
        const auto state = state_of(backend, {5, 5, (std::uint64_t(3) << 32) + 7});
        const auto action = poisoned<float>(backend, std::size_t(3 * n) + 3);
        const auto log_prob = poisoned<float>(backend, std::size_t(n) + 3);
        const float smoothing = head == Head::kSquashedDeterministic ? 0.3f : 0.0f;
        backend.sample_actions({shape,
                                parameters.data(),
                                {77, state.data(), 1},
                                smoothing,
                                0.4f,
                                n,
                                output.data(),
                                action.data(),
                                log_prob.data()});
        const auto q1 = uploaded(backend, numbers.many(std::size_t(n), -3, 3));
        const auto q2 = uploaded(backend, numbers.many(std::size_t(n), -3, 3));
        const auto alpha = uploaded(backend, std::vector<float>{-1.5f});
        const auto ends = uploaded(backend, numbers.many(std::size_t(n), 0, 1));
        const auto target = poisoned<float>(backend, std::size_t(n) + 3);
        backend.q_targets({n, q2.data(), ends.data(), q1.data(), q2.data(), log_prob.data(),
                           alpha.data(), 0.97f, 0.1f, target.data()});
        backend.polyak({q1.data(), q2.data(), 0.3f, n});
        const std::size_t words = std::size_t(n + 15) / 16 * 16;
        std::vector<std::uint32_t> episodes(words);
        std::vector<std::int32_t> steps(words);
        for (std::size_t k = 0; k < words; k++) {
          episodes[k] = numbers.word() % 5;
          steps[k] = std::int32_t(numbers.word() % 3);
        }
        const auto episode = uploaded(backend, episodes);
        const auto step = uploaded(backend, steps);
        const auto process = uploaded(backend, numbers.many(std::size_t(3 * n), -1, 1));
        const auto range = uploaded(backend, std::vector<float>{1, 2, 3, 0, 0.5f, -1});
        const auto noisy = uploaded(backend, numbers.many(std::size_t(3 * n), -1, 1));
        backend.ou_noise({n,
                          3,
                          0.15f,
                          0.2f,
                          0.5f,
                          range.data(),
                          range.data() + 3,
                          5,
                          {9, nullptr},
                          episode.data(),
                          step.data(),
                          process.data(),
                          noisy.data()});
        return {action.download(), log_prob.download(), target.download(),
                q1.download(),     process.download(),  noisy.download()};
      });
    }
  }
}

struct QCase {
  Head head = Head::kSquashedGaussian;
  std::vector<int> hidden = {17}, critic = {33, 12};
  Activation activation = Activation::kRelu;
  long count = 140;
  int n_in = 5, n_actions = 2;
  bool two = true, temperature = true;
};

Results run_gradient(Backend& backend, const QCase& c) {
  const PolicyShape shape = policy_shape(c.head, c.n_in, c.n_actions, c.hidden, c.activation);
  PolicyShape critic =
      policy_shape(Head::kDeterministic, c.n_in + c.n_actions, 1, c.critic, c.activation);
  const auto parameters = uploaded(backend, parameters_of(shape, 17, 1.0f));
  const auto q1 = uploaded(backend, parameters_of(critic, 18, 1.0f));
  const auto q2 = uploaded(backend, parameters_of(critic, 19, 1.0f));
  const auto alpha = uploaded(backend, std::vector<float>{-0.7f});
  const auto state = state_of(backend, {5, 5, 12});
  Numbers numbers(4);
  const auto observation =
      uploaded(backend, numbers.many(std::size_t(c.n_in * c.count), -1.0f, 1.0f));
  const auto gradient =
      poisoned<float>(backend, std::size_t(parameter_count(shape)) + kQPolicyStatistics + 3);
  QPolicyGradientRequest r = {};
  r.policy = {shape, parameters.data(), {}};
  r.samples.n_envs = int(c.count);
  r.samples.observation_rows = c.n_in;
  r.samples.observation = observation.data();
  r.samples.count = c.count;
  r.critic = critic.network;
  r.critic1 = q1.data();
  r.critic2 = c.two ? q2.data() : nullptr;
  r.noise = {31, state.data(), 1};
  r.log_alpha = c.temperature ? alpha.data() : nullptr;
  r.target_entropy = -1.5f;
  r.weight = 1.0f / float(c.count);
  r.gradient = gradient.data();
  backend.q_policy_gradient(r);
  return {gradient.download()};
}

TEST(OffPolicy, GradientOfThePolicy) {
  std::vector<QCase> cases(9);
  cases[1].count = 1;
  cases[2].count = 128;
  cases[3].two = false;
  cases[4].head = Head::kSquashedDeterministic;
  cases[5].head = Head::kDeterministic;
  cases[5].hidden = {};
  cases[5].critic = {};
  cases[6].activation = Activation::kTanh;
  cases[6].temperature = false;
  cases[7].hidden = {64, 64};
  cases[7].critic = {64, 64};
  cases[8].hidden = cases[8].critic = {300};  // beyond the shared memory of a block
  cases[8].count = 129;
  for (std::size_t k = 0; k < cases.size(); k++) {
    SCOPED_TRACE(k);
    expect_equal([&](Backend& backend) { return run_gradient(backend, cases[k]); });
  }
}

TEST(OffPolicy, WhatCannotBeIsRefused) {
  const auto check = [](Backend& backend) {
    QCase c;
    c.head = Head::kGaussian;
    test::expect_error_with(
        ExitCode::value, [&] { run_gradient(backend, c); }, "no draw of its own");
    QTargetsRequest targets = {};
    const auto one = uploaded(backend, std::vector<float>{1});
    targets.log_prob = one.data();
    test::expect_error_with(
        ExitCode::value, [&] { backend.q_targets(targets); }, "both or none");
    SampleActionsRequest sample = {};
    sample.shape.head = Head::kSquashedGaussian;
    sample.smoothing = 0.1f;
    test::expect_error_with(
        ExitCode::value, [&] { backend.sample_actions(sample); }, "smoothing");
    ReplayWriteRequest write = {};
    write.count = 1;
    test::expect_error_with(
        ExitCode::value, [&] { backend.replay_write(write); }, "the ring");
    PolicyGradientRequest likelihood = {};
    likelihood.policy.shape.head = Head::kSquashedGaussian;
    likelihood.policy.shape.n_actions = 1;
    test::expect_error_with(
        ExitCode::value, [&] { backend.policy_gradient(likelihood); }, "likelihood ratios");
  };
  check(*make_cpu_backend(1));
  check(*make_subject());
}

}  // namespace
}  // namespace gallop::testing

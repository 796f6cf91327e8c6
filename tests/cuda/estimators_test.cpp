// Values, advantages, returns, moments and the minibatch order on the subject, against the CPU.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/cuda/learner_case.h"
#include "tests/cuda/rollout_case.h"

namespace gallop::testing {
namespace {

struct GaeResult {
  std::vector<float> advantage, target;
};

GaeResult run_gae(Backend& backend, const BatchCase& batch, bool with_target,
                  GaeWay way = GaeWay::kByLength) {
  const RecordedBatch b(backend, batch);
  const std::size_t n = std::size_t(batch.n_steps) * batch.n_envs;
  const auto advantage = poisoned<float>(backend, n), target = poisoned<float>(backend, n);
  GaeRequest r = {};
  r.n_steps = batch.n_steps;
  r.n_envs = batch.n_envs;
  r.gamma = 0.99f;
  r.lambda = 0.95f;
  r.reward_scale = 0.1f;
  r.reward = b.reward.data();
  r.terminated = b.terminated.data();
  r.truncated = b.truncated.data();
  r.value = b.value.data();
  r.final_value = b.final_value.data();
  r.advantage = advantage.data();
  r.target = with_target ? target.data() : nullptr;
  r.way = way;
  backend.gae(r);
  return {advantage.download(), target.download()};
}

TEST(Gae, BothKernelsAtEveryLength) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const int n_steps : {1, 2, 31, 255, 256, 257, 287, 288, 511, 512, 513, 1000}) {
    for (const int n_envs : {1, 33, 64}) {
      BatchCase batch;
      batch.n_steps = n_steps;
      batch.n_envs = n_envs;
      batch.ended_share = n_envs == 1 ? 0.0f : 0.02f;
      SCOPED_TRACE(::testing::Message() << "T " << n_steps << " N " << n_envs);
      const GaeResult expected = run_gae(*cpu, batch, n_envs != 33);
      const GaeResult actual = run_gae(*subject, batch, n_envs != 33);
      EXPECT_TRUE(same_bits(expected.advantage, actual.advantage));
      EXPECT_TRUE(same_bits(expected.target, actual.target));
      EXPECT_EQ(untouched(actual.target), n_envs == 33);
    }
  }
}

// What a benchmark may ask for: a kernel at a length of which the other is taken.
TEST(Gae, EitherKernelWhereItIsAskedFor) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (const int n_steps : {1, 40, 255, 256, 300}) {
    BatchCase batch;
    batch.n_steps = n_steps;
    batch.n_envs = 37;
    SCOPED_TRACE(::testing::Message() << "T " << n_steps);
    const GaeResult taken = run_gae(*subject, batch, true);
    for (const GaeWay way : {GaeWay::kSequential, GaeWay::kScan}) {
      const GaeResult expected = run_gae(*cpu, batch, true, way);
      const GaeResult actual = run_gae(*subject, batch, true, way);
      EXPECT_TRUE(same_bits(expected.advantage, actual.advantage));
      EXPECT_TRUE(same_bits(expected.target, actual.target));
      if ((way == GaeWay::kScan) == (n_steps >= kGaeScanSteps)) {
        EXPECT_TRUE(same_bits(taken.advantage, actual.advantage));
      } else if (n_steps > kGaeChunk) {
        EXPECT_FALSE(same_bits(taken.advantage, actual.advantage)) << "the same kernel ran";
      }
    }
  }
}

TEST(Gae, ScanInEveryOrderOfThreads) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  BatchCase batch;
  batch.n_steps = 600;
  batch.n_envs = 40;
  const GaeResult expected = run_gae(*cpu, batch, true);
  in_every_order([&] {
    const GaeResult actual = run_gae(*subject, batch, true);
    EXPECT_TRUE(same_bits(expected.advantage, actual.advantage));
    EXPECT_TRUE(same_bits(expected.target, actual.target));
  });
}

std::vector<float> run_returns(Backend& backend, const BatchCase& batch, bool with_values) {
  const RecordedBatch b(backend, batch);
  const auto returns = poisoned<float>(backend, std::size_t(batch.n_steps) * batch.n_envs);
  ReturnsRequest r = {};
  r.n_steps = batch.n_steps;
  r.n_envs = batch.n_envs;
  r.gamma = 0.97f;
  r.reward_scale = 1.0f;
  r.reward = b.reward.data();
  r.terminated = b.terminated.data();
  r.truncated = b.truncated.data();
  r.last_value = with_values ? b.value.data() : nullptr;
  r.final_value = with_values ? b.final_value.data() : nullptr;
  r.returns = returns.data();
  backend.returns(r);
  return returns.download();
}

TEST(Returns, WithAndWithoutValues) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const int n_steps : {1, 50}) {
    for (const bool with_values : {false, true}) {
      BatchCase batch;
      batch.n_steps = n_steps;
      batch.n_envs = 131;
      EXPECT_TRUE(same_bits(run_returns(*cpu, batch, with_values),
                            run_returns(*subject, batch, with_values)));
    }
  }
}

NetworkShape network(const std::vector<int>& width, Activation hidden = Activation::kTanh) {
  NetworkShape shape = {};
  shape.kind = NetworkKind::kMlp;
  shape.hidden = hidden;
  shape.n_layers = int(width.size()) - 1;
  for (std::size_t l = 0; l < width.size(); l++) shape.width[l] = width[l];
  return shape;
}

struct ValuesResult {
  std::vector<float> value, final_value;
};

ValuesResult run_values(Backend& backend, const NetworkShape& shape, const BatchCase& batch,
                        Arithmetic arithmetic = Arithmetic::kStrict) {
  const RecordedBatch b(backend, batch);
  const auto parameters =
      uploaded(backend, parameters_of({shape, Head::kDeterministic, 1}, 9, 1.0f));
  Numbers numbers(2);
  const auto mean = uploaded(backend, numbers.many(batch.observation_rows, -0.1f, 0.1f));
  const auto scale = uploaded(backend, numbers.many(batch.observation_rows, 0.5f, 2.0f));
  const Normalization by = {mean.data(), scale.data(), 2.0f};
  const std::size_t n = batch.n_envs, t = batch.n_steps;
  const auto value = poisoned<float>(backend, (t + 1) * n);
  const auto final_value = poisoned<float>(backend, t * n);
  backend.values({shape, parameters.data(), by, batch.n_steps + 1, batch.n_envs,
                  b.observation.data(), value.data(), nullptr, nullptr, 1, arithmetic});
  backend.values({shape, parameters.data(), by, batch.n_steps, batch.n_envs,
                  b.final_observation.data(), final_value.data(), b.terminated.data(),
                  b.truncated.data()});
  // Of rows that two steps share.
  const auto shared = poisoned<float>(backend, t * n);
  backend.values({shape, parameters.data(), by, batch.n_steps, batch.n_envs,
                  b.final_observation.data(), shared.data(), b.terminated.data(),
                  b.truncated.data(), 2});
  std::vector<float> final_values = final_value.download();
  for (const float x : shared.download()) final_values.push_back(x);
  return {value.download(), final_values};
}

TEST(Values, EveryShapeAndBatch) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const auto& width :
       {std::vector<int>{4, 1}, std::vector<int>{4, 64, 64, 1}, std::vector<int>{4, 7, 130, 1}}) {
    for (const int n_envs : {1, 5, 70}) {
      for (const float share : {0.0f, 0.05f}) {
        BatchCase batch;
        batch.n_envs = n_envs;
        batch.n_steps = 7;
        batch.ended_share = share;
        const ValuesResult expected = run_values(*cpu, network(width), batch);
        const ValuesResult actual = run_values(*subject, network(width), batch);
        EXPECT_TRUE(same_bits(expected.value, actual.value)) << n_envs;
        EXPECT_TRUE(same_bits(expected.final_value, actual.final_value)) << n_envs;
        EXPECT_TRUE(share > 0.0f || untouched(actual.final_value));
      }
    }
  }
}

// Mode fast rounds operands to TF32, but for tables and for networks beyond shared memory.
TEST(Values, OfModeFastAreClose) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const auto& width : {std::vector<int>{4, 1}, std::vector<int>{4, 64, 64, 1},
                            std::vector<int>{4, 7, 130, 1}, std::vector<int>{4, 600, 1}}) {
    for (const int n_envs : {1, 5, 70, 300}) {
      BatchCase batch;
      batch.n_envs = n_envs;
      batch.n_steps = 7;
      const ValuesResult expected = run_values(*cpu, network(width), batch);
      const ValuesResult actual = run_values(*subject, network(width), batch, Arithmetic::kFast);
      double greatest = 0;
      for (std::size_t k = 0; k < expected.value.size(); k++) {
        greatest = std::max(greatest, std::abs(double(expected.value[k]) - actual.value[k]));
      }
      EXPECT_LT(greatest, 5e-3) << n_envs << " of width " << width[1];
      EXPECT_EQ(greatest == 0.0, width[1] == 600) << width[1];
      EXPECT_TRUE(same_bits(expected.final_value, actual.final_value));
    }
  }
}

TEST(Moments, EqualForAnyLayoutAndSize) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  Numbers numbers(21);
  for (const long n : {1L, 2L, 255L, 257L, 3001L}) {
    for (const long rows : {1L, 3L}) {
      const std::vector<float> x = numbers.many(std::size_t(rows * (n + 2)), -3.0f, 1e4f);
      const auto on_cpu = uploaded(*cpu, x), on_subject = uploaded(*subject, x);
      const Moments expected = moments(*cpu, on_cpu.data(), rows, n, n + 2);
      in_every_order([&] {
        const Moments actual = moments(*subject, on_subject.data(), rows, n, n + 2);
        EXPECT_EQ(expected.mean, actual.mean);
        EXPECT_EQ(expected.sum_of_squares, actual.sum_of_squares);
        EXPECT_EQ(expected.count, actual.count);
      });
      EXPECT_EQ(norm(*cpu, on_cpu.data(), n), norm(*subject, on_subject.data(), n));
    }
  }
}

TEST(Moments, OfZerosAndOfWhatIsNotFinite) {
  const auto subject = make_subject();
  std::vector<float> x(300, 0.0f);
  const auto zeros = uploaded(*subject, x);
  EXPECT_EQ(moments(*subject, zeros.data(), 1, 300, 300).sum_of_squares, 0.0);
  EXPECT_EQ(norm(*subject, zeros.data(), 300), 0.0);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), HUGE_VALF, -HUGE_VALF}) {
    x[299] = bad;
    const auto with_bad = uploaded(*subject, x);
    EXPECT_TRUE(std::isnan(moments(*subject, with_bad.data(), 1, 300, 300).mean));
    EXPECT_TRUE(std::isnan(norm(*subject, with_bad.data(), 300)));
  }
}

TEST(Standardize, EqualsTheCpu) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const std::vector<float> x = Numbers(4).many(777, -5.0f, 3.0f);
  const auto a = uploaded(*cpu, x), b = uploaded(*subject, x);
  cpu->standardize({a.data(), 776, -1.25f, 0.37f});
  subject->standardize({b.data(), 776, -1.25f, 0.37f});
  EXPECT_TRUE(same_bits(a.download(), b.download()));
  EXPECT_EQ(b.download().back(), x.back());
}

TEST(Shuffle, EqualsTheCpuAndIsAPermutation) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  for (const long n : {1L, 2L, 129L, 5000L}) {
    for (const std::uint64_t counter : {std::uint64_t(0), std::uint64_t(5) << 33 | 1}) {
      const auto a = poisoned<std::uint32_t>(*cpu, n), b = poisoned<std::uint32_t>(*subject, n);
      cpu->shuffle({42, counter, n, a.data()});
      subject->shuffle({42, counter, n, b.data()});
      std::vector<std::uint32_t> order = b.download();
      EXPECT_TRUE(same_bits(a.download(), order));
      std::sort(order.begin(), order.end());
      for (long i = 0; i < n; i++) ASSERT_EQ(order[i], std::uint32_t(i));
    }
  }
}

}  // namespace
}  // namespace gallop::testing

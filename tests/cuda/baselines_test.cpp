// n-step and path returns, ages, features, normal equations, linear values and optimal baselines on
// the subject, against the CPU bit for bit: sizes that fill no block, poisoned outputs, every order
// of threads.
#include "tests/cuda/learner_case.h"

namespace gallop::testing {
namespace {

const std::pair<int, int> kSizes[] = {{1, 1}, {1, 300}, {37, 1}, {20, 33}, {9, 257}, {130, 5}};

// Runs `operation` on both backends; it returns what it wrote.
template <class Operation>
void compare(const Operation& operation) {
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const auto expected = operation(*cpu);
  in_every_order([&] {
    const auto actual = operation(*subject);
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t k = 0; k < expected.size(); k++) {
      EXPECT_TRUE(same_bits(expected[k], actual[k])) << "output " << k;
    }
  });
}

BatchCase batch_of(const std::pair<int, int>& size, float ended_share = 0.1f) {
  BatchCase batch;
  batch.n_steps = size.first;
  batch.n_envs = size.second;
  batch.ended_share = ended_share;
  return batch;
}

using Outputs = std::vector<std::vector<float>>;

TEST(NStep, EqualsTheCpu) {
  for (const auto& size : kSizes) {
    for (const int n : {1, 4, 1000}) {
      SCOPED_TRACE(::testing::Message()
                   << "T " << size.first << " N " << size.second << " n " << n);
      compare([&](Backend& backend) {
        const BatchCase batch = batch_of(size, 0.15f);
        const RecordedBatch b(backend, batch);
        const std::size_t count = std::size_t(size.first) * size.second;
        const auto advantage = poisoned<float>(backend, count);
        const auto target = poisoned<float>(backend, count),
                   unasked = poisoned<float>(backend, count);
        NStepRequest r = {};
        r.n_steps = size.first;
        r.n_envs = size.second;
        r.n = n;
        r.gamma = 0.97f;
        r.reward_scale = 0.3f;
        r.reward = b.reward.data();
        r.terminated = b.terminated.data();
        r.truncated = b.truncated.data();
        r.value = b.value.data();
        r.final_value = b.final_value.data();
        r.advantage = advantage.data();
        r.target = target.data();
        backend.n_step(r);
        r.advantage = unasked.data();
        r.target = nullptr;
        backend.n_step(r);
        EXPECT_FALSE(untouched(target.download()));
        return Outputs{advantage.download(), target.download(), unasked.download()};
      });
    }
  }
}

TEST(PathReturns, EqualTheCpu) {
  for (const auto& size : kSizes) {
    SCOPED_TRACE(::testing::Message() << "T " << size.first << " N " << size.second);
    compare([&](Backend& backend) {
      const RecordedBatch b(backend, batch_of(size));
      const std::size_t count = std::size_t(size.first) * size.second;
      const auto path_return = poisoned<float>(backend, count);
      const auto complete = poisoned<std::uint8_t>(backend, count);
      PathReturnsRequest r = {};
      r.n_steps = size.first;
      r.n_envs = size.second;
      r.gamma = 0.9f;
      r.reward_scale = 2.0f;
      r.reward = b.reward.data();
      r.terminated = b.terminated.data();
      r.truncated = b.truncated.data();
      r.path_return = path_return.data();
      r.complete = complete.data();
      backend.path_returns(r);
      const std::vector<std::uint8_t> flags = complete.download();
      for (const std::uint8_t flag : flags) EXPECT_LE(flag, 1);
      return Outputs{path_return.download(), {flags.begin(), flags.end()}};
    });
  }
}

TEST(Ages, EqualTheCpuAndDiscountAlike) {
  for (const auto& size : kSizes) {
    for (const float gamma : {0.0f, 0.95f, 1.0f}) {
      SCOPED_TRACE(::testing::Message() << "T " << size.first << " N " << size.second);
      compare([&](Backend& backend) {
        const RecordedBatch b(backend, batch_of(size));
        const std::size_t n = size.second, count = size.first * n;
        auto age = poisoned<float>(backend, count + n);
        std::vector<float> first(n);
        for (std::size_t i = 0; i < n; i++) first[i] = float(i % 7);
        age.upload(first.data(), n);
        backend.ages(
            {size.first, size.second, b.terminated.data(), b.truncated.data(), age.data()});
        // One element less than there are: what is beyond stays.
        backend.discount_by_age({b.advantage.data(), age.data(), gamma, long(count) - 1});
        return Outputs{age.download(), b.advantage.download()};
      });
    }
  }
}

TEST(Linear, FeaturesGramAndValuesEqualTheCpu) {
  for (const auto& size : kSizes) {
    for (const int index : {0, 1}) {
      for (const bool normalized : {false, true}) {
        SCOPED_TRACE(::testing::Message() << "T " << size.first << " N " << size.second << " index "
                                          << index << " normalised " << normalized);
        compare([&](Backend& backend) {
          BatchCase batch = batch_of(size);
          batch.observation_rows = index != 0 ? 1 : 5;
          const RecordedBatch b(backend, batch);
          const long count = long(size.first) * size.second;
          Numbers numbers(31);
          std::vector<float> seen = b.observation.download();
          for (float& x : seen)
            x = index != 0 ? float(numbers.word() % 6) : 20 * x;  // some beyond 10
          const auto observation = uploaded(backend, seen);
          const auto age = uploaded(backend, numbers.many(count, 0.0f, 300.0f));
          const auto mean = uploaded(backend, numbers.many(5, -1.0f, 1.0f));
          const auto inverse = uploaded(backend, numbers.many(5, 0.1f, 2.0f));
          const int k = index != 0 ? 6 + 4 : 2 * 5 + 4;
          const auto feature = poisoned<float>(backend, k * count);
          FeaturesRequest f = {};
          f.observation_size = index != 0 ? 6 : 5;
          f.index = index;
          f.n_envs = size.second;
          f.count = count;
          if (normalized) f.normalization = {mean.data(), inverse.data(), 10};
          f.observation = observation.data();
          f.interval = normalized ? 3 : 1;
          f.age = age.data();
          f.added_age = 1;
          f.feature = feature.data();
          backend.features(f);
          const long products = long(k) * (k + 1) / 2 + k;
          const auto product = poisoned<double>(backend, products);
          backend.gram({k, count, feature.data(), b.target.data(), product.data()});
          const auto weight = uploaded(backend, numbers.many(k, -1.0f, 1.0f));
          const auto value = poisoned<float>(backend, count);
          backend.linear_values({k, count, feature.data(), weight.data(), value.data()});
          // Doubles as pairs of floats: what is compared are bits.
          const std::vector<double> gram = product.download();
          std::vector<float> halves(2 * gram.size());
          std::memcpy(halves.data(), gram.data(), gram.size() * sizeof(double));
          EXPECT_GT(gram[products - k - 1], 0.99 * double(count)) << "the square of the constant";
          return Outputs{feature.download(), halves, value.download()};
        });
      }
    }
  }
}

// More chunks than there are sums, and more features than one tile of a block has.
TEST(Linear, ProductsOverManyChunksEqualTheCpuAndTheDefinition) {
  for (const int k : {3, 16, 37}) {
    const long count = 64 * 128 + 300;
    Numbers numbers(12);
    const std::vector<float> features = numbers.many(std::size_t(k * count), -1.0f, 1.0f);
    const std::vector<float> targets = numbers.many(std::size_t(count), -1.0f, 1.0f);
    const long products = long(k) * (k + 1) / 2 + k;
    const auto run = [&](Backend& backend) {
      const auto feature = uploaded(backend, features), target = uploaded(backend, targets);
      const auto product = poisoned<double>(backend, std::size_t(products));
      backend.gram({k, count, feature.data(), target.data(), product.data()});
      return product.download();
    };
    const auto cpu = make_cpu_backend(2), subject = make_subject();
    const std::vector<double> expected = run(*cpu);
    EXPECT_TRUE(same_bits(expected, run(*subject)));
    double first_by_target = 0;
    for (long s = 0; s < count; s++) first_by_target += double(features[s]) * double(targets[s]);
    EXPECT_NEAR(expected[products - k], first_by_target, 1e-9);
  }
}

TEST(OptimalBaseline, EqualsTheCpu) {
  for (const int m : {2, 3, 40}) {
    for (const long d : {1L, 6L, 300L}) {
      for (const bool scalar : {false, true}) {
        SCOPED_TRACE(::testing::Message() << m << " paths, " << d << " components " << scalar);
        compare([&](Backend& backend) {
          Numbers numbers(41);
          const long stride = d + 3;
          std::vector<float> scores = numbers.many(m * stride, -2.0f, 2.0f);
          for (int e = 1; e < m; e++) scores[e * stride] = 0;  // one path alone moves component 0
          const auto score = uploaded(backend, scores);
          const auto path = uploaded(backend, numbers.many(m, -5.0f, 9.0f));
          const auto norm = uploaded(backend, numbers.many(m, 0.0f, 4.0f));
          const auto gradient = poisoned<float>(backend, d + 2);
          OptimalBaselineRequest r = {};
          r.n_paths = m;
          r.stride = stride;
          r.score = score.data();
          r.path_return = path.data();
          r.squared_norm = scalar ? norm.data() : nullptr;
          r.gradient = gradient.data();
          r.n_parameters = d;
          backend.optimal_baseline(r);
          const std::vector<float> all = gradient.download();
          EXPECT_TRUE(untouched(std::vector<float>(all.end() - 2, all.end())));
          return Outputs{all};
        });
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing

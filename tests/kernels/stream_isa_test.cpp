// Streams of random numbers: the layout of counters and keys, distributions, lanes against scalars.
#include <gallop/kernels/random/stream.h>

#include <algorithm>
#include <set>

#include "tests/kernels/isa_numbers.h"

namespace gallop::testing {
namespace {

constexpr std::uint64_t kSeed = 0x5eed0f12345678;
// Of a statistic that is normal with known deviation: seeds are fixed, so nothing ever flickers.
constexpr double kDeviations = 4;

struct Draw {
  std::uint64_t seed;
  RandomPurpose purpose;
  std::uint32_t id, episode, step, draw;
  auto operator<=>(const Draw&) const = default;
};

PhiloxBlock<std::uint32_t> documented_block(const Draw& d) {
  return philox<std::uint32_t>(d.id, d.episode, d.step, d.draw, std::uint32_t(d.seed),
                               std::uint32_t(d.seed >> 32) << 8 | d.purpose);
}

Draw random_draw(TestBits& bits) {
  const std::uint64_t seed = (std::uint64_t(bits.next()) << 32 | bits.next()) & kMaxSeed;
  // Half of them small, where neighbouring fields would collide if they shared bits.
  const bool small = bits.next() % 2 == 0;
  const auto field = [&] { return small ? bits.next() % 3 : bits.next(); };
  return {small ? seed % 3 : seed, RandomPurpose(1 + bits.next() % 7), field(), field(), field(),
          bits.next() % 3};
}

TEST(Layout, KeysKeepSeedAndPurposeApart) {
  TestBits bits;
  for (int i = 0; i < 100'000; i++) {
    const Draw d = random_draw(bits);
    const std::uint32_t low = key_low(d.seed), high = key_high(d.seed, d.purpose);
    ASSERT_EQ(std::uint64_t(high >> 8) << 32 | low, d.seed);
    ASSERT_EQ(high & 0xff, std::uint32_t(d.purpose));
  }
  EXPECT_EQ(kMaxSeed, 0xffffffffffffffu);
}

TEST(Layout, StreamsDrawTheDocumentedBlocks) {
  TestBits bits;
  for (int i = 0; i < 10'000; i++) {
    const Draw d = random_draw(bits);
    Rng<float> rng(d.seed, d.purpose, d.id, d.episode, d.step);
    for (std::uint32_t draw = 0; draw < 3; draw++) {
      Draw at = d;
      at.draw = draw;
      const auto want = documented_block(at);
      for (int k = 0; k < 4; k++) ASSERT_EQ(rng.word(), want.word[k]) << draw << " " << k;
    }
  }
}

TEST(Layout, DifferentDrawsHaveDifferentBlocks) {
  TestBits bits;
  std::set<Draw> draws;
  std::set<std::vector<std::uint32_t>> blocks;
  for (int i = 0; i < 100'000; i++) {
    const Draw d = random_draw(bits);
    draws.insert(d);
    const auto block = documented_block(d);
    blocks.insert(std::vector<std::uint32_t>(block.word, block.word + 4));
  }
  EXPECT_GT(draws.size(), 40'000u);
  EXPECT_EQ(blocks.size(), draws.size());
}

TEST(Uniform, CoversItsRangeExactly) {
  EXPECT_EQ(to_uniform<float>(0u), 0.0f);
  EXPECT_EQ(to_uniform<float>(0xffu), 0.0f);
  EXPECT_EQ(to_uniform<float>(0x100u), 0x1p-24f);
  EXPECT_EQ(to_uniform<float>(0xffffffffu), 1.0f - 0x1p-24f);
  EXPECT_EQ(to_open_uniform<float>(0u), 0x1p-33f);
  EXPECT_EQ(to_open_uniform<float>(0xffffffffu), 1.0f);
  EXPECT_EQ(to_open_uniform<double>(0xffffffffu), 1.0 - 0x1p-33);
  EXPECT_EQ(to_open_uniform<double>(12345u), 12345 * 0x1p-32 + 0x1p-33);
}

// Largest distance of the sorted sample's distribution from `cumulative`, times sqrt(n)
// (Kolmogorov-Smirnov): beyond 1.95 once in a thousand samples.
template <class Cumulative>
double kolmogorov(std::vector<double> x, Cumulative cumulative) {
  std::sort(x.begin(), x.end());
  double most = 0;
  for (size_t i = 0; i < x.size(); i++) {
    const double p = cumulative(x[i]);
    most = std::max({most, p - double(i) / x.size(), double(i + 1) / x.size() - p});
  }
  return most * std::sqrt(double(x.size()));
}

// Mean of f over the sample must be `mean` within kDeviations standard errors.
template <class Function>
void expect_mean(const std::vector<double>& x, const char* what, Function f, double mean,
                 double deviation) {
  double sum = 0;
  for (const double value : x) sum += f(value);
  EXPECT_NEAR(sum / x.size(), mean, kDeviations * deviation / std::sqrt(double(x.size()))) << what;
}

std::vector<double> sample(int count, Native (*draw)(Rng<Native>&)) {
  constexpr int kW = kLanesOf<Native>;
  std::vector<double> x;
  for (std::uint32_t id = 0; int(x.size()) < count; id += kW) {
    Rng<Native> rng(kSeed, kRandomDynamics, consecutive_words<Native>(id), Word<Native>(0u),
                    Word<Native>(0u));
    for (int i = 0; i < 10; i++) {
      float lanes[kW];
      store_lanes(lanes, draw(rng), kW);
      x.insert(x.end(), lanes, lanes + kW);
    }
  }
  return x;
}

TEST(Uniform, HasItsMomentsAndDistribution) {
  const auto x = sample(1'000'000, [](Rng<Native>& rng) { return rng.uniform(); });
  EXPECT_GE(*std::min_element(x.begin(), x.end()), 0.0);
  EXPECT_LT(*std::max_element(x.begin(), x.end()), 1.0);
  expect_mean(
      x, "mean", [](double v) { return v; }, 0.5, std::sqrt(1.0 / 12));
  expect_mean(
      x, "variance", [](double v) { return (v - 0.5) * (v - 0.5); }, 1.0 / 12,
      std::sqrt(1.0 / 180));
  EXPECT_LT(kolmogorov(x, [](double v) { return v; }), 1.95);
}

TEST(Uniform, OfARangeStaysWithin) {
  const auto x =
      sample(100'000, [](Rng<Native>& rng) { return rng.uniform(Native(-0.6f), Native(-0.4f)); });
  EXPECT_GE(*std::min_element(x.begin(), x.end()), -0.6f);
  EXPECT_LE(*std::max_element(x.begin(), x.end()), -0.4f);
  expect_mean(
      x, "mean", [](double v) { return v; }, -0.5, 0.2 * std::sqrt(1.0 / 12));
}

TEST(Normal, HasItsMomentsTailsAndDistribution) {
  const auto x = sample(4'000'000, [](Rng<Native>& rng) { return rng.normal(); });
  const auto power = [](int n) { return [n](double v) { return std::pow(v, n); }; };
  expect_mean(x, "mean", power(1), 0, 1);
  expect_mean(x, "variance", power(2), 1, std::sqrt(2.0));
  expect_mean(x, "third moment", power(3), 0, std::sqrt(15.0));
  expect_mean(x, "fourth moment", power(4), 3, std::sqrt(96.0));
  for (const double bound : {1.0, 2.0, 3.0, 4.0, 4.5}) {
    const double p = std::erfc(bound / std::sqrt(2.0));
    expect_mean(
        x, "tail", [=](double v) { return std::abs(v) > bound ? 1.0 : 0.0; }, p,
        std::sqrt(p * (1 - p)));
  }
  EXPECT_LT(kolmogorov(x, [](double v) { return 0.5 * std::erfc(-v / std::sqrt(2.0)); }), 1.95);
  for (const double v : x) ASSERT_LE(std::abs(v), 6.77);
}

TEST(Normal, NeighboursAreUncorrelated) {
  const auto x = sample(1'000'000, [](Rng<Native>& rng) { return rng.normal(); });
  for (const int lag : {1, kLanesOf<Native>, 2 * kLanesOf<Native>}) {
    std::vector<double> products;
    for (size_t i = lag; i < x.size(); i++) products.push_back(x[i] * x[i - lag]);
    expect_mean(
        products, "lagged product", [](double v) { return v; }, 0, 1);
  }
}

TEST(Normal, IsBoxAndMullersTransform) {
  TestBits bits;
  for (int i = 0; i < 200'000; i++) {
    const std::uint32_t a = i < 10 ? i : bits.next(), b = bits.next();
    float z0, z1;
    to_normals<float>(a, b, z0, z1);
    const long double radius =
        std::sqrt(-2 * std::log(static_cast<long double>(to_open_uniform<float>(a))));
    const long double angle = (b >> 8) * 0x1p-24L * 2 * 3.14159265358979323846L;
    const double tolerance = 5e-7 * std::max(1.0, double(radius));
    ASSERT_NEAR(z0, double(radius * std::cos(angle)), tolerance) << a << " " << b;
    ASSERT_NEAR(z1, double(radius * std::sin(angle)), tolerance) << a << " " << b;
  }
}

TEST(Normal, EverySecondOneIsFree) {
  Rng<float> a(kSeed, kRandomAction, 1, 2, 3), b(kSeed, kRandomAction, 1, 2, 3);
  const std::uint32_t w0 = a.word(), w1 = a.word(), w2 = a.word();
  float z0, z1;
  to_normals<float>(w0, w1, z0, z1);
  EXPECT_EQ(b.normal(), z0);
  EXPECT_EQ(b.normal(), z1);
  EXPECT_EQ(b.word(), w2);
}

template <class Width>
class StreamLanesTest : public ::testing::Test {};
using Widths = ::testing::Types<std::integral_constant<int, 8>, std::integral_constant<int, 16>>;
TYPED_TEST_SUITE(StreamLanesTest, Widths);

TYPED_TEST(StreamLanesTest, EveryLaneDrawsTheNumbersOfTheScalar) {
  constexpr int W = TypeParam::value;
  using F = FloatLanes<W>;
  for (std::uint32_t first = 0; first < 64; first += W) {
    const Word<F> ids = consecutive_words<F>(first);
    Rng<F> lanes(kSeed, kRandomDynamics, ids, ids * Word<F>(3u), Word<F>(7u));
    std::vector<Rng<float>> scalars;
    for (int lane = 0; lane < W; lane++) {
      scalars.emplace_back(kSeed, kRandomDynamics, first + lane, (first + lane) * 3, 7u);
    }
    for (int i = 0; i < 40; i++) {
      const F x = i % 3 == 0   ? lanes.normal()
                  : i % 3 == 1 ? lanes.uniform(F(-2.0f), F(3.0f))
                               : lanes.uniform();
      for (int lane = 0; lane < W; lane++) {
        Rng<float>& scalar = scalars[lane];
        const float want = i % 3 == 0   ? scalar.normal()
                           : i % 3 == 1 ? scalar.uniform(-2.0f, 3.0f)
                                        : scalar.uniform();
        ASSERT_TRUE(same(x.get(lane), want)) << "draw " << i << " of lane " << lane;
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing

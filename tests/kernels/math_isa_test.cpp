// Elementary functions against long double, in units in the last place of float, and lanes against
// scalars bit for bit.
#include <gallop/kernels/numerics/math.h>

#include <cfloat>
#include <functional>

#include "tests/kernels/isa_numbers.h"

namespace gallop::testing {
namespace {

// The bounds that the head of numerics/math.h states, in ulp. The stride leaves out most numbers;
// one binade of each function is met number by number.
constexpr double kSinCosUlp = 1.5;
constexpr double kExpUlp = 1.01;
constexpr double kLogUlp = 0.94;
constexpr double kTanhUlp = 5.8;
constexpr double kPowUlp = 0.9;
constexpr double kAtan2Ulp = 1.6;
constexpr std::uint32_t kStride = 3001;

double ulps_between(float got, long double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  const long double ulp = std::ldexp(1.0L, std::max(exponent - 1, -126) - 23);
  return double(std::fabs(got - exact) / ulp);
}

// A function of lanes that writes one or two results.
struct Function {
  const char* name;
  void (*lanes)(Native x, Native* y);
  int results;
  long double (*exact[2])(long double);
};
const Function kSinCos = {
    "sin_cos",
    [](Native x, Native* y) { sin_cos(x, y[0], y[1]); },
    2,
    {[](long double x) { return std::sin(x); }, [](long double x) { return std::cos(x); }}};
const Function kExp = {"exp",
                       [](Native x, Native* y) { y[0] = gallop::exp(x); },
                       1,
                       {[](long double x) { return std::exp(x); }}};
const Function kLog = {"log",
                       [](Native x, Native* y) { y[0] = gallop::log(x); },
                       1,
                       {[](long double x) { return std::log(x); }}};
const Function kTanh = {"tanh",
                        [](Native x, Native* y) { y[0] = gallop::tanh(x); },
                        1,
                        {[](long double x) { return std::tanh(x); }}};

// Calls f on the numbers whose bits are first, first + stride, ..., up to last, a register at once.
struct Worst {
  double ulps = 0;
  float at = 0;
  long count = 0;
};
void measure(const Function& f, float first, float last, std::uint32_t stride, Worst& worst) {
  constexpr int kW = kLanesOf<Native>;
  const std::uint64_t end = std::uint64_t(bits_of(last)) + 1;
  for (std::uint64_t at = bits_of(first); at < end; at += std::uint64_t(stride) * kW) {
    float x[kW], y[2][kW];
    for (int lane = 0; lane < kW; lane++) {
      x[lane] = float_of(std::uint32_t(std::min(at + std::uint64_t(stride) * lane, end - 1)));
    }
    Native results[2];
    f.lanes(load_lanes(x, kW, Native()), results);
    for (int k = 0; k < f.results; k++) {
      store_lanes(y[k], results[k], kW);
      for (int lane = 0; lane < kW; lane++) {
        const double ulps = ulps_between(y[k][lane], f.exact[k](x[lane]));
        if (!(ulps <= worst.ulps)) worst.ulps = ulps, worst.at = x[lane];  // NaN is the worst
      }
    }
    worst.count += kW;
  }
}
void expect_ulps(const Function& f, double bound, const Worst& worst) {
  EXPECT_GT(worst.count, 100'000);
  EXPECT_LE(worst.ulps, bound) << f.name << " at " << worst.at;
  ::testing::Test::RecordProperty("ulps", std::to_string(worst.ulps));
}
// Of both signs, from `smallest` to `largest`.
void expect_ulps_symmetric(const Function& f, float smallest, float largest, double bound) {
  Worst worst;
  measure(f, smallest, largest, kStride, worst);
  measure(f, -smallest, -largest, kStride, worst);
  expect_ulps(f, bound, worst);
}
void expect_ulps_in_binade(const Function& f, float from, double bound) {
  Worst worst;
  measure(f, from, std::nextafterf(2 * from, 0.0f), 1, worst);
  EXPECT_GE(worst.count, 1 << 23);
  expect_ulps(f, bound, worst);
}

TEST(Accuracy, SinCosWithinAHundredThousand) {
  expect_ulps_symmetric(kSinCos, 0.0f, 1e5f, kSinCosUlp);
}
TEST(Accuracy, SinCosFromOneToTwo) { expect_ulps_in_binade(kSinCos, 1.0f, kSinCosUlp); }
TEST(Accuracy, SinCosNearMultiplesOfAQuarterTurn) {
  Worst worst;
  for (int k = 1; k < 60'000; k++) {
    const float x = float(k * 1.57079632679489661923L);
    measure(kSinCos, std::nextafterf(x, 0.0f), std::nextafterf(x, 1e9f), 1, worst);
  }
  expect_ulps(kSinCos, kSinCosUlp, worst);
}
TEST(Accuracy, ExpOverItsWholeRange) {
  Worst worst;
  measure(kExp, 0.0f, 88.7f, kStride, worst);
  measure(kExp, -0.0f, -103.9f, kStride, worst);
  expect_ulps(kExp, kExpUlp, worst);
}
TEST(Accuracy, ExpFromOneHalfToOne) { expect_ulps_in_binade(kExp, 0.5f, kExpUlp); }
TEST(Accuracy, LogOfEveryPositiveNumber) {
  Worst worst;
  measure(kLog, 0x1p-149f, 0x1.fffffep127f, kStride, worst);
  expect_ulps(kLog, kLogUlp, worst);
}
TEST(Accuracy, LogFromOneHalfToTwo) {
  expect_ulps_in_binade(kLog, 0.5f, kLogUlp);
  expect_ulps_in_binade(kLog, 1.0f, kLogUlp);
}
TEST(Accuracy, TanhOfEveryNumber) { expect_ulps_symmetric(kTanh, 0.0f, 0x1.fffffep127f, kTanhUlp); }
TEST(Accuracy, TanhFromOneToTwo) { expect_ulps_in_binade(kTanh, 1.0f, kTanhUlp); }

// Functions of two numbers: pairs that a function of a lane's number draws, in registers.
struct Pair {
  float x, y;
};
void measure_pairs(Native (*lanes)(Native, Native), long double (*exact)(long double, long double),
                   const std::function<Pair()>& draw, int count, Worst& worst) {
  constexpr int kW = kLanesOf<Native>;
  for (int i = 0; i < count; i += kW) {
    float x[kW], y[kW], z[kW];
    for (int lane = 0; lane < kW; lane++) {
      const Pair pair = draw();
      x[lane] = pair.x;
      y[lane] = pair.y;
    }
    store_lanes(z, lanes(load_lanes(x, kW, Native()), load_lanes(y, kW, Native())), kW);
    for (int lane = 0; lane < kW; lane++) {
      const long double right = exact(x[lane], y[lane]);
      // What float cannot hold is a special case.
      if (!(std::fabs(right) < 0x1.ffffffp127L) || right == 0) continue;
      const double ulps = ulps_between(z[lane], right);
      if (!(ulps <= worst.ulps)) worst.ulps = ulps, worst.at = x[lane];
      worst.count++;
    }
  }
}
const Function kPow = {"pow", nullptr, 1, {}};
const Function kAtan2 = {"atan2", nullptr, 1, {}};
Native pow_lanes(Native x, Native y) { return gallop::pow(x, y); }
Native atan2_lanes(Native y, Native x) { return gallop::atan2(y, x); }
long double exact_pow(long double x, long double y) { return std::pow(x, y); }
long double exact_atan2(long double y, long double x) { return std::atan2(y, x); }

TEST(Accuracy, PowWhereverItsResultIsANumber) {
  TestBits bits;
  Worst worst;
  // Any base, and bases near 1, with the exponents whose results are spread over all of float.
  const auto reaching = [&](float x) {
    return Pair{x, float(double(bits.between(-104.0f, 89.0f)) / std::log(double(x)))};
  };
  const auto any = [&] {
    return reaching(float_of(std::uint32_t(bits.between(1.0f, 0x1p31f - 0x1p24f))));
  };
  const auto near_one = [&] { return reaching(1 + bits.between(0x1p-23f, 0x1p-8f)); };
  const auto below_one = [&] { return reaching(1 - bits.between(0x1p-23f, 0.3f)); };
  const auto plain = [&] { return Pair{bits.between(0.0f, 10.0f), bits.between(-5.0f, 5.0f)}; };
  const auto whole = [&] {
    return Pair{bits.between(-10.0f, 10.0f), std::round(bits.between(-30.0f, 30.0f))};
  };
  for (const std::function<Pair()>& draw :
       {std::function<Pair()>(any), std::function<Pair()>(near_one),
        std::function<Pair()>(below_one), std::function<Pair()>(plain),
        std::function<Pair()>(whole)}) {
    measure_pairs(pow_lanes, exact_pow, draw, 1 << 19, worst);
  }
  EXPECT_GT(worst.count, 2'000'000);
  expect_ulps(kPow, kPowUlp, worst);
}

TEST(Accuracy, Atan2InEveryDirection) {
  TestBits bits;
  Worst worst;
  const auto anywhere = [&] {
    const float angle = bits.between(-3.2f, 3.2f), size = std::exp2(bits.between(-120, 120));
    return Pair{size * std::sin(angle), size * std::cos(angle)};
  };
  const auto diagonal = [&] {
    const float x = bits.between(-4.0f, 4.0f);
    return Pair{x * bits.between(0.9f, 1.1f), x};
  };
  const auto square = [&] { return Pair{bits.between(-1.0f, 1.0f), bits.between(-1.0f, 1.0f)}; };
  const auto slim = [&] {
    return Pair{bits.between(-1.0f, 1.0f) * std::exp2(bits.between(-149, 0)),
                bits.between(-1.0f, 1.0f)};
  };
  for (const std::function<Pair()>& draw :
       {std::function<Pair()>(anywhere), std::function<Pair()>(diagonal),
        std::function<Pair()>(square), std::function<Pair()>(slim)}) {
    measure_pairs(atan2_lanes, exact_atan2, draw, 1 << 20, worst);
  }
  EXPECT_GT(worst.count, 4'000'000);
  expect_ulps(kAtan2, kAtan2Ulp, worst);
}

Native whole(float x) { return Native(x); }
float first_lane(Native x) {
  float lanes[kLanesOf<Native>];
  store_lanes(lanes, x, kLanesOf<Native>);
  return lanes[0];
}

TEST(SpecialNumbers, SinCos) {
  for (const float x : {NAN, INFINITY, -INFINITY}) {
    Native s, c;
    sin_cos(whole(x), s, c);
    EXPECT_TRUE(std::isnan(first_lane(s))) << x;
    EXPECT_TRUE(std::isnan(first_lane(c))) << x;
  }
  EXPECT_EQ(first_lane(gallop::sin(whole(-0.0f))), 0.0f);  // the sign of a zero is lost
  EXPECT_EQ(first_lane(gallop::sin(whole(0.0f))), 0.0f);
  EXPECT_EQ(first_lane(gallop::cos(whole(0.0f))), 1.0f);
}
TEST(SpecialNumbers, Exp) {
  EXPECT_TRUE(std::isnan(first_lane(gallop::exp(whole(NAN)))));
  EXPECT_EQ(first_lane(gallop::exp(whole(INFINITY))), INFINITY);
  EXPECT_EQ(first_lane(gallop::exp(whole(89.0f))), INFINITY);
  EXPECT_TRUE(same(first_lane(gallop::exp(whole(-INFINITY))), 0.0f));
  EXPECT_TRUE(same(first_lane(gallop::exp(whole(-1e30f))), 0.0f));
  EXPECT_EQ(first_lane(gallop::exp(whole(0.0f))), 1.0f);
}
TEST(SpecialNumbers, Log) {
  EXPECT_TRUE(std::isnan(first_lane(gallop::log(whole(NAN)))));
  EXPECT_TRUE(std::isnan(first_lane(gallop::log(whole(-1.0f)))));
  EXPECT_TRUE(std::isnan(first_lane(gallop::log(whole(-1e-30f)))));
  EXPECT_TRUE(std::isnan(first_lane(gallop::log(whole(-INFINITY)))));
  EXPECT_EQ(first_lane(gallop::log(whole(0.0f))), -INFINITY);
  EXPECT_EQ(first_lane(gallop::log(whole(-0.0f))), -INFINITY);
  EXPECT_EQ(first_lane(gallop::log(whole(INFINITY))), INFINITY);
  EXPECT_TRUE(same(first_lane(gallop::log(whole(1.0f))), 0.0f));
}
TEST(SpecialNumbers, Tanh) {
  EXPECT_TRUE(std::isnan(first_lane(gallop::tanh(whole(NAN)))));
  EXPECT_NEAR(first_lane(gallop::tanh(whole(INFINITY))), 1.0, 0x1p-22);
  EXPECT_NEAR(first_lane(gallop::tanh(whole(-INFINITY))), -1.0, 0x1p-22);
  EXPECT_TRUE(same(first_lane(gallop::tanh(whole(-0.0f))), -0.0f));
}
// As the C library has them (C17, annex F.10.4.4 and F.10.1.4).
TEST(SpecialNumbers, PowAndAtan2) {
  const float numbers[] = {
      0.0f,         -0.0f,         1.0f,           -1.0f,         2.0f,
      -2.0f,        3.0f,          -3.0f,          0.5f,          -0.5f,
      1.5f,         -1.5f,         INFINITY,       -INFINITY,     NAN,
      0x1p-149f,    -0x1p-149f,    0x1p-126f,      0x1p-24f,      -0x1p24f,
      FLT_MAX,      -FLT_MAX,      0x1.fffffep-1f, 0x1.000002p0f, -0x1.fffffep-1f,
      16777215.0f,  16777216.0f,   8388607.0f,     8388607.5f,    4194303.5f,
      -16777215.0f, 2147483648.0f, -2147483904.0f, 1e30f,         -1e30f};
  const auto alike = [](float got, float exact) {
    if (std::isnan(exact)) return std::isnan(got);
    return std::signbit(got) == std::signbit(exact) &&
           (got == exact || std::fabs(got - exact) <= 3e-7f * std::fabs(exact) + 0x1p-149f);
  };
  for (const float x : numbers) {
    for (const float y : numbers) {
      const float power = first_lane(gallop::pow(whole(x), whole(y)));
      EXPECT_TRUE(alike(power, float(std::pow(double(x), double(y)))))
          << x << " ^ " << y << " gave " << power;
      const float angle = first_lane(gallop::atan2(whole(y), whole(x)));
      EXPECT_TRUE(alike(angle, float(std::atan2(double(y), double(x)))))
          << "atan2 of " << y << ", " << x << " gave " << angle;
    }
  }
}
// Exact where the result is: squares of small whole numbers, powers of two.
TEST(SpecialNumbers, PowIsExactWhereItCanBe) {
  for (int k = -149; k < 128; k++) {
    ASSERT_EQ(first_lane(gallop::pow(whole(2.0f), whole(float(k)))), std::ldexp(1.0f, k)) << k;
  }
  for (int k = 1; k <= 4096; k++) {
    ASSERT_EQ(first_lane(gallop::pow(whole(float(k)), whole(2.0f))), float(k) * float(k)) << k;
    ASSERT_EQ(first_lane(gallop::pow(whole(float(k)), whole(1.0f))), float(k)) << k;
  }
}
TEST(SpecialNumbers, TanhHardlyExceedsOne) {
  TestBits bits;
  for (int i = 0; i < 100'000; i++) {
    const float y = first_lane(gallop::tanh(whole(bits.between(-20.0f, 20.0f))));
    ASSERT_LE(std::fabs(y), 1.0f + 0x1p-22f);
  }
}

TEST(Floor, IsTheLargestIntegerNotAbove) {
  TestBits bits;
  for (int i = 0; i < 200'000; i++) {
    const float range = i % 2 == 0 ? 4.0f : 0x1p22f;
    float x = bits.between(-range, range);
    if (i % 5 == 0) x = std::round(x);
    ASSERT_EQ(first_lane(gallop::floor(whole(x))), std::floor(x)) << x;
  }
}

TEST(Doubles, AreThoseOfTheLibrary) {
  double s, c;
  sin_cos(0.7, s, c);
  EXPECT_EQ(s, std::sin(0.7));
  EXPECT_EQ(c, std::cos(0.7));
  EXPECT_EQ(gallop::exp(0.7), std::exp(0.7));
  EXPECT_EQ(gallop::log(0.7), std::log(0.7));
  EXPECT_EQ(gallop::tanh(0.7), std::tanh(0.7));
  EXPECT_EQ(gallop::pow(0.7, 2.1), std::pow(0.7, 2.1));
  EXPECT_EQ(gallop::atan2(0.7, -0.2), std::atan2(0.7, -0.2));
  EXPECT_EQ(gallop::floor(-0.7), -1.0);
  EXPECT_EQ(to_int(-7.9e9), -7900000000);
  for (const double x : {std::nan(""), 0x1p63, -0x1p64, HUGE_VAL}) EXPECT_EQ(to_int(x), INT64_MIN);
  EXPECT_EQ(reciprocal(3.0), 1.0 / 3.0);
  EXPECT_EQ(round_to_float(0.1), double(0.1f));
  EXPECT_EQ(real<double>(0.1), 0.1);
  EXPECT_EQ(real<float>(0.1), 0.1f);
}

template <class Width>
class LanesMathTest : public ::testing::Test {};
using Widths = ::testing::Types<std::integral_constant<int, 8>, std::integral_constant<int, 16>>;
TYPED_TEST_SUITE(LanesMathTest, Widths);

TYPED_TEST(LanesMathTest, EveryLaneHasTheBitsOfTheScalar) {
  constexpr int W = TypeParam::value;
  using F = FloatLanes<W>;
  std::vector<float> x = any_floats(1 << 16);
  TestBits bits;
  for (size_t i = x.size() / 2; i < x.size(); i++) x[i] = bits.between(-110.0f, 110.0f);
  for (size_t i = 0; i < x.size(); i += W) {
    const F lanes = load_lanes(x.data() + i, W, F());
    F s, c;
    sin_cos(lanes, s, c);
    const F e = gallop::exp(lanes), l = gallop::log(lanes), t = gallop::tanh(lanes);
    // Beside the numbers in reverse order.
    const F others = load_lanes(x.data() + x.size() - W - i, W, F());
    const F power = gallop::pow(lanes, others), angle = gallop::atan2(lanes, others);
    for (int lane = 0; lane < W; lane++) {
      const float at = x[i + lane];
      float sine, cosine;
      sin_cos(at, sine, cosine);
      ASSERT_TRUE(same(s.get(lane), sine)) << "sin of " << at;
      ASSERT_TRUE(same(c.get(lane), cosine)) << "cos of " << at;
      ASSERT_TRUE(same(e.get(lane), gallop::exp(at))) << "exp of " << at;
      ASSERT_TRUE(same(l.get(lane), gallop::log(at))) << "log of " << at;
      ASSERT_TRUE(same(t.get(lane), gallop::tanh(at))) << "tanh of " << at;
      const float other = others.get(lane);
      ASSERT_TRUE(same(power.get(lane), gallop::pow(at, other))) << at << " ^ " << other;
      ASSERT_TRUE(same(angle.get(lane), gallop::atan2(at, other))) << at << ", " << other;
    }
  }
}

}  // namespace
}  // namespace gallop::testing

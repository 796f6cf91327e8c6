// Vectors of lanes against plain scalars, bit for bit. Widths other than the register's take the
// loops that stand in for intrinsics, so one program meets both.
#include "tests/kernels/isa_numbers.h"

namespace gallop::testing {
namespace {

constexpr int kCount = 4096;

template <class Width>
class LanesTest : public ::testing::Test {
 protected:
  static constexpr int W = Width::value;
  using F = FloatLanes<W>;
  using I = IntLanes<W>;
  using U = WordLanes<W>;

  void SetUp() override {
    x_ = any_floats(kCount);
    // Every special number meets every other one.
    for (int i = 0; i < kCount; i++) y_.push_back(i < 256 ? x_[i / 16] : x_[(i * 7 + 3) % kCount]);
    for (int i = 0; i < 256; i++) x_[i] = x_[i % 16];
    z_ = y_;
    for (int i = 0; i < kCount; i++) z_[i] = y_[(i * 5 + 1) % kCount];
    TestBits bits;
    for (int i = 0; i < kCount; i++) words_.push_back(bits.next());
  }

  static F load(const std::vector<float>& from, int i) {
    return load_lanes(from.data() + i, W, F());
  }
  static I load(const std::vector<std::int32_t>& from, int i) {
    return load_words(from.data() + i, W, I());
  }
  static U load(const std::vector<std::uint32_t>& from, int i) {
    return load_words(from.data() + i, W, U());
  }

  // f(lanes...) against g(scalars...) over whole arrays.
  template <class Vector, class Scalar, class... Arrays>
  void expect_same(const char* what, Vector f, Scalar g, const Arrays&... from) {
    for (int i = 0; i < kCount; i += W) {
      const auto got = f(load(from, i)...);
      for (int lane = 0; lane < W; lane++) {
        ASSERT_TRUE(same(got.get(lane), g(from[i + lane]...)))
            << what << " of element " << i + lane;
      }
    }
  }
  // Masks, as the integers 0 and 1.
  template <class Vector, class Scalar, class... Arrays>
  void expect_mask(const char* what, Vector f, Scalar g, const Arrays&... from) {
    expect_same(
        what, [&](auto... x) { return mask_to_int<F>(f(x...)); },
        [&](auto... x) { return std::int32_t(g(x...) ? 1 : 0); }, from...);
  }

  std::vector<float> x_, y_, z_;
  std::vector<std::uint32_t> words_;
};

using Widths = ::testing::Types<std::integral_constant<int, 8>, std::integral_constant<int, 16>>;
TYPED_TEST_SUITE(LanesTest, Widths);

TYPED_TEST(LanesTest, FloatArithmetic) {
  const auto& x = this->x_;
  const auto& y = this->y_;
  this->expect_same(
      "+", [](auto a, auto b) { return a + b; }, std::plus<float>(), x, y);
  this->expect_same(
      "-", [](auto a, auto b) { return a - b; }, std::minus<float>(), x, y);
  this->expect_same(
      "*", [](auto a, auto b) { return a * b; }, std::multiplies<float>(), x, y);
  this->expect_same(
      "/", [](auto a, auto b) { return a / b; }, std::divides<float>(), x, y);
  this->expect_same(
      "negation", [](auto a) { return -a; }, [](float a) { return -a; }, x);
  this->expect_same(
      "fmadd", [](auto a, auto b, auto c) { return fmadd(a, b, c); },
      [](float a, float b, float c) { return std::fma(a, b, c); }, x, y, this->z_);
  this->expect_same(
      "sqrt", [](auto a) { return sqrt(a); }, [](float a) { return std::sqrt(a); }, x);
  this->expect_same(
      "reciprocal", [](auto a) { return reciprocal(a); }, [](float a) { return 1.0f / a; }, x);
  this->expect_same(
      "abs", [](auto a) { return abs(a); }, [](float a) { return std::fabs(a); }, x);
  this->expect_same(
      "round_to_float", [](auto a) { return round_to_float(a); }, [](float a) { return a; }, x);
}

template <class A, class B>
concept Combines = requires(A a, B b) {
  a + b;
}
|| requires(A a, B b) { b* a; }
|| requires(A a, B b) { a < b; }
|| requires(A a, B b) { b == a; }
|| requires(A a, B b) { a -= b; }
|| requires(A a, B b) { min(a, b); }
|| requires(A a, B b) { fmadd(a, b, a); };

// A bare number beside lanes would have other bits than beside a scalar.
TYPED_TEST(LanesTest, BareNumbersAreRefused) {
  using F = typename TestFixture::F;
  using I = typename TestFixture::I;
  static_assert(Combines<F, F> && Combines<I, I>);
  static_assert(!Combines<F, double> && !Combines<F, float> && !Combines<F, int> &&
                !Combines<F, bool> && !Combines<F, I> && !Combines<F, Mask<F>>);
  static_assert(!Combines<I, double> && !Combines<I, float> && !Combines<I, unsigned> &&
                !Combines<I, long> && !Combines<I, bool>);
  static_assert(!std::is_convertible_v<double, F> && !std::is_convertible_v<float, F> &&
                !std::is_convertible_v<int, F> && !std::is_convertible_v<F, float> &&
                !std::is_convertible_v<double, I> && !std::is_convertible_v<bool, I>);
  static_assert(!std::is_convertible_v<bool, Mask<F>>);
  static_assert(!requires(Mask<F> mask) { mask ? 1 : 0; });
  const I three(3);
  EXPECT_TRUE(all(three == 3)) << "an int beside integers is the same for every F";
  EXPECT_EQ((three * 2 - 1).get(0), 5);
  EXPECT_TRUE(all(mask_of<F>(true)));
  EXPECT_FALSE(any(mask_of<F>(false)));
}

TYPED_TEST(LanesTest, CompoundAssignment) {
  using F = typename TestFixture::F;
  F a(3.0f);
  a += F(2.0f);
  EXPECT_EQ(a.get(0), 5.0f);
  a -= F(1.0f);
  EXPECT_EQ(a.get(TestFixture::W - 1), 4.0f);
  a *= F(-0.5f);
  EXPECT_EQ(a.get(0), -2.0f);
}

TYPED_TEST(LanesTest, BroadcastKeepsTheSignOfZero) {
  using F = typename TestFixture::F;
  for (int lane = 0; lane < TestFixture::W; lane++) {
    EXPECT_TRUE(same(F(-0.0f).get(lane), -0.0f));
    EXPECT_TRUE(same(F(0.0f).get(lane), 0.0f));
    EXPECT_TRUE(same(F(INFINITY).get(lane), INFINITY));
    EXPECT_TRUE(same(F(NAN).get(lane), NAN));
    EXPECT_TRUE(same(F(0x1p-149f).get(lane), 0x1p-149f));
  }
}

TYPED_TEST(LanesTest, FloatComparisonAndSelection) {
  const auto& x = this->x_;
  const auto& y = this->y_;
  this->expect_mask(
      "<", [](auto a, auto b) { return a < b; }, std::less<float>(), x, y);
  this->expect_mask(
      ">", [](auto a, auto b) { return a > b; }, std::greater<float>(), x, y);
  this->expect_mask(
      "<=", [](auto a, auto b) { return a <= b; }, std::less_equal<float>(), x, y);
  this->expect_mask(
      ">=", [](auto a, auto b) { return a >= b; }, std::greater_equal<float>(), x, y);
  this->expect_mask(
      "==", [](auto a, auto b) { return a == b; }, std::equal_to<float>(), x, y);
  this->expect_mask(
      "!=", [](auto a, auto b) { return a != b; }, std::not_equal_to<float>(), x, y);
  this->expect_mask(
      "mask logic", [](auto a, auto b) { return ((a < b) | (a == b)) & !(b > b); },
      [](float a, float b) { return (a < b) || (a == b); }, x, y);
  const auto scalar_min = [](float a, float b) { return gallop::min(a, b); };
  const auto scalar_max = [](float a, float b) { return gallop::max(a, b); };
  this->expect_same(
      "min", [](auto a, auto b) { return min(a, b); }, scalar_min, x, y);
  this->expect_same(
      "max", [](auto a, auto b) { return max(a, b); }, scalar_max, x, y);
  this->expect_same(
      "select", [](auto a, auto b, auto c) { return select(a < b, b, c); },
      [](float a, float b, float c) { return a < b ? b : c; }, x, y, this->z_);
}

TYPED_TEST(LanesTest, MinAndMaxReturnTheSecondArgumentForNan) {
  using F = typename TestFixture::F;
  EXPECT_TRUE(same(min(F(1.0f), F(NAN)).get(0), NAN));
  EXPECT_TRUE(same(max(F(1.0f), F(NAN)).get(0), NAN));
  EXPECT_TRUE(same(min(F(NAN), F(1.0f)).get(0), 1.0f));
  EXPECT_TRUE(same(max(F(NAN), F(1.0f)).get(0), 1.0f));
}

TYPED_TEST(LanesTest, Integers) {
  std::vector<std::int32_t> a, b, c;
  for (int i = 0; i < kCount; i++) {
    a.push_back(std::int32_t(this->words_[i]) >> 2);  // sums of two stay within 32 bits
    b.push_back(std::int32_t(this->words_[(i * 3 + 1) % kCount]) >> 2);
    c.push_back(std::int32_t(this->words_[i]) >> 17);
  }
  this->expect_same(
      "+", [](auto p, auto q) { return p + q; }, std::plus<int>(), a, b);
  this->expect_same(
      "-", [](auto p, auto q) { return p - q; }, std::minus<int>(), a, b);
  this->expect_same(
      "*", [](auto p, auto q) { return p * q; }, std::multiplies<int>(), c, c);
  this->expect_same(
      "&", [](auto p, auto q) { return p & q; }, std::bit_and<int>(), a, b);
  this->expect_same(
      "|", [](auto p, auto q) { return p | q; }, std::bit_or<int>(), a, b);
  this->expect_same(
      "^", [](auto p, auto q) { return p ^ q; }, std::bit_xor<int>(), a, b);
  this->expect_same(
      "~", [](auto p) { return ~p; }, std::bit_not<int>(), a);
  this->expect_mask(
      "<", [](auto p, auto q) { return p < q; }, std::less<int>(), a, b);
  this->expect_mask(
      ">=", [](auto p, auto q) { return p >= q; }, std::greater_equal<int>(), a, b);
  this->expect_mask(
      "==", [](auto p, auto q) { return p == q; }, std::equal_to<int>(), a, a);
  this->expect_same(
      "max", [](auto p, auto q) { return max(p, q); }, [](int p, int q) { return p > q ? p : q; },
      a, b);
  for (int n = 0; n < 31; n++) {
    this->expect_same(
        ">>", [n](auto p) { return p >> n; }, [n](int p) { return p >> n; }, a);
    this->expect_same(
        "<<", [n](auto p) { return p << n; }, [n](int p) { return int(unsigned(p) << n); }, a);
  }
  this->expect_same(
      "to_real", [](auto p) { return to_real(p); }, [](int p) { return float(p); }, a);
  this->expect_same(
      "to_word", [](auto p) { return to_word(p); }, [](int p) { return std::uint32_t(p); }, a);
}

TYPED_TEST(LanesTest, Words) {
  using F = typename TestFixture::F;
  const std::vector<std::uint32_t>& a = this->words_;
  std::vector<std::uint32_t> b = a, low24 = a;
  for (int i = 0; i < kCount; i++) b[i] = a[(i * 3 + 1) % kCount], low24[i] = a[i] >> 8;
  this->expect_same(
      "+", [](auto p, auto q) { return p + q; }, std::plus<unsigned>(), a, b);
  this->expect_same(
      "-", [](auto p, auto q) { return p - q; }, std::minus<unsigned>(), a, b);
  this->expect_same(
      "*", [](auto p, auto q) { return p * q; }, std::multiplies<unsigned>(), a, b);
  this->expect_same(
      "^", [](auto p, auto q) { return p ^ q; }, std::bit_xor<unsigned>(), a, b);
  this->expect_mask(
      "<", [](auto p, auto q) { return p < q; }, std::less<unsigned>(), a, b);
  for (int n = 0; n < 32; n++) {
    this->expect_same(
        ">>", [n](auto p) { return p >> n; }, [n](unsigned p) { return p >> n; }, a);
    this->expect_same(
        "<<", [n](auto p) { return p << n; }, [n](unsigned p) { return p << n; }, a);
  }
  this->expect_same(
      "to_real", [](auto p) { return WordConversion<F>::to_real(p); },
      [](unsigned p) { return float(p); }, low24);
}

TYPED_TEST(LanesTest, WideProducts) {
  using U = typename TestFixture::U;
  const auto part = [](bool wants_high, std::uint32_t factor) {
    return [=](U p) {
      U high, low;
      multiply_wide(p, factor, high, low);
      return wants_high ? high : low;
    };
  };
  const std::vector<std::uint32_t>& a = this->words_;
  for (const std::uint32_t factor : {0u, 1u, 2u, 0xD2511F53u, 0xCD9E8D57u, 0xffffffffu}) {
    const auto product = [=](std::uint32_t p) { return std::uint64_t(p) * factor; };
    this->expect_same(
        "high half", part(true, factor),
        [&](std::uint32_t p) { return std::uint32_t(product(p) >> 32); }, a);
    this->expect_same(
        "low half", part(false, factor), [&](std::uint32_t p) { return std::uint32_t(product(p)); },
        a);
  }
}

TYPED_TEST(LanesTest, BitsAndConversions) {
  std::vector<float> moderate;
  TestBits bits;
  for (int i = 0; i < kCount; i++) moderate.push_back(bits.between(-2e9f, 2e9f));
  for (int i = 0; i < kCount / 2; i++) moderate[i] = bits.between(-3.0f, 3.0f);
  this->expect_same(
      "to_int", [](auto a) { return to_int(a); }, [](float a) { return std::int32_t(a); },
      moderate);
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> beyond(kCount, std::numeric_limits<float>::quiet_NaN());
  const float some[] = {infinity, -infinity, 0x1p31f, -0x1p31f, 0x1.8p31f, -0x1.8p31f, 3e38f};
  std::copy(std::begin(some), std::end(some), beyond.begin());
  this->expect_same(
      "to_int of no integer", [](auto a) { return to_int(a); }, [](float) { return INT32_MIN; },
      beyond);
  this->expect_same(
      "as_int", [](auto a) { return as_int(a); }, [](float a) { return std::int32_t(bits_of(a)); },
      this->x_);
  std::vector<std::int32_t> patterns(this->words_.begin(), this->words_.end());
  this->expect_same(
      "as_float and back", [](auto a) { return as_int(as_float(a)); },
      [](std::int32_t a) { return a; }, patterns);
}

TYPED_TEST(LanesTest, AnyAndAll) {
  using F = typename TestFixture::F;
  const F nothing(0.0f);
  EXPECT_FALSE(any(nothing > nothing));
  EXPECT_FALSE(all(nothing > nothing));
  EXPECT_TRUE(any(nothing == nothing));
  EXPECT_TRUE(all(nothing == nothing));
  for (int lane = 0; lane < TestFixture::W; lane++) {
    F one = nothing;
    one.set(lane, 1.0f);
    EXPECT_TRUE(any(one > nothing)) << lane;
    EXPECT_FALSE(all(one > nothing)) << lane;
    EXPECT_TRUE(any(one == nothing)) << lane;
    EXPECT_FALSE(all(one == nothing)) << lane;
  }
}

TYPED_TEST(LanesTest, Gather) {
  std::vector<float> table = any_floats(1024);
  std::vector<std::int32_t> index;
  for (int i = 0; i < kCount; i++) index.push_back(std::int32_t(this->words_[i] % table.size()));
  this->expect_same(
      "gather", [&](auto k) { return gather(table.data(), k); },
      [&](std::int32_t k) { return table[k]; }, index);
  this->expect_same(
      "gather_words", [&](auto k) { return gather_words(index.data(), k); },
      [&](std::int32_t k) { return index[k]; }, index);
}

TYPED_TEST(LanesTest, ListsTheLanesOfAMaskInOrder) {
  using F = typename TestFixture::F;
  constexpr int W = TestFixture::W;
  for (int i = 0; i < kCount; i += W) {
    const F x = load_lanes(this->x_.data() + i, W, F());
    const F y = load_lanes(this->y_.data() + i, W, F());
    std::vector<std::int32_t> expected, listed(W, -1);
    for (int lane = 0; lane < W; lane++) {
      if (x.get(lane) < y.get(lane)) expected.push_back(1000 + lane);
    }
    listed.resize(list_lanes(listed.data(), x < y, 1000));
    ASSERT_EQ(listed, expected) << i;
  }
}

TYPED_TEST(LanesTest, ConsecutiveWordsWrapAround) {
  using F = typename TestFixture::F;
  for (const std::uint32_t first : {0u, 5u, 0xfffffff8u}) {
    const auto words = consecutive_words<F>(first);
    for (int lane = 0; lane < TestFixture::W; lane++) {
      EXPECT_EQ(words.get(lane), first + std::uint32_t(lane));
    }
  }
}

TYPED_TEST(LanesTest, PartialLoadsReadNoFurther) {
  using F = typename TestFixture::F;
  using U = typename TestFixture::U;
  constexpr int W = TestFixture::W;
  for (int count = 0; count <= W; count++) {
    // Arrays of exactly `count` elements: the address sanitizer sees any read beyond.
    const std::vector<float> x(this->x_.begin(), this->x_.begin() + count);
    const std::vector<std::uint32_t> u(this->words_.begin(), this->words_.begin() + count);
    const std::vector<std::uint8_t> m(count, 1);
    const F lanes = load_lanes(x.data(), count, F());
    const U words = load_words(u.data(), count, U());
    const auto mask = mask_to_int<F>(load_mask(m.data(), count, F()));
    for (int lane = 0; lane < W; lane++) {
      EXPECT_TRUE(same(lanes.get(lane), lane < count ? x[lane] : 0.0f)) << count << " " << lane;
      EXPECT_EQ(words.get(lane), lane < count ? u[lane] : 0u) << count << " " << lane;
      EXPECT_EQ(mask.get(lane), lane < count ? 1 : 0) << count << " " << lane;
    }
  }
}

TYPED_TEST(LanesTest, FlagsOfAnyValueAreSetOrClear) {
  using F = typename TestFixture::F;
  constexpr int W = TestFixture::W;
  for (int trial = 0; trial < 64; trial++) {
    std::vector<std::uint8_t> flags(W);
    for (int i = 0; i < W; i++) flags[i] = std::uint8_t(this->words_[trial * W + i] >> 30 << 6);
    flags[trial % W] = std::uint8_t(trial % 2 == 0 ? 1 : 128);
    const auto set = load_mask(flags.data(), W, F()), clear = load_clear(flags.data(), W, F());
    std::uint8_t stored[W];
    store_mask(stored, set, W);
    for (int lane = 0; lane < W; lane++) {
      EXPECT_EQ(mask_to_int<F>(set).get(lane), flags[lane] != 0 ? 1 : 0);
      EXPECT_EQ(mask_to_int<F>(clear).get(lane), flags[lane] == 0 ? 1 : 0);
      EXPECT_EQ(stored[lane], flags[lane] != 0 ? 1 : 0);
    }
    EXPECT_TRUE(all(set ^ clear));
    EXPECT_FALSE(any(set ^ set));
    const F x = load_lanes(this->x_.data() + 256 + trial, W, F());
    for (int lane = 0; lane < W; lane++) {
      EXPECT_TRUE(same(zero_unless(set, x).get(lane), flags[lane] != 0 ? x.get(lane) : 0.0f));
    }
  }
}

TYPED_TEST(LanesTest, StoresPastTheCachesAreStoresWhereverTheyGo) {
  using F = typename TestFixture::F;
  constexpr int W = TestFixture::W;
  alignas(64) float to[3 * W];
  const F x = load_lanes(this->x_.data() + 256, W, F());
  for (int at = 0; at <= W; at++) {
    for (const int count : {W, W / 2 + 1, 0}) {
      for (float& v : to) v = -7.0f;
      store_past_caches(to + at, x, count);
      _mm_sfence();
      for (int i = 0; i < 3 * W; i++) {
        EXPECT_TRUE(same(to[i], i >= at && i < at + count ? x.get(i - at) : -7.0f)) << at;
      }
    }
  }
}

TYPED_TEST(LanesTest, PartialStoresWriteNoFurther) {
  using F = typename TestFixture::F;
  using U = typename TestFixture::U;
  constexpr int W = TestFixture::W;
  const F x = load_lanes(this->x_.data() + 256, W, F());
  const auto odd = (consecutive_words<F>(0) & U(1u)) != U(0u);
  for (int count = 0; count <= W; count++) {
    float plain[W + 1], masked[W + 1];
    std::uint8_t flags[W + 1];
    for (int i = 0; i <= W; i++) plain[i] = masked[i] = -7.0f, flags[i] = 77;
    store_lanes(plain, x, count);
    store_where(masked, odd, x, count);
    store_mask(flags, odd, count);
    for (int i = 0; i <= W; i++) {
      EXPECT_TRUE(same(plain[i], i < count ? x.get(i) : -7.0f)) << count << " " << i;
      EXPECT_TRUE(same(masked[i], i < count && i % 2 == 1 ? x.get(i) : -7.0f)) << count << " " << i;
      EXPECT_EQ(flags[i], i < count ? i % 2 : 77) << count << " " << i;
    }
  }
}

}  // namespace
}  // namespace gallop::testing

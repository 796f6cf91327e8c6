// Philox4x32-10 against Random123's known answers, against Random123 itself, against cuRAND's host
// generator, and lanes against scalars.
#include <gallop/kernels/random/philox.h>

#include <dlfcn.h>

#include <Random123/philox.h>

#include "tests/kernels/isa_numbers.h"

namespace gallop::testing {
namespace {

using Words = std::vector<std::uint32_t>;

Words scalar_block(const Words& counter, const Words& key) {
  const auto block =
      philox<std::uint32_t>(counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
  return Words(block.word, block.word + 4);
}

// Rows "philox4x32 10" of Random123 1.14's kat_vectors.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(scalar_block({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(scalar_block({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      scalar_block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EqualsRandom123) {
  TestBits bits;
  for (int i = 0; i < 100'000; i++) {
    const Words counter = {bits.next(), bits.next(), bits.next(), bits.next()};
    const Words key = {bits.next(), bits.next()};
    const r123::Philox4x32::ctr_type c = {{counter[0], counter[1], counter[2], counter[3]}};
    const r123::Philox4x32::key_type k = {{key[0], key[1]}};
    const r123::Philox4x32::ctr_type want = r123::Philox4x32()(c, k);
    ASSERT_EQ(scalar_block(counter, key), Words(want.begin(), want.end()));
  }
}

template <class Width>
class PhiloxLanesTest : public ::testing::Test {};
using Widths = ::testing::Types<std::integral_constant<int, 8>, std::integral_constant<int, 16>>;
TYPED_TEST_SUITE(PhiloxLanesTest, Widths);

TYPED_TEST(PhiloxLanesTest, EveryLaneHasTheWordsOfTheScalar) {
  constexpr int W = TypeParam::value;
  using U = WordLanes<W>;
  TestBits bits;
  for (int i = 0; i < 1000; i++) {
    std::uint32_t counter[4][W];
    for (auto& row : counter) {
      for (std::uint32_t& word : row) word = bits.next();
    }
    const Words key = {bits.next(), bits.next()};
    U c[4];
    for (int k = 0; k < 4; k++) c[k] = load_words(counter[k], W, U());
    const PhiloxBlock<U> block = philox<U>(c[0], c[1], c[2], c[3], key[0], key[1]);
    for (int lane = 0; lane < W; lane++) {
      const Words want = scalar_block(
          {counter[0][lane], counter[1][lane], counter[2][lane], counter[3][lane]}, key);
      for (int k = 0; k < 4; k++) ASSERT_EQ(block.word[k].get(lane), want[k]);
    }
  }
}

// cuRAND's host generator needs no device. Its n-th block of four words has the counter
// (n / 65536, 0, n mod 65536, 0): 65536 subsequences in turn.
class CurandHost {
 public:
  CurandHost() {
    for (const char* name :
         {"libcurand.so.10", "libcurand.so", "/usr/local/cuda/lib64/libcurand.so.10"}) {
      if (library_ == nullptr) library_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
  }
  bool found() const { return library_ != nullptr; }

  Words generate(unsigned long long seed, size_t count) {
    constexpr int kPhilox = 161;  // CURAND_RNG_PSEUDO_PHILOX4_32_10
    void* generator = nullptr;
    EXPECT_EQ(call<int(void**, int)>("curandCreateGeneratorHost")(&generator, kPhilox), 0);
    EXPECT_EQ(
        call<int(void*, unsigned long long)>("curandSetPseudoRandomGeneratorSeed")(generator, seed),
        0);
    Words words(count, 0xdeadbeef);
    EXPECT_EQ(call<int(void*, unsigned*, size_t)>("curandGenerate")(generator, words.data(), count),
              0);
    EXPECT_EQ(call<int(void*)>("curandDestroyGenerator")(generator), 0);
    return words;
  }

 private:
  template <class Signature>
  Signature* call(const char* name) {
    void* address = dlsym(library_, name);
    if (address == nullptr) throw std::runtime_error(std::string("libcurand has no ") + name);
    return reinterpret_cast<Signature*>(address);
  }
  void* library_ = nullptr;
};

TEST(Philox, EqualsCurandsHostGenerator) {
  CurandHost curand;
  if (!curand.found()) GTEST_SKIP() << "the CUDA toolkit's libcurand is not on this machine";
  for (const std::uint64_t seed : {std::uint64_t(0), std::uint64_t(0x123456789abcdef0)}) {
    const Words words = curand.generate(seed, size_t(1) << 19);
    const Words key = {std::uint32_t(seed), std::uint32_t(seed >> 32)};
    for (std::uint32_t n = 0; n < words.size() / 4; n++) {
      const Words got(words.begin() + 4 * n, words.begin() + 4 * n + 4);
      ASSERT_EQ(scalar_block({n / 65536, 0, n % 65536, 0}, key), got) << "block " << n;
    }
  }
}

}  // namespace
}  // namespace gallop::testing

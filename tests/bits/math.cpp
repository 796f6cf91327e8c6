#include <gallop/kernels/numerics/math.h>
#include <gallop/kernels/numerics/native.h>
#include <gallop/kernels/random/stream.h>
#include "tests/bits/hash.h"

namespace gallop::bits {
namespace {

constexpr int kW = kLanesOf<Native>;

// Numbers of all bits (the step is odd, so every exponent and sign occurs), a multiple of 16 of
// them.
constexpr int kCount = 1 << 16;
float number(int i) { return __builtin_bit_cast(float, std::uint32_t(i) * 65539u); }

template <class Function>
void print_function(const char* name, Function f) {
  Hash hash;
  for (int i = 0; i < kCount; i += kW) {
    float x[kW], z[kW], y[kW];
    for (int lane = 0; lane < kW; lane++) {
      x[lane] = number(i + lane);
      z[lane] = number((i + lane) * 7 + 5);
    }
    store_lanes(y, f(load_lanes(x, kW, Native()), load_lanes(z, kW, Native())), kW);
    for (const float value : y) hash.add(value);
  }
  hash.print("math", name);
}

float drawn[7][1 << 14];  // [draw, id]

template <class Draw>
void print_draws(const char* name, Draw draw) {
  Hash hash;
  for (int i = 0; i < 1 << 14; i += kW) {
    Rng<Native> rng(0x5eed5eed5eed, kRandomDynamics, consecutive_words<Native>(std::uint32_t(i)),
                    Word<Native>(3u), Word<Native>(9u));
    for (int k = 0; k < 7; k++) {
      float y[kW];
      store_lanes(y, draw(rng), kW);
      // By id, whatever the register.
      for (int lane = 0; lane < kW; lane++) drawn[k][i + lane] = y[lane];
    }
  }
  for (int i = 0; i < 1 << 14; i++) {
    for (int k = 0; k < 7; k++) hash.add(drawn[k][i]);
  }
  hash.print("random", name);
}

}  // namespace

void print_math() {
  print_function("fmadd", [](Native x, Native z) { return fmadd(x, z, x); });
  print_function("divide", [](Native x, Native z) { return x / z; });
  print_function("sqrt", [](Native x, Native) { return sqrt(x); });
  print_function("reciprocal", [](Native x, Native) { return reciprocal(x); });
  print_function("min", [](Native x, Native z) { return min(x, z); });
  print_function("max", [](Native x, Native z) { return max(x, z); });
  print_function("sin", [](Native x, Native) { return gallop::sin(x); });
  print_function("cos", [](Native x, Native) { return gallop::cos(x); });
  print_function("exp", [](Native x, Native) { return gallop::exp(x); });
  print_function("log", [](Native x, Native) { return gallop::log(x); });
  print_function("tanh", [](Native x, Native) { return gallop::tanh(x); });
  print_function("pow", [](Native x, Native z) { return gallop::pow(x, z); });
  print_function("pow in range", [](Native x, Native z) {
    return gallop::pow(x, min(Native(4.0f), max(Native(-4.0f), z)));
  });
  print_function("atan2", [](Native x, Native z) { return gallop::atan2(x, z); });
  print_function("floor", [](Native x, Native) {
    return gallop::floor(min(Native(1e6f), max(Native(-1e6f), x)));
  });
}

void print_random() {
  print_draws("uniform", [](Rng<Native>& rng) { return rng.uniform(); });
  print_draws("normal", [](Rng<Native>& rng) { return rng.normal(); });
}

}  // namespace gallop::bits

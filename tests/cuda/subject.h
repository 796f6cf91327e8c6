// The backend under test and the CPU backend that it has to equal bit for bit. Compiled twice: for
// the executor of CUDA blocks (gallop_cuda_test), and for a real device (gallop_gpu_test).
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <gallop/host/runtime/backend.h>

#ifndef GALLOP_GPU_TEST
#include "tests/cuda/executor_device.h"
#include "tests/executor/options.h"
#endif

namespace gallop::testing {

// What the backend finds out about the device goes to `note`.
inline std::unique_ptr<Backend> make_subject(
    const std::function<void(const std::string&)>& note = nullptr) {
#ifdef GALLOP_GPU_TEST
  std::string why;
  std::unique_ptr<Backend> backend = make_cuda_backend(-1, why, note);
  if (backend == nullptr) throw std::runtime_error("no device to test: " + why);
  return backend;
#else
  return make_kernel_backend(make_executor_device(), note);
#endif
}

// Runs the body in every order of threads that the executor has; once on a device.
template <class Body>
void in_every_order(const Body& body) {
#ifdef GALLOP_GPU_TEST
  body();
#else
  for (const executor::ThreadOrder order : executor::kAllOrders) {
    const executor::ScopedOptions options({.order = order});
    SCOPED_TRACE(::testing::Message() << "thread order " << int(order));
    body();
  }
#endif
}

// Deterministic numbers for inputs: a linear congruential generator.
class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : state_(seed * 2654435761u + 12345u) {}
  std::uint32_t word() {
    state_ = state_ * 1664525u + 1013904223u;
    return state_ ^ state_ >> 15;
  }
  float uniform(float low, float high) {
    return low + (high - low) * float(word() >> 8) * 0x1p-24f;
  }
  std::vector<float> many(std::size_t n, float low, float high) {
    std::vector<float> values(n);
    for (float& x : values) x = uniform(low, high);
    return values;
  }
  std::vector<std::uint8_t> flags(std::size_t n, float share) {
    std::vector<std::uint8_t> values(n);
    for (std::uint8_t& x : values) x = uniform(0.0f, 1.0f) < share ? 1 : 0;
    return values;
  }

 private:
  std::uint32_t state_;
};

// An array of a backend that begins as a poison, so that what nobody wrote is the same everywhere
// and what one side forgot differs.
template <class T>
DeviceArray<T> poisoned(Backend& backend, std::size_t size) {
  DeviceArray<T> array(backend, size);
  std::vector<T> poison(size);
  std::memset(static_cast<void*>(poison.data()), 0xa5, size * sizeof(T));
  array.upload(poison);
  return array;
}

template <class T>
DeviceArray<T> uploaded(Backend& backend, const std::vector<T>& values) {
  DeviceArray<T> array(backend, values.size());
  array.upload(values);
  return array;
}

// The same bits, or both not a number: which NaN it is does not belong to them. x86 makes
// 0xffc00000 of what has no result and hands on those that it is given, a GPU makes 0x7fffffff of
// either.
template <class T>
bool is_same(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a && b != b) return true;
  }
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

// Of all numbers, with the first difference named.
template <class T>
::testing::AssertionResult same_bits(const std::vector<T>& expected, const std::vector<T>& actual) {
  if (expected.size() != actual.size()) {
    return ::testing::AssertionFailure() << expected.size() << " against " << actual.size();
  }
  std::size_t n_different = 0, first = 0;
  for (std::size_t i = 0; i < expected.size(); i++) {
    if (is_same(expected[i], actual[i])) continue;
    if (n_different++ == 0) first = i;
  }
  if (n_different == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << n_different << " of " << expected.size() << " differ, first at " << first
         << ": expected " << +expected[first] << ", got " << +actual[first];
}

// True where every byte is still the poison.
template <class T>
bool untouched(const std::vector<T>& values) {
  for (const T& x : values) {
    unsigned char bytes[sizeof(T)];
    std::memcpy(bytes, &x, sizeof(T));
    for (const unsigned char byte : bytes) {
      if (byte != 0xa5) return false;
    }
  }
  return true;
}

}  // namespace gallop::testing

// What tests of the C interface have in common: handles that are destroyed, arrays with their
// shapes.
#pragma once

#include <gallop/host/c_api/gallop.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace gallop::testing {

template <class Handle, void (*kDestroy)(Handle*)>
struct Destroy {
  void operator()(Handle* handle) const { kDestroy(handle); }
};
using CBackend = std::unique_ptr<gallop_backend, Destroy<gallop_backend, gallop_backend_destroy>>;
using CBatch = std::unique_ptr<gallop_batch, Destroy<gallop_batch, gallop_batch_destroy>>;
using CPolicy = std::unique_ptr<gallop_policy, Destroy<gallop_policy, gallop_policy_destroy>>;
using COptions = std::unique_ptr<gallop_options, Destroy<gallop_options, gallop_options_destroy>>;

#define EXPECT_OK(call) EXPECT_EQ(call, GALLOP_OK) << gallop_last_error()
#define ASSERT_OK(call) ASSERT_EQ(call, GALLOP_OK) << gallop_last_error()

// The call fails with this code, and its text holds `part`.
#define EXPECT_FAILS(call, code, part)                                        \
  do {                                                                        \
    EXPECT_EQ(call, code);                                                    \
    EXPECT_EQ(gallop_last_error_code(), code);                                \
    EXPECT_NE(std::string(gallop_last_error()).find(part), std::string::npos) \
        << "'" << gallop_last_error() << "' does not say '" << (part) << "'"; \
  } while (false)

inline CBackend c_backend(int threads = 1) {
  gallop_backend_options options = {};
  options.size = sizeof options;
  options.threads = threads;
  gallop_backend* backend = nullptr;
  EXPECT_OK(gallop_backend_create(&options, &backend));
  return CBackend(backend);
}

inline gallop_batch_options batch_options(int n_envs, std::uint64_t seed = 0,
                                          int autoreset = GALLOP_NEXT_STEP) {
  gallop_batch_options options = {};
  options.size = sizeof options;
  options.n_envs = n_envs;
  options.seed = seed;
  options.autoreset = autoreset;
  return options;
}

inline CBatch c_batch(gallop_backend* backend, const char* environment,
                      const gallop_batch_options& options) {
  gallop_batch* batch = nullptr;
  EXPECT_OK(gallop_batch_create(backend, environment, &options, &batch));
  return CBatch(batch);
}

inline gallop_batch_info info_of(const gallop_batch* batch) {
  gallop_batch_info info = {};
  info.size = sizeof info;
  EXPECT_OK(gallop_batch_get_info(batch, &info));
  return info;
}

// An array with its shape, of numbers of type T.
template <class T>
struct CArray {
  std::vector<std::int64_t> shape, strides;
  std::vector<T> values;

  CArray(std::vector<std::int64_t> of, T fill = T()) : shape(std::move(of)) {
    std::int64_t size = 1;
    for (const std::int64_t n : shape) size *= n;
    values.assign(std::size_t(size), fill);
  }
  gallop_array view() {
    gallop_array array = {};
    array.size = sizeof array;
    array.dtype = std::is_same_v<T, float>          ? GALLOP_FLOAT32
                  : std::is_same_v<T, std::int64_t> ? GALLOP_INT64
                  : std::is_same_v<T, std::int32_t> ? GALLOP_INT32
                                                    : GALLOP_UINT8;
    array.data = values.data();
    array.ndim = std::int32_t(shape.size());
    array.shape = shape.data();
    array.strides = strides.empty() ? nullptr : strides.data();
    return array;
  }
};

// All that a step can tell, in rows of instances.
struct CStep {
  CArray<float> observation, final_observation, reward, episode_return;
  CArray<std::uint8_t> terminated, truncated;
  CArray<std::int32_t> episode_length;
  gallop_array views[7];
  gallop_step_output output = {};

  explicit CStep(const gallop_batch_info& of)
      : observation({of.n_envs, of.observation_rows}),
        final_observation({of.n_envs, of.observation_rows}),
        reward({of.n_envs}),
        episode_return({of.n_envs}),
        terminated({of.n_envs}),
        truncated({of.n_envs}),
        episode_length({of.n_envs}) {
    views[0] = observation.view();
    views[1] = final_observation.view();
    views[2] = reward.view();
    views[3] = terminated.view();
    views[4] = truncated.view();
    views[5] = episode_return.view();
    views[6] = episode_length.view();
    output.size = sizeof output;
    output.observation = &views[0];
    output.final_observation = &views[1];
    output.reward = &views[2];
    output.terminated = &views[3];
    output.truncated = &views[4];
    output.episode_return = &views[5];
    output.episode_length = &views[6];
  }
  CStep(const CStep&) = delete;

  // Bits of what every step writes.
  std::string bits() const {
    std::string all;
    const auto add = [&](const auto& values) {
      all.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
    };
    add(observation.values);
    add(reward.values);
    add(terminated.values);
    add(truncated.values);
    return all;
  }
};

}  // namespace gallop::testing

// Files of policies whose digest is right and whose contents no policy can have.
#include <cmath>
#include <limits>

#include <gallop/host/error.h>
#include <gallop/host/export/policy_file.h>
#include <gallop/kernels/policy/heads.h>
#include <gtest/gtest.h>
#include "tests/host/edited_tensors.h"

namespace gallop::testing {
namespace {

PortablePolicy example() {
  PortablePolicy policy;
  policy.shape = {{NetworkKind::kMlp, Activation::kRelu, 2, {3, 8, 1}}, Head::kGaussian, 1};
  policy.parameters.assign(std::size_t(parameter_count(policy.shape)), 0.5f);
  policy.mean = {1, 2, 3};
  policy.inverse_std = {1, 1, 2};
  policy.limit = 5;
  policy.about.environment = "pendulum";
  policy.about.algorithm = "ppo";
  policy.about.steps = 7;
  policy.about.observation = {{"a", -1, 1}, {"b", -1, 1}, {"c", -8, 8}};
  policy.about.action = {{"torque", -2, 2}};
  return policy;
}

void expect_refused(const TensorFile& file, const std::string& part) {
  try {
    from_policy_file(file, "policy.safetensors");
    ADD_FAILURE() << "accepted, expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::checkpoint) << error.what();
    const std::string text = error.what();
    EXPECT_NE(text.find(part), std::string::npos) << text;
    EXPECT_EQ(text.find("'policy.safetensors': "), 0u) << text;
  }
}

TensorFile with_text(const TensorFile& file, const std::string& key, const std::string& text) {
  TensorFile copy = test::without_tensor(file, "");
  copy.set_text(key, text);
  return copy;
}

TEST(PolicyFile, IsReadAsItWasWritten) {
  const PortablePolicy policy = example();
  const PortablePolicy read = from_policy_file(to_policy_file(policy), "it");
  EXPECT_EQ(read.parameters, policy.parameters);
  EXPECT_EQ(read.inverse_std, policy.inverse_std);
  EXPECT_EQ(read.limit, 5);
  EXPECT_EQ(read.about.steps, 7u);
  EXPECT_EQ(read.about.observation[2].name, "c");
  EXPECT_EQ(read.about.action[0].high, 2);
  EXPECT_EQ(metadata_text(read), metadata_text(policy));
  EXPECT_FALSE(is_policy_file({}));
}

TEST(PolicyFile, EveryTensorIsNeeded) {
  const TensorFile good = to_policy_file(example());
  for (const auto& [name, tensor] : good.tensors()) {
    expect_refused(test::without_tensor(good, name), name);
  }
}

TEST(PolicyFile, HostileContentsAreRefused) {
  const TensorFile good = to_policy_file(example());
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  using test::with_element;
  expect_refused(with_element<float>(good, "parameters", 3, nan), "parameter 3");
  expect_refused(with_element<float>(good, "mean", 0, infinity), "mean 0");
  expect_refused(with_element<float>(good, "inverse_std", 2, nan), "inverse_std 2");
  for (const float limit : {0.0f, -1.0f, nan, infinity}) {
    expect_refused(with_element<float>(good, "limit", 0, limit), "limit");
  }
  for (const std::int32_t width : {0, -1, 1 << 30, 9}) {
    expect_refused(with_element<std::int32_t>(good, "widths", 1, width),
                   width == 9 ? "parameters" : "width");
  }
  expect_refused(with_element<std::int32_t>(good, "widths", 0, 8192), "parameters");
  for (const std::int32_t n : {0, -1, 2, 1 << 30}) {
    expect_refused(with_element<std::int32_t>(good, "n_actions", 0, n), "action");
  }
  expect_refused(with_element<double>(good, "action_low", 0, 3), "action_low");
  expect_refused(with_element<double>(good, "action_low", 0, std::nan("")), "action_low");
  expect_refused(with_text(good, "head", "softmax"), "softmax");
  expect_refused(with_text(good, "network", "tabular"), "");
  expect_refused(with_text(good, "gallop.policy", "2"), "format 2");
}

TEST(PolicyFile, WhatIsNotFiniteIsNotWritten) {
  PortablePolicy policy = example();
  policy.parameters[4] = std::nanf("");
  try {
    to_policy_file(policy);
    ADD_FAILURE() << "written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::value);
    EXPECT_NE(std::string(error.what()).find("parameter 4"), std::string::npos);
  }
}

}  // namespace
}  // namespace gallop::testing

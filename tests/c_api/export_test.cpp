// Exported policies act as the engine does, by readers of the test's own.
#include <array>
#include <cstdlib>
#include <fstream>

#include <gallop/host/files/durable_file.h>
#include <nlohmann/json.hpp>
#include "tests/c_api/c_calls.h"
#include "tests/c_api/onnx_interpreter.h"
#include "tests/host/temporary_folder.h"
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

struct Example {
  const char* name;
  std::int32_t network, activation, head, n_actions;
  std::vector<std::int32_t> widths;
  bool normalises;
  const char* environment;  // null for none
};

// Every network, activation and head, with and without normalisation and bounds.
const std::vector<Example>& examples() {
  static const std::vector<Example> all = {
      {"poles", GALLOP_MLP, GALLOP_TANH, GALLOP_CATEGORICAL, 2, {4, 64, 64, 2}, true, "cartpole"},
      {"bounded", GALLOP_MLP, GALLOP_RELU, GALLOP_GAUSSIAN, 1, {3, 32, 1}, true, "pendulum"},
      {"two_heads",
       GALLOP_MLP,
       GALLOP_TANH,
       GALLOP_GAUSSIAN_NETWORK,
       1,
       {3, 16, 8, 2},
       false,
       "pendulum"},
      {"squashed",
       GALLOP_MLP,
       GALLOP_RELU,
       GALLOP_SQUASHED_GAUSSIAN,
       1,
       {3, 16, 2},
       false,
       "pendulum"},
      {"squashed_mode",
       GALLOP_MLP,
       GALLOP_TANH,
       GALLOP_SQUASHED_DETERMINISTIC,
       3,
       {5, 8, 3},
       true,
       nullptr},
      {"linear", GALLOP_MLP, GALLOP_TANH, GALLOP_DETERMINISTIC, 3, {5, 3}, true, nullptr},
      {"deep_linear",
       GALLOP_MLP,
       GALLOP_IDENTITY,
       GALLOP_CATEGORICAL,
       5,
       {7, 4, 5},
       false,
       nullptr},
      {"table", GALLOP_TABULAR, GALLOP_TANH, GALLOP_CATEGORICAL, 2, {3, 2}, false, "mdp"},
      {"wide_table",
       GALLOP_TABULAR,
       GALLOP_TANH,
       GALLOP_GAUSSIAN_NETWORK,
       2,
       {6, 4},
       false,
       nullptr}};
  return all;
}

long n_parameters(const Example& e) {
  if (e.network == GALLOP_TABULAR) return long(e.widths[0]) * e.widths[1];
  const long own = e.head == GALLOP_GAUSSIAN                 ? 1
                   : e.head == GALLOP_SQUASHED_GAUSSIAN      ? 2
                   : e.head == GALLOP_SQUASHED_DETERMINISTIC ? 3
                                                             : 0;
  long n = own * e.n_actions;
  for (std::size_t l = 0; l + 1 < e.widths.size(); l++) {
    n += (e.widths[l] + 1L) * e.widths[l + 1];
  }
  return n;
}

CPolicy policy_of(gallop_backend* backend, const Example& e) {
  Random random{17};
  std::vector<float> parameters(std::size_t(n_parameters(e)));
  for (float& x : parameters) x = float(random.normal());
  std::vector<float> mean(std::size_t(e.widths[0])), inverse_std(mean.size());
  for (float& x : mean) x = float(random.normal());
  for (float& x : inverse_std) x = float(0.5 + std::abs(random.normal()));
  gallop_policy_options options = {};
  options.size = sizeof options;
  options.network = e.network;
  options.activation = e.activation;
  options.head = e.head;
  options.n_actions = e.n_actions;
  options.n_layers = std::int32_t(e.widths.size()) - 1;
  options.widths = e.widths.data();
  options.parameters = parameters.data();
  options.n_parameters = parameters.size();
  if (e.normalises) {
    options.mean = mean.data();
    options.inverse_std = inverse_std.data();
    options.limit = 1.5f;
  }
  options.environment = e.environment;
  gallop_policy* policy = nullptr;
  EXPECT_OK(gallop_policy_create(backend, &options, &policy)) << e.name;
  return CPolicy(policy);
}

bool is_discrete(const Example& e) { return e.head == GALLOP_CATEGORICAL; }
bool is_table(const Example& e) { return e.network == GALLOP_TABULAR; }

// Observations of an example, and the engine's actions, limited as the environment limits them.
struct Expected {
  static constexpr int kCount = 1000;
  CArray<float> observation, action;
  explicit Expected(const gallop_policy* policy, const Example& e)
      : observation({kCount, is_table(e) ? 1 : e.widths[0]}),
        action({kCount, is_discrete(e) ? 1 : e.n_actions}) {
    Random random{23};
    for (float& x : observation.values) {
      x = is_table(e) ? float(random.below(e.widths[0])) : float(2 * random.normal());
    }
    const gallop_array from = observation.view(), to = action.view();
    EXPECT_OK(gallop_policy_act(const_cast<gallop_policy*>(policy), &from, nullptr, &to, nullptr));
    if (e.environment == nullptr || std::string(e.environment) != "pendulum") return;
    for (float& x : action.values) x = std::min(2.0f, std::max(-2.0f, x));
  }
};

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(CExport, OnnxHasTheEnginesActions) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  for (const Example& e : examples()) {
    const CPolicy policy = policy_of(backend.get(), e);
    const std::string path = folder / (std::string(e.name) + ".onnx");
    ASSERT_OK(gallop_policy_export(policy.get(), path.c_str(), nullptr));
    const OnnxModel model(contents(path));
    EXPECT_EQ(model.ir_version, 8u);
    EXPECT_EQ(model.opset, 17u);
    EXPECT_EQ(model.input_type,
              is_table(e) ? "int64 [batch]" : "float [batch, " + std::to_string(e.widths[0]) + "]");
    EXPECT_EQ(model.output_type, is_discrete(e)
                                     ? "int64 [batch]"
                                     : "float [batch, " + std::to_string(e.n_actions) + "]");
    EXPECT_EQ(model.metadata.count("environment"), e.environment == nullptr ? 0u : 1u);
    EXPECT_EQ(model.metadata.at("parameters_sha256").size(), 64u);

    const Expected expected(policy.get(), e);
    const std::vector<float>&x = expected.observation.values, &a = expected.action.values;
    const Rows got = model.run({Expected::kCount, std::size_t(expected.observation.shape[1]),
                                std::vector<double>(x.begin(), x.end())});
    ASSERT_EQ(got.values.size(), a.size()) << e.name;
    int differ = 0;
    for (std::size_t k = 0; k < a.size(); k++) {
      differ +=
          std::abs(got.values[k] - double(a[k])) > 1e-5 * std::max(1.0, std::abs(double(a[k])));
    }
    EXPECT_EQ(differ, 0) << e.name << " of " << a.size();
  }
}

TEST(CExport, TheBoundsOfAnActionAreInTheGraph) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  const Example& bounded = examples()[1];
  const CPolicy policy = policy_of(backend.get(), bounded);
  const Expected expected(policy.get(), bounded);
  const auto at_bound = std::count_if(expected.action.values.begin(), expected.action.values.end(),
                                      [](float a) { return std::abs(a) == 2.0f; });
  EXPECT_GT(at_bound, 100);
  EXPECT_LT(at_bound, 900);
  const std::string path = folder / "bounded.onnx";
  ASSERT_OK(gallop_policy_export(policy.get(), path.c_str(), nullptr));
  const OnnxModel model(contents(path));
  EXPECT_EQ(model.operators,
            (std::vector<std::string>{"Sub", "Mul", "Clip", "Gemm", "Relu", "Gemm", "Max", "Min"}));
  EXPECT_EQ(nlohmann::json::parse(model.metadata.at("action_high"))[0], 2.0);
}

// A C program that reads observations and writes actions, as floats.
std::string c_program(const Example& e) {
  const std::string act = e.name + std::string("_act");
  const std::string in = is_table(e) ? "(int)x[0]" : "x";
  const std::string one =
      is_discrete(e) ? "a[0] = (float)" + act + "(" + in + ");" : act + "(" + in + ", a);";
  return "#include \"" + std::string(e.name) +
         ".h\"\n#include <stdio.h>\nint main(void) {\n  float x[" +
         std::to_string(is_table(e) ? 1 : e.widths[0]) + "], a[" +
         std::to_string(is_discrete(e) ? 1 : e.n_actions) +
         "];\n  while (fread(x, sizeof x, 1, stdin) == 1) {\n    " + one +
         "\n    fwrite(a, sizeof a, 1, stdout);\n  }\n  return 0;\n}\n";
}

TEST(CExport, CHeadersHaveTheEnginesBits) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  for (const Example& e : examples()) {
    const CPolicy policy = policy_of(backend.get(), e);
    const std::string base = folder / e.name;
    ASSERT_OK(gallop_policy_export(policy.get(), (base + ".h").c_str(), nullptr));
    const Expected expected(policy.get(), e);
    std::ofstream(base + ".c") << c_program(e);
    const std::vector<float>& x = expected.observation.values;
    std::ofstream(base + ".in", std::ios::binary)
        .write(reinterpret_cast<const char*>(x.data()), long(x.size() * sizeof(float)));
    const std::string compile =
        "cc -std=c99 -pedantic -Wall -Wextra -Werror -O1 " + base + ".c -o " + base +
        " -lm && g++ -std=c++11 -Wall -Werror -fsyntax-only -x c++ " + base + ".c";
    ASSERT_EQ(std::system(compile.c_str()), 0) << e.name;
    ASSERT_EQ(std::system((base + " < " + base + ".in > " + base + ".out").c_str()), 0);
    const std::string out = contents(base + ".out");
    const std::vector<float>& a = expected.action.values;
    ASSERT_EQ(out.size(), a.size() * sizeof(float)) << e.name;
    EXPECT_EQ(std::memcmp(out.data(), a.data(), out.size()), 0) << e.name;
  }
}

// The arrays of an .npz file by their names: header and data of each. ZIP without compression.
std::map<std::string, std::pair<std::string, std::string>> arrays_in(const std::string& zip) {
  std::map<std::string, std::pair<std::string, std::string>> arrays;
  const auto number = [&](std::size_t at, int bytes) {
    std::size_t value = 0;
    for (int k = bytes; k-- > 0;) value = value << 8 | std::uint8_t(zip.at(at + std::size_t(k)));
    return value;
  };
  for (std::size_t at = 0; zip.compare(at, 4, "PK\x03\x04") == 0;) {
    const std::size_t size = number(at + 18, 4), name_size = number(at + 26, 2);
    const std::string name = zip.substr(at + 30, name_size),
                      npy = zip.substr(at + 30 + name_size, size);
    const std::size_t header = std::uint8_t(npy.at(8)) + 256u * std::uint8_t(npy.at(9));
    EXPECT_EQ((10 + header) % 64, 0u);
    arrays[name] = {npy.substr(10, header), npy.substr(10 + header)};
    at += 30 + name_size + size;
  }
  return arrays;
}

TEST(CExport, NpzHoldsTheNumbers) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  const Example& e = examples()[1];
  const CPolicy policy = policy_of(backend.get(), e);
  const std::string path = folder / "policy.npz";
  ASSERT_OK(gallop_policy_export(policy.get(), path.c_str(), nullptr));
  auto arrays = arrays_in(contents(path));
  EXPECT_EQ(arrays.size(), 11u);
  EXPECT_NE(
      arrays["weight_0.npy"].first.find("'descr': '<f4', 'fortran_order': False, 'shape': (3, 32)"),
      std::string::npos);
  EXPECT_NE(arrays["limit.npy"].first.find("'shape': ()"), std::string::npos);
  EXPECT_NE(arrays["log_std.npy"].first.find("'shape': (1,)"), std::string::npos);
  std::vector<float> parameters(std::size_t(n_parameters(e)));
  ASSERT_OK(gallop_policy_get_parameters(policy.get(), parameters.data(), parameters.size()));
  const std::string joined = arrays["weight_0.npy"].second + arrays["bias_0.npy"].second +
                             arrays["weight_1.npy"].second + arrays["bias_1.npy"].second +
                             arrays["log_std.npy"].second;
  ASSERT_EQ(joined.size(), parameters.size() * sizeof(float));
  EXPECT_EQ(std::memcmp(joined.data(), parameters.data(), joined.size()), 0);
  // The checksum of the first file, by zlib's definition.
  const std::string zip = contents(path);
  EXPECT_EQ(std::system(("python3 -c 'import sys, zipfile; sys.exit(zipfile.ZipFile(\"" + path +
                         "\").testzip() is not None)'")
                            .c_str()),
            0);
}

TEST(CExport, SavedPoliciesAreLoadedBitForBit) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  for (const Example& e : examples()) {
    const CPolicy policy = policy_of(backend.get(), e);
    const std::string path = folder / (std::string(e.name) + ".safetensors");
    ASSERT_OK(gallop_policy_export(policy.get(), path.c_str(), nullptr));
    gallop_policy* read = nullptr;
    ASSERT_OK(gallop_policy_load(backend.get(), path.c_str(), &read)) << e.name;
    const CPolicy owned(read);
    const Expected before(policy.get(), e), after(read, e);
    EXPECT_TRUE(same_bits(before.action.values, after.action.values)) << e.name;
    gallop_policy_info info = {};
    info.size = sizeof info;
    ASSERT_OK(gallop_policy_get_info(read, &info));
    EXPECT_EQ(info.environment == nullptr ? "" : std::string(info.environment),
              e.environment == nullptr ? "" : e.environment);
    EXPECT_EQ(info.checkpoint, path);
    const bool bounded = e.environment != nullptr && std::string(e.environment) == "pendulum";
    ASSERT_EQ(info.action_high != nullptr, bounded);
    if (bounded) {
      EXPECT_EQ(info.action_high[0], 2.0);
    }
    // It says all that the first one did.
    const std::string again = folder / "again.safetensors";
    ASSERT_OK(gallop_policy_export(read, again.c_str(), "safetensors"));
    EXPECT_EQ(contents(again), contents(path)) << e.name;
  }
}

TEST(CExport, DamagedFilesAreRefused) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  const CPolicy policy = policy_of(backend.get(), examples()[1]);
  const std::string path = folder / "policy.safetensors";
  ASSERT_OK(gallop_policy_export(policy.get(), path.c_str(), nullptr));
  const std::string good = contents(path);
  gallop_policy* read = nullptr;
  for (std::size_t at = 0; at < good.size(); at += 37) {
    std::string bad = good;
    bad[at] = char(bad[at] ^ 0x10);
    std::ofstream(path, std::ios::binary) << bad;
    EXPECT_EQ(gallop_policy_load(backend.get(), path.c_str(), &read), GALLOP_CHECKPOINT) << at;
    EXPECT_EQ(read, nullptr);
  }
}

TEST(CExport, WhatCannotBeWrittenIsRefused) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  const CPolicy policy = policy_of(backend.get(), examples()[0]);
  const auto refused = [&](const std::string& path, const char* format, int code,
                           const char* part) {
    EXPECT_FAILS(gallop_policy_export(policy.get(), (folder / path).c_str(), format), code, part);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << path;
  };
  refused("policy.pt", nullptr, GALLOP_VALUE, "to_torchscript");
  refused("policy.tflite", nullptr, GALLOP_VALUE, ".onnx, .h, .npz or .safetensors");
  refused("policy", nullptr, GALLOP_VALUE, "no format");
  refused("policy.onnx", "keras", GALLOP_VALUE, "'keras'");
  refused("no/policy.onnx", nullptr, GALLOP_IO, "no/policy.onnx");
  EXPECT_FAILS(gallop_policy_export(nullptr, "a.onnx", nullptr), GALLOP_VALUE, "policy");
  EXPECT_FAILS(gallop_policy_export(policy.get(), nullptr, nullptr), GALLOP_VALUE, "path");
}

TEST(CPolicies, InitialOnesAreThoseThatARunBeginsWith) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  gallop_options* made = nullptr;
  ASSERT_OK(gallop_options_create("pendulum", "ppo", &made));
  const COptions options(made);
  for (const auto& [name, value] : {std::pair("steps", "1"),
                                    {"seed", "7"},
                                    {"hidden", "16,8"},
                                    {"learning_rate", "0"},
                                    {"init_log_std", "-0.5"},
                                    {"eval_episodes", "1"}}) {
    ASSERT_OK(gallop_options_set(made, name, value));
  }
  const std::string run = folder / "run";
  ASSERT_OK(gallop_train(backend.get(), made, run.c_str(), nullptr, nullptr));
  gallop_policy* trained = nullptr;
  ASSERT_OK(gallop_policy_load(backend.get(), run.c_str(), &trained));
  const CPolicy owned(trained);
  const std::int32_t widths[] = {3, 16, 8, 1};
  gallop_policy_options first = {};
  first.size = sizeof first;
  first.head = GALLOP_GAUSSIAN;
  first.n_actions = 1;
  first.n_layers = 3;
  first.widths = widths;
  first.initial = 1;
  first.seed = 7;
  first.log_std = -0.5f;
  first.environment = "Pendulum-v1";
  gallop_policy* untrained = nullptr;
  ASSERT_OK(gallop_policy_create(backend.get(), &first, &untrained));
  const CPolicy owned_too(untrained);
  const std::size_t n = 3 * 16 + 16 + 16 * 8 + 8 + 8 + 1 + 1;
  std::vector<float> a(n), b(n);
  ASSERT_OK(gallop_policy_get_parameters(trained, a.data(), n));
  ASSERT_OK(gallop_policy_get_parameters(untrained, b.data(), n));
  EXPECT_TRUE(same_bits(a, b));
  first.seed = 8;
  gallop_policy* other = nullptr;
  ASSERT_OK(gallop_policy_create(backend.get(), &first, &other));
  const CPolicy owned_other(other);
  ASSERT_OK(gallop_policy_get_parameters(other, b.data(), n));
  EXPECT_FALSE(same_bits(a, b));
  const std::int32_t narrow[] = {2, 16, 8, 1};
  first.widths = narrow;
  EXPECT_FAILS(gallop_policy_create(backend.get(), &first, &other), GALLOP_VALUE, "2 components");
  first.widths = widths;
  first.environment = "cartpole";
  EXPECT_FAILS(gallop_policy_create(backend.get(), &first, &other), GALLOP_VALUE, "cartpole");
}

}  // namespace
}  // namespace gallop::testing

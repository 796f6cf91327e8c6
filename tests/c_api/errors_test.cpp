// What the C interface refuses: with a code, a text that names the thing, and nothing changed.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <thread>

#include "tests/c_api/c_calls.h"

namespace gallop::testing {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(CErrors, VersionsAreCompared) {
  EXPECT_EQ(gallop_abi_version(), GALLOP_ABI_VERSION);
  EXPECT_OK(gallop_check_abi(GALLOP_ABI_VERSION));
  EXPECT_OK(gallop_check_abi(std::uint32_t(GALLOP_ABI_MAJOR) << 16));
  EXPECT_FAILS(gallop_check_abi(GALLOP_ABI_VERSION + 1), GALLOP_VALUE, "later library");
  EXPECT_FAILS(gallop_check_abi(GALLOP_ABI_VERSION + (1u << 16)), GALLOP_VALUE, "interface");
  EXPECT_STRNE(gallop_version(), "");
  EXPECT_NE(std::string(gallop_build_info()).find(gallop_version()), std::string::npos);
}

TEST(CErrors, NullPointersAreNamed) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(2));
  gallop_batch* made = nullptr;
  EXPECT_FAILS(gallop_backend_create(nullptr, nullptr), GALLOP_VALUE, "backend");
  EXPECT_FAILS(gallop_batch_create(nullptr, "cartpole", nullptr, &made), GALLOP_VALUE, "backend");
  EXPECT_FAILS(gallop_batch_create(backend.get(), nullptr, nullptr, &made), GALLOP_VALUE, "name");
  EXPECT_FAILS(gallop_batch_create(backend.get(), "cartpole", nullptr, nullptr), GALLOP_VALUE,
               "batch");
  EXPECT_FAILS(gallop_batch_reset(nullptr), GALLOP_VALUE, "batch is a null pointer");
  EXPECT_FAILS(gallop_batch_observe(batch.get(), nullptr), GALLOP_VALUE, "observations");
  EXPECT_FAILS(gallop_batch_step(batch.get(), nullptr, nullptr), GALLOP_VALUE, "actions");
  EXPECT_FAILS(gallop_batch_rollout(batch.get(), nullptr, 0, nullptr), GALLOP_VALUE, "trajectory");
  EXPECT_FAILS(gallop_policy_load(backend.get(), nullptr, nullptr), GALLOP_VALUE, "policy");
  EXPECT_FAILS(gallop_load_plugin(nullptr), GALLOP_VALUE, "path");
  EXPECT_FAILS(gallop_load_plugin("/nothing.so"), GALLOP_USAGE, "/nothing.so");
  EXPECT_FAILS(gallop_environment_spec("cartpole", nullptr), GALLOP_VALUE, "spec");
  gallop_backend_destroy(nullptr);
  gallop_batch_destroy(nullptr);
  gallop_policy_destroy(nullptr);
  gallop_options_destroy(nullptr);
}

TEST(CErrors, UnknownNamesComeWithTheNearest) {
  const CBackend backend = c_backend(1);
  gallop_batch* made = nullptr;
  const gallop_spec* spec = nullptr;
  gallop_options* options = nullptr;
  EXPECT_FAILS(gallop_batch_create(backend.get(), "cartpol", nullptr, &made), GALLOP_USAGE,
               "cartpole");
  EXPECT_EQ(made, nullptr);
  EXPECT_FAILS(gallop_environment_spec("cartpol", &spec), GALLOP_USAGE, "cartpole");
  EXPECT_FAILS(gallop_options_create("cartpole", "pppo", &options), GALLOP_USAGE, "ppo");
  const CBatch batch = c_batch(backend.get(), "CartPole-v1", batch_options(2));
  EXPECT_FAILS(gallop_batch_set_parameter(batch.get(), "gravit", 1), GALLOP_USAGE, "gravity");
  EXPECT_FAILS(gallop_batch_set_parameter(batch.get(), "gravity", kNan), GALLOP_VALUE, "gravity");
  gallop_backend* other = nullptr;
  gallop_backend_options device = {};
  device.size = sizeof device;
  device.device = "tpu";
  EXPECT_FAILS(gallop_backend_create(&device, &other), GALLOP_VALUE, "tpu");
  device.device = "cpu";
  device.threads = -1;
  EXPECT_FAILS(gallop_backend_create(&device, &other), GALLOP_VALUE, "-1");
  device.threads = 1;
  device.stream = &device;
  EXPECT_FAILS(gallop_backend_create(&device, &other), GALLOP_VALUE, "stream");
}

TEST(CErrors, StructsOfOtherVersionsAreTakenAsFarAsTheyGo) {
  const CBackend backend = c_backend(1);
  struct Later {
    gallop_batch_options known;
    std::uint64_t added;
  } later = {batch_options(3, 8), 0};
  later.known.size = sizeof later;
  gallop_batch* made = nullptr;
  ASSERT_OK(gallop_batch_create(backend.get(), "cartpole", &later.known, &made));
  EXPECT_EQ(info_of(CBatch(made).get()).n_envs, 3);
  later.added = 1;
  EXPECT_FAILS(gallop_batch_create(backend.get(), "cartpole", &later.known, &made), GALLOP_VALUE,
               "a later one");
  gallop_batch_options earlier = batch_options(3, 8);
  earlier.size = offsetof(gallop_batch_options, seed);  // it has n_envs, and no seed
  ASSERT_OK(gallop_batch_create(backend.get(), "cartpole", &earlier, &made));
  const CBatch batch(made);
  EXPECT_EQ(info_of(made).n_envs, 3);
  EXPECT_EQ(info_of(made).seed, 0u);
  earlier.size = 0;
  EXPECT_FAILS(gallop_batch_create(backend.get(), "cartpole", &earlier, &made), GALLOP_VALUE,
               "size is 0");
  gallop_batch_info info;
  std::memset(static_cast<void*>(&info), 0x55, sizeof info);
  info.size = offsetof(gallop_batch_info, observation_kind);
  ASSERT_OK(gallop_batch_get_info(made == nullptr ? batch.get() : batch.get(), &info));
  EXPECT_EQ(info.n_envs, 3);
  EXPECT_EQ(info.observation_kind, 0x55555555);
}

TEST(CErrors, OptionsOutOfRange) {
  const CBackend backend = c_backend(1);
  const auto refused = [&](const char* part, const auto& change) {
    gallop_batch_options options = batch_options(2);
    change(options);
    gallop_batch* made = nullptr;
    EXPECT_FAILS(gallop_batch_create(backend.get(), "cartpole", &options, &made), GALLOP_VALUE,
                 part);
    EXPECT_EQ(made, nullptr);
  };
  refused("n_envs is -1", [](auto& o) { o.n_envs = -1; });
  refused("seed", [](auto& o) { o.seed = std::uint64_t(1) << 56; });
  refused("autoreset is 3", [](auto& o) { o.autoreset = 3; });
  refused("time_limit is -2", [](auto& o) { o.time_limit = -2; });
  refused("id_offset", [](auto& o) { o.id_offset = 0xffffffffu; });
}

TEST(CErrors, CallsBeforeTheFirstReset) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(2));
  CArray<float> observation({2, 4});
  CArray<std::uint8_t> mask({2}, 1);
  const gallop_array view = observation.view(), mask_view = mask.view();
  const std::uint64_t seeds[2] = {1, 2};
  const std::uint8_t one[2] = {1, 0};
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "before reset");
  EXPECT_FAILS(gallop_batch_reset_where(batch.get(), &mask_view), GALLOP_VALUE, "before reset");
  EXPECT_FAILS(gallop_batch_reset_seeds(batch.get(), seeds, one, 2), GALLOP_VALUE, "before reset");
  float state[8];
  EXPECT_FAILS(gallop_batch_get_state(batch.get(), state, 8), GALLOP_VALUE, "before reset");
}

TEST(CErrors, ArraysOfAnotherShapeOrType) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(2));
  ASSERT_OK(gallop_batch_reset(batch.get()));
  CArray<float> flat({8}), rows({4, 2}), good({2, 4});
  CArray<std::int64_t> whole({2, 4});
  gallop_array view = flat.view();
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "shape is [8]");
  view = rows.view();
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "expected [2, 4]");
  view = whole.view();
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "int64");
  view = good.view();
  view.data = nullptr;
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "null");
  view = good.view();
  view.data = reinterpret_cast<char*>(view.data) + 1;
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "aligned");
  view = good.view();
  view.device_type = GALLOP_DEVICE_CUDA;
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "device");
  view = good.view();
  view.dtype = 7;
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "gallop_dtype");
  view = good.view();
  view.ndim = 3;
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "ndim is 3");
  good.strides = {0, 1};
  view = good.view();
  EXPECT_FAILS(gallop_batch_observe(batch.get(), &view), GALLOP_VALUE, "strides");
  const float parameters[3] = {};
  EXPECT_FAILS(gallop_batch_set_parameters(batch.get(), "half_length", parameters, 3), GALLOP_VALUE,
               "expected 2");
}

TEST(CErrors, ActionsAreLookedAtFirst) {
  const CBackend backend = c_backend(1);
  const CBatch poles = c_batch(backend.get(), "cartpole", batch_options(3));
  ASSERT_OK(gallop_batch_reset(poles.get()));
  CArray<std::int64_t> whole({3});
  CArray<float> real({3});
  const gallop_array whole_view = whole.view(), real_view = real.view();
  for (const std::int64_t bad : {std::int64_t(2), std::int64_t(-1), std::int64_t(1) << 40}) {
    whole.values = {0, 1, bad};
    EXPECT_FAILS(gallop_batch_step(poles.get(), &whole_view, nullptr), GALLOP_VALUE,
                 "instance 2 of cartpole is " + std::to_string(bad));
  }
  for (const float bad : {0.5f, kNan, kInfinity, -1.0f, 1e30f}) {
    real.values = {0, bad, 1};
    EXPECT_FAILS(gallop_batch_step(poles.get(), &real_view, nullptr), GALLOP_VALUE, "instance 1");
  }
  EXPECT_EQ(info_of(poles.get()).time, 0u);

  const CBatch pendulums = c_batch(backend.get(), "pendulum", batch_options(3));
  ASSERT_OK(gallop_batch_reset(pendulums.get()));
  real.values = {0, 100, -kInfinity};
  EXPECT_FAILS(gallop_batch_step(pendulums.get(), &real_view, nullptr), GALLOP_VALUE,
               "instance 2 of pendulum is -inf in component 0");
  EXPECT_FAILS(gallop_batch_step(pendulums.get(), &whole_view, nullptr), GALLOP_VALUE, "int64");

  // Where nobody looks, the instance tells.
  gallop_batch_options unchecked = batch_options(3);
  unchecked.unchecked_actions = 1;
  const CBatch others = c_batch(backend.get(), "cartpole", unchecked);
  ASSERT_OK(gallop_batch_reset(others.get()));
  real.values = {0, 7, 1};
  ASSERT_OK(gallop_batch_step(others.get(), &real_view, nullptr));
  gallop_nonfinite nonfinite = {};
  nonfinite.size = sizeof nonfinite;
  ASSERT_OK(gallop_batch_get_nonfinite(others.get(), &nonfinite));
  EXPECT_EQ(nonfinite.found, 1);
  EXPECT_EQ(nonfinite.instance, 1u);
  EXPECT_EQ(nonfinite.time, 1u);
}

TEST(CErrors, PoliciesThatDoNotFit) {
  const CBackend backend = c_backend(1), other = c_backend(1);
  const std::int32_t widths[] = {4, 2};
  std::vector<float> parameters(10, 0.5f);
  const auto options = [&] {
    gallop_policy_options made = {};
    made.size = sizeof made;
    made.n_actions = 2;
    made.n_layers = 1;
    made.widths = widths;
    made.parameters = parameters.data();
    made.n_parameters = parameters.size();
    return made;
  };
  gallop_policy* policy = nullptr;
  const auto refused = [&](const char* part, const auto& change) {
    gallop_policy_options made = options();
    change(made);
    EXPECT_FAILS(gallop_policy_create(backend.get(), &made, &policy), GALLOP_VALUE, part);
    EXPECT_EQ(policy, nullptr);
  };
  refused("head is 6", [](auto& o) { o.head = 6; });
  refused("head is -1", [](auto& o) { o.head = -1; });
  refused("activation is -1", [](auto& o) { o.activation = -1; });
  refused("0 layers", [](auto& o) { o.n_layers = 0; });
  refused("100000 layers", [](auto& o) { o.n_layers = 100000; });
  refused("3 actions", [](auto& o) { o.n_actions = 3; });
  refused("expected 10", [](auto& o) { o.n_parameters = 9; });
  refused("widths", [](auto& o) { o.widths = nullptr; });
  const float one[4] = {1, 1, 1, 1};
  refused("inverse_std", [&](auto& o) { o.mean = one; });
  refused("limit is 0", [&](auto& o) { o.mean = o.inverse_std = one; });
  parameters[3] = kNan;
  refused("parameter 3", [](auto&) {});
  parameters[3] = 0;
  gallop_policy_options made = options();
  ASSERT_OK(gallop_policy_create(backend.get(), &made, &policy));
  const CPolicy owned(policy);
  const CBatch pendulums = c_batch(backend.get(), "pendulum", batch_options(1));
  const CBatch poles = c_batch(other.get(), "cartpole", batch_options(1));
  ASSERT_OK(gallop_batch_reset(pendulums.get()));
  ASSERT_OK(gallop_batch_reset(poles.get()));
  gallop_trajectory trajectory = {};
  trajectory.size = sizeof trajectory;
  trajectory.n_steps = 1;
  EXPECT_FAILS(gallop_batch_rollout(pendulums.get(), policy, 0, &trajectory), GALLOP_VALUE,
               "pendulum has 3");
  EXPECT_FAILS(gallop_batch_rollout(poles.get(), policy, 0, &trajectory), GALLOP_VALUE,
               "another backend");
  gallop_evaluation evaluation = {};
  evaluation.size = sizeof evaluation;
  EXPECT_FAILS(gallop_evaluate(backend.get(), policy, nullptr, nullptr, &evaluation), GALLOP_VALUE,
               "from no run");
  EXPECT_FAILS(gallop_evaluate(backend.get(), policy, "pendulum", nullptr, &evaluation),
               GALLOP_VALUE, "pendulum");
  EXPECT_OK(gallop_evaluate(backend.get(), policy, "cartpole", nullptr, &evaluation));
  EXPECT_EQ(evaluation.episodes, 100);
  EXPECT_FAILS(gallop_policy_load(backend.get(), "/no/such/run", &policy), GALLOP_IO,
               "/no/such/run");
}

// As the program refuses the flag; what stands in a document may be the default of the rest.
TEST(CErrors, HiddenLayersThatAPolicyOfTheEnvironmentHasNotAreRefused) {
  const CBackend backend = c_backend(1);
  const std::string run = ::testing::TempDir() + "/gallop-own-" + std::to_string(::getpid());
  for (const char* algorithm : {"cem", "trpo"}) {
    gallop_options* options = nullptr;
    ASSERT_OK(gallop_options_create("helicopter", algorithm, &options));
    const COptions owned(options);
    ASSERT_OK(gallop_options_set(options, "policy", "own"));
    ASSERT_OK(gallop_options_set(options, "hidden", "64"));
    EXPECT_FAILS(gallop_train(backend.get(), options, run.c_str(), nullptr, nullptr), GALLOP_VALUE,
                 "hidden is 64 (the caller)");
    EXPECT_FAILS(gallop_train(backend.get(), options, run.c_str(), nullptr, nullptr), GALLOP_VALUE,
                 "policy = network");
    EXPECT_NE(::access(run.c_str(), F_OK), 0) << "no folder is left";
    ASSERT_OK(gallop_options_set(options, "steps", "1"));
    ASSERT_OK(gallop_options_set(options, "eval_episodes", "1"));
    ASSERT_OK(gallop_options_apply(options, "hidden = [64]"));
    EXPECT_OK(gallop_train(backend.get(), options, run.c_str(), nullptr, nullptr));
    ASSERT_EQ(std::system(("rm -r '" + run + "'").c_str()), 0);
  }
}

TEST(CErrors, TextsAreOfTheirThread) {
  EXPECT_FAILS(gallop_batch_reset(nullptr), GALLOP_VALUE, "batch");
  std::thread([] { EXPECT_STREQ(gallop_last_error(), ""); }).join();
  EXPECT_NE(std::string(gallop_last_error()).find("batch"), std::string::npos);
}

TEST(CErrors, ABackendServesOneCallerAtATime) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(8));
  gallop_options* options = nullptr;
  ASSERT_OK(gallop_options_create("cartpole", "ppo", &options));
  const COptions owned(options);
  ASSERT_OK(gallop_options_set(options, "steps", "20000"));
  struct Told {
    gallop_batch* batch;
    int status = GALLOP_OK;
  } told = {batch.get()};
  gallop_callbacks callbacks = {};
  callbacks.size = sizeof callbacks;
  callbacks.user = &told;
  callbacks.progress = [](void* user, const gallop_progress*) {
    Told& t = *static_cast<Told*>(user);
    std::thread([&t] { t.status = gallop_batch_reset(t.batch); }).join();
    return 1;
  };
  char folder[] = "/tmp/gallop-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string run = std::string(folder) + "/run";
  EXPECT_OK(gallop_train(backend.get(), options, run.c_str(), &callbacks, nullptr));
  EXPECT_EQ(told.status, GALLOP_BUSY);
  EXPECT_OK(gallop_batch_reset(batch.get()));
  ASSERT_EQ(std::system(("rm -r " + std::string(folder)).c_str()), 0);
}

TEST(CErrors, HandlesGoInAnyOrder) {
  CBackend backend = c_backend(2);
  CBatch batch = c_batch(backend.get(), "cartpole", batch_options(200));
  backend.reset();
  EXPECT_OK(gallop_batch_reset(batch.get()));
  batch.reset();
}

TEST(CErrors, AChildOfForkGoesOnAndEnds) {
  CBackend backend = c_backend(3);
  CBatch batch = c_batch(backend.get(), "cartpole", batch_options(2000, 3));
  ASSERT_OK(gallop_batch_reset(batch.get()));
  CArray<float> action({2000}), reward({2000});
  const gallop_array view = action.view(), reward_view = reward.view();
  gallop_step_output output = {};
  output.size = sizeof output;
  output.reward = &reward_view;
  ASSERT_OK(gallop_batch_step(batch.get(), &view, &output));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(60);  // instead of a wait for ever
    const bool steps = gallop_batch_step(batch.get(), &view, &output) == GALLOP_OK;
    batch.reset();
    backend.reset();
    ::_exit(steps && reward.values[1999] == 1.0f ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_OK(gallop_batch_step(batch.get(), &view, &output));
}

}  // namespace
}  // namespace gallop::testing

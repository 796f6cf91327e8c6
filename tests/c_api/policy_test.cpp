// Training, policies and evaluation by the C interface have the bits of the C++ library's.
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/training/train.h>
#include <gallop/host/training/trained_policy.h>
#include "tests/c_api/c_calls.h"
#include "tests/host/temporary_folder.h"
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

struct Told {
  int calls = 0, stop_after = 1 << 30;
  std::uint64_t steps = 0;
};

int count_iterations(void* user, const gallop_progress* progress) {
  Told& told = *static_cast<Told*>(user);
  told.steps = progress->steps;
  return ++told.calls >= told.stop_after ? 1 : 0;
}

COptions c_options(const char* environment, const char* algorithm, const char* steps) {
  gallop_options* options = nullptr;
  EXPECT_OK(gallop_options_create(environment, algorithm, &options));
  EXPECT_OK(gallop_options_set(options, "steps", steps));
  EXPECT_OK(gallop_options_set(options, "eval_episodes", "5"));
  return COptions(options);
}

gallop_result train(gallop_backend* backend, const gallop_options* options,
                    const std::string& folder, Told& told, bool resumes = false) {
  gallop_callbacks callbacks = {};
  callbacks.size = sizeof callbacks;
  callbacks.user = &told;
  callbacks.progress = count_iterations;
  gallop_result result = {};
  result.size = sizeof result;
  if (resumes) {
    EXPECT_OK(gallop_resume(backend, folder.c_str(), &callbacks, &result));
  } else {
    EXPECT_OK(gallop_train(backend, options, folder.c_str(), &callbacks, &result));
  }
  return result;
}

CPolicy c_policy(gallop_backend* backend, const std::string& path) {
  gallop_policy* policy = nullptr;
  EXPECT_OK(gallop_policy_load(backend, path.c_str(), &policy));
  return CPolicy(policy);
}

gallop_policy_info info_of(const gallop_policy* policy) {
  gallop_policy_info info = {};
  info.size = sizeof info;
  EXPECT_OK(gallop_policy_get_info(policy, &info));
  return info;
}

TEST(CTraining, HasTheBitsOfTheCppLibraryStoppedOrNot) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  const COptions options = c_options("cartpole", "ppo", "40000");
  Told whole, first, second;
  const gallop_result result = train(backend.get(), options.get(), folder.path() + "/whole", whole);
  EXPECT_EQ(result.finished, 1);
  EXPECT_GT(whole.calls, 2);
  EXPECT_EQ(std::uint64_t(whole.calls), result.iterations);
  EXPECT_EQ(whole.steps, result.steps);
  EXPECT_EQ(result.episodes, 5);

  first.stop_after = 2;
  const std::string parts = folder.path() + "/parts";
  const gallop_result stopped = train(backend.get(), options.get(), parts, first);
  EXPECT_EQ(stopped.finished, 0);
  EXPECT_EQ(first.calls, 2);
  const gallop_result resumed = train(backend.get(), nullptr, parts, second, true);
  EXPECT_EQ(resumed.finished, 1);
  EXPECT_STREQ(resumed.bits, result.bits);
  EXPECT_EQ(train(backend.get(), nullptr, parts, second, true).finished_before, 1);

  RunOptions same("cartpole", "ppo");
  same.set("steps", "40000", "test");
  same.set("eval_episodes", "5", "test");
  const char* toml = nullptr;
  ASSERT_OK(gallop_options_get_toml(options.get(), &toml));
  EXPECT_EQ(same.to_toml(), toml);
  const std::unique_ptr<Backend> cpp = make_cpu_backend(1);
  Training training(same, *cpp);
  const RunFolder run = RunFolder::create(folder.path() + "/cpp", same.to_toml());
  const TrainResult expected = training.run(run, false, {});
  EXPECT_EQ(expected.bits, result.bits);
  EXPECT_EQ(expected.evaluation.mean, result.mean_return);

  gallop_options* read = nullptr;
  ASSERT_OK(gallop_options_from_run(parts.c_str(), &read));
  const COptions owned(read);
  ASSERT_OK(gallop_options_get_toml(read, &toml));
  EXPECT_EQ(same.to_toml(), toml);
}

TEST(CTraining, ARunIsExtendedAndHasATimeLimit) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  const COptions short_options = c_options("cartpole", "ppo", "20000");
  const COptions options = c_options("cartpole", "ppo", "40000");
  const std::string run = folder.path() + "/run";
  for (const gallop_options* o : {short_options.get(), options.get()}) {
    for (const auto& [name, value] :
         {std::pair("anneal", "false"), std::pair("eval_interval", "4")}) {
      ASSERT_OK(gallop_options_set(const_cast<gallop_options*>(o), name, value));
    }
  }
  Told told, whole_told;
  train(backend.get(), short_options.get(), run, told);
  const gallop_result whole =
      train(backend.get(), options.get(), folder.path() + "/whole", whole_told);
  EXPECT_EQ(whole.has_best, 1);
  EXPECT_GE(whole.best_mean_return, 9);
  EXPECT_GT(whole.best_step, 0u);
  const auto resumed = [&](const char* name, const char* value) {
    gallop_options* read = nullptr;
    EXPECT_OK(gallop_options_from_run(run.c_str(), &read));
    const COptions owned(read);
    EXPECT_OK(gallop_options_set(read, name, value));
    gallop_result result = {};
    result.size = sizeof result;
    const int code = gallop_resume_with(backend.get(), run.c_str(), read, nullptr, &result);
    return std::pair(code, result);
  };
  EXPECT_EQ(resumed("gamma", "0.5").first, GALLOP_VALUE);
  EXPECT_EQ(resumed("steps", "10000").first, GALLOP_VALUE);
  EXPECT_EQ(resumed("keep", "1").second.finished_before, 1);
  const auto [code, longer] = resumed("steps", "40000");
  EXPECT_EQ(code, GALLOP_OK);
  EXPECT_EQ(longer.finished, 1);
  EXPECT_STREQ(longer.bits, whole.bits);
  EXPECT_FAILS(gallop_resume_with(backend.get(), run.c_str(), nullptr, nullptr, nullptr),
               GALLOP_VALUE, "options");
  ASSERT_OK(gallop_options_set(options.get(), "time_limit", "1e-9"));
  const gallop_result stopped =
      train(backend.get(), options.get(), folder.path() + "/stopped", told);
  EXPECT_EQ(stopped.finished, 0);
  EXPECT_EQ(stopped.reached_time_limit, 1);
}

TEST(CTraining, AFolderThatIsThereIsRefused) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(1);
  const COptions options = c_options("cartpole", "ppo", "1000");
  EXPECT_FAILS(gallop_train(backend.get(), options.get(), folder.path().c_str(), nullptr, nullptr),
               GALLOP_VALUE, "exists");
  EXPECT_FAILS(gallop_resume(backend.get(), folder.path().c_str(), nullptr, nullptr), GALLOP_VALUE,
               folder.path());
  EXPECT_FAILS(gallop_options_set(options.get(), "stepz", "3"), GALLOP_USAGE, "stepz");
  EXPECT_FAILS(gallop_options_set(options.get(), "steps", "many"), GALLOP_VALUE, "many");
  EXPECT_FAILS(gallop_options_apply(options.get(), "steps = ["), GALLOP_VALUE, "");
  ASSERT_OK(gallop_options_apply(options.get(), "steps = 5000\n[parameters]\ngravity = 5.0\n"));
  const char* toml = nullptr;
  ASSERT_OK(gallop_options_get_toml(options.get(), &toml));
  EXPECT_NE(std::string(toml).find("gravity = 5"), std::string::npos);
}

// A trained policy, by its folder and by its checkpoint.
void expect_same_policy(const char* environment, const char* algorithm, const char* steps) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(2);
  const COptions options = c_options(environment, algorithm, steps);
  Told told;
  const std::string path = folder.path() + "/run";
  train(backend.get(), options.get(), path, told);
  const CPolicy policy = c_policy(backend.get(), path);
  const gallop_policy_info info = info_of(policy.get());
  EXPECT_STREQ(info.environment, environment);
  EXPECT_STREQ(info.algorithm, algorithm);
  EXPECT_EQ(info.steps, told.steps);
  const CPolicy by_file = c_policy(backend.get(), info.checkpoint);

  const std::unique_ptr<Backend> cpp = make_cpu_backend(1);
  const TrainedPolicy trained = load_policy(*cpp, RunFolder::open_to_read(path), {});
  const PolicyView view = trained.algorithm->policy();
  std::vector<float> parameters(info.n_parameters), others(info.n_parameters);
  ASSERT_OK(gallop_policy_get_parameters(policy.get(), parameters.data(), parameters.size()));
  ASSERT_OK(gallop_policy_get_parameters(by_file.get(), others.data(), others.size()));
  EXPECT_TRUE(same_bits(parameters.data(), view.parameters, long(parameters.size())));
  EXPECT_TRUE(same_bits(parameters, others));

  std::vector<double> returns(7);
  std::vector<std::int64_t> lengths(7);
  gallop_evaluate_options asked = {};
  asked.size = sizeof asked;
  asked.episodes = 7;
  asked.seed = 13;
  asked.returns = returns.data();
  asked.lengths = lengths.data();
  asked.capacity = 7;
  gallop_evaluation evaluation = {};
  evaluation.size = sizeof evaluation;
  ASSERT_OK(gallop_evaluate(backend.get(), by_file.get(), nullptr, &asked, &evaluation));
  const Evaluation expected = evaluate_policy(*cpp, trained.options->environment(), view, 7, 13,
                                              true, trained.options->configure());
  EXPECT_EQ(evaluation.mean, expected.mean);
  EXPECT_EQ(evaluation.std, expected.std);
  EXPECT_EQ(returns, expected.returns);
  EXPECT_EQ(std::vector<long>(lengths.begin(), lengths.end()), expected.lengths);
}

TEST(CPolicies, AreEvaluatedWithOtherParameters) {
  const CBackend backend = c_backend(1);
  const std::int32_t widths[] = {4, 2};
  gallop_policy_options made = {};
  made.size = sizeof made;
  made.n_actions = 2;
  made.n_layers = 1;
  made.widths = widths;
  made.initial = 1;
  made.seed = 3;
  gallop_policy* policy = nullptr;
  ASSERT_OK(gallop_policy_create(backend.get(), &made, &policy));
  const CPolicy owned(policy);
  gallop_evaluate_options asked = {};
  asked.size = sizeof asked;
  asked.episodes = 6;
  gallop_evaluation one = {}, other = {};
  one.size = other.size = sizeof one;
  ASSERT_OK(gallop_evaluate(backend.get(), policy, "cartpole", &asked, &one));
  const char* const texts[] = {"gravity=2", "parameters.theta_limit=0.02", "gravitty=3"};
  asked.parameters = texts;
  asked.n_parameters = 2;
  ASSERT_OK(gallop_evaluate(backend.get(), policy, "cartpole", &asked, &other));
  EXPECT_NE(one.mean, other.mean);
  asked.n_parameters = 3;
  EXPECT_FAILS(gallop_evaluate(backend.get(), policy, "cartpole", &asked, &other), GALLOP_USAGE,
               "did you mean 'gravity'?");
}

TEST(CPolicies, LoadedOnesHaveTheBitsOfTheCppLibrary) {
  expect_same_policy("cartpole", "ppo", "20000");
  expect_same_policy("pendulum", "ppo", "20000");
  expect_same_policy("mdp", "reinforce", "20000");
  expect_same_policy("cartpole", "es", "20000");
}

// A loop of actions outside a rollout and steps gives the rollout.
void expect_act_is_rollout(const char* environment, int sample, int n) {
  const test::TemporaryFolder folder;
  const CBackend backend = c_backend(2);
  const COptions options = c_options(environment, "ppo", "5000");
  Told told;
  train(backend.get(), options.get(), folder.path() + "/run", told);
  const CPolicy policy = c_policy(backend.get(), folder.path() + "/run");

  const gallop_batch_options batch_of = batch_options(n, 21, GALLOP_SAME_STEP);
  const CBatch fused = c_batch(backend.get(), environment, batch_of);
  const CBatch stepped = c_batch(backend.get(), environment, batch_of);
  ASSERT_OK(gallop_batch_reset(fused.get()));
  ASSERT_OK(gallop_batch_reset(stepped.get()));
  const gallop_batch_info info = gallop::testing::info_of(fused.get());
  constexpr int kSteps = 70;
  const std::size_t rows = std::size_t(info.action_rows), size = std::size_t(n);
  std::vector<float> action(kSteps * rows * size), log_prob(kSteps * size), reward(kSteps * size);
  gallop_trajectory trajectory = {};
  trajectory.size = sizeof trajectory;
  trajectory.n_steps = kSteps;
  trajectory.action = action.data();
  trajectory.log_prob = log_prob.data();
  trajectory.reward = reward.data();
  ASSERT_OK(gallop_batch_rollout(fused.get(), policy.get(), sample == 0, &trajectory));

  gallop_batch_buffers buffers = {};
  buffers.size = sizeof buffers;
  ASSERT_OK(gallop_batch_get_buffers(stepped.get(), &buffers));
  CStep step(info);
  CArray<float> now({n, info.action_rows}), log_probs({n});
  const gallop_array now_view = now.view(), log_view = log_probs.view();
  gallop_act_options act = {};
  act.size = sizeof act;
  act.sample = sample;
  act.seed = 21;
  act.episodes = buffers.episode;
  act.steps = reinterpret_cast<const std::uint32_t*>(buffers.episode_length);
  ASSERT_OK(gallop_batch_observe(stepped.get(), step.output.observation));
  for (int t = 0; t < kSteps; t++) {
    ASSERT_OK(gallop_policy_act(policy.get(), step.output.observation, &act, &now_view, &log_view));
    for (std::size_t i = 0; i < size; i++) {
      for (std::size_t k = 0; k < rows; k++) {
        ASSERT_EQ(now.values[i * rows + k], action[(t * rows + k) * size + i])
            << environment << " step " << t << " instance " << i;
      }
    }
    ASSERT_TRUE(same_bits(log_probs.values.data(), &log_prob[t * size], n)) << t;
    ASSERT_OK(gallop_batch_step(stepped.get(), &now_view, &step.output));
    ASSERT_TRUE(same_bits(step.reward.values.data(), &reward[t * size], n)) << t;
  }
}

TEST(CPolicies, ActOutsideARolloutAsInOne) {
  for (const char* environment : {"cartpole", "pendulum", "mdp"}) {
    for (const int n : {1, 5, 70}) {
      expect_act_is_rollout(environment, 1, n);
      expect_act_is_rollout(environment, 0, n);
    }
  }
}

TEST(CPolicies, ActForOneOfManyAlike) {
  const std::int32_t widths[] = {3, 8, 2};
  std::vector<float> parameters(3 * 8 + 8 + 8 * 2 + 2 + 2);
  Random random{6};
  for (float& x : parameters) x = float(random.normal());
  const float mean[] = {0.1f, 0.2f, -0.3f}, inverse_std[] = {1, 2, 0.5f};
  gallop_policy_options made = {};
  made.size = sizeof made;
  made.head = GALLOP_GAUSSIAN;
  made.n_actions = 2;
  made.n_layers = 2;
  made.widths = widths;
  made.parameters = parameters.data();
  made.n_parameters = parameters.size();
  made.mean = mean;
  made.inverse_std = inverse_std;
  made.limit = 10;
  const CBackend backend = c_backend(1);
  gallop_policy* policy = nullptr;
  ASSERT_OK(gallop_policy_create(backend.get(), &made, &policy));
  const CPolicy owned(policy);
  CArray<float> all({40, 3}), actions({40, 2}), one({1, 3}), action({1, 2});
  for (float& x : all.values) x = float(random.normal());
  const gallop_array all_view = all.view(), actions_view = actions.view(), one_view = one.view(),
                     action_view = action.view();
  gallop_act_options act = {};
  act.size = sizeof act;
  act.sample = 1;
  act.seed = 9;
  act.id_offset = 100;
  act.episode = 2;
  act.step = 5;
  ASSERT_OK(gallop_policy_act(policy, &all_view, &act, &actions_view, nullptr));
  for (std::uint32_t i = 0; i < 40; i++) {
    std::copy_n(&all.values[i * 3], 3, one.values.data());
    act.id_offset = 100 + i;
    ASSERT_OK(gallop_policy_act(policy, &one_view, &act, &action_view, nullptr));
    EXPECT_TRUE(same_bits(action.values.data(), &actions.values[i * 2], 2)) << i;
  }
  // What an action is drawn by counts, each of it.
  const std::vector<float> before = action.values;
  for (int what = 0; what < 4; what++) {
    gallop_act_options changed = act;
    if (what == 0) changed.seed++;
    if (what == 1) changed.id_offset++;
    if (what == 2) changed.episode++;
    if (what == 3) changed.step++;
    ASSERT_OK(gallop_policy_act(policy, &one_view, &changed, &action_view, nullptr));
    EXPECT_NE(action.values, before) << what;
  }
  // Parameters and normalisation are what was given.
  std::vector<float> found(parameters.size()), found_mean(3), found_std(3);
  ASSERT_OK(gallop_policy_get_parameters(policy, found.data(), found.size()));
  ASSERT_OK(gallop_policy_get_normalization(policy, found_mean.data(), found_std.data(), 3));
  EXPECT_EQ(found, parameters);
  EXPECT_EQ(found_std[1], 2.0f);
  parameters.assign(parameters.size(), 0.0f);
  ASSERT_OK(gallop_policy_set_parameters(policy, parameters.data(), parameters.size()));
  act.sample = 0;
  ASSERT_OK(gallop_policy_act(policy, &one_view, &act, &action_view, nullptr));
  EXPECT_EQ(action.values, std::vector<float>(2, 0.0f));
}

}  // namespace
}  // namespace gallop::testing

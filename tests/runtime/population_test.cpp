// Episodes of populations in every registered environment: the returns, lengths and sums of
// observations of members that play alone, step by step, under the same ids; whatever the form of
// evaluation, the threads and the split.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include <gallop/host/error.h>
#include <gallop/host/runtime/processor.h>
#include "tests/learning/kernel_sets.h"
#include "tests/runtime/recorded_rollout.h"
#include "tests/sims/environment_tables.h"

namespace gallop::testing {
namespace {

struct Found {
  std::vector<float> episode_return, sums;
  std::vector<std::int32_t> length;

  Found(long episodes, int rows)
      : episode_return(episodes, -77.0f),
        sums(2 * rows * episodes, -77.0f),
        length(episodes, -77) {}
  bool operator==(const Found& o) const {
    return same_bits(episode_return, o.episode_return) && same_bits(sums, o.sums) &&
           length == o.length;
  }
};

struct Size {
  int members, episodes;
  bool mirrored;
};

// Of every form: pairs, members in lanes with 1 to 5 registers, one member's episodes.
constexpr Size kSizes[] = {{1, 1, false}, {1, 5, false},  {5, 1, false},  {40, 1, true},
                           {2, 1, true},  {19, 3, false}, {34, 2, true},  {18, 5, true},
                           {6, 16, true}, {3, 20, false}, {2, 270, false}};

struct Case {
  RandomPolicy policy;
  Population population = {};
  std::vector<float> sigma;

  Case(const RandomPolicy& of, const Size& size, bool own_sigmas) : policy(of) {
    Random random(9);
    const long d = long(policy.parameters.size());
    for (long k = 0; k < d; k++) sigma.push_back(float(random.uniform(0.05, 0.3)));
    population.shape = policy.shape;
    population.normalization = policy.view().normalization;
    population.n_members = size.members;
    population.mirrored = size.mirrored ? 1 : 0;
    population.n_parameters = d;
    population.center = policy.parameters.data();
    population.sigma = own_sigmas ? sigma.data() : nullptr;
    population.sigma_all = 0.2f;
    population.seed = 1234;
    population.generation = 3;
    population.first_member = 6;
  }
};

PopulationRequest request_of(const Case& c, int episodes, CommonNumbers common, bool deterministic,
                             Found& found) {
  PopulationRequest r = {};
  r.population = c.population;
  r.episodes = episodes;
  r.common = common;
  r.deterministic = deterministic ? 1 : 0;
  r.reward_shift = -0.25f;
  r.episode_return = found.episode_return.data();
  r.episode_length = found.length.data();
  r.observation_sum = found.sums.data();
  return r;
}

Environments batch_for(Backend& backend, const EnvironmentEntry& entry,
                       const std::vector<std::uint32_t>& ids) {
  EnvironmentOptions options;
  options.n_envs = int(ids.empty() ? 1 : ids.size());
  options.seed = 0x00abcdef12345678u;
  options.ids = ids;
  if (ids.empty()) options.id_offset = 500;
  options.reset_mode = ResetMode::kDisabled;
  options.time_limit = kShortLimit;
  return {backend, entry, options};
}

using Configure = std::function<void(Environments&)>;

Found evaluate(
    Backend& backend, const EnvironmentEntry& entry, const Case& c, int episodes,
    CommonNumbers common, bool deterministic, const Configure& configure = [](Environments&) {}) {
  Environments e = batch_for(backend, entry, {});
  configure(e);
  Found found(long(c.population.n_members) * episodes, e.observation_rows());
  e.evaluate_population(request_of(c, episodes, common, deterministic, found));
  return found;
}

// The episodes of one member, step by step in an ordinary batch, with actions by the function that
// rollouts call.
void play_alone(
    Backend& backend, const EnvironmentEntry& entry, const Case& c, int member, int episodes,
    CommonNumbers common, bool deterministic, Found& found,
    const Configure& configure = [](Environments&) {}) {
  const Population& p = c.population;
  const bool same_policy = common == CommonNumbers::kPolicy || common == CommonNumbers::kBoth;
  const bool same_world = common == CommonNumbers::kDynamics || common == CommonNumbers::kBoth;
  std::vector<std::uint32_t> ids(episodes), policy_ids(episodes + 16);
  for (int e = 0; e < episodes; e++) {
    const std::uint32_t own = 500 + (p.first_member + member) * episodes + e;
    ids[e] = same_world ? 500 + e : own;
    policy_ids[e] = same_policy ? 500 + e : own;
  }
  std::vector<float> parameters(p.n_parameters);
  backend.make_members({p, member, 1, parameters.data()});
  Environments batch = batch_for(backend, entry, ids);
  configure(batch);
  batch.reset();
  const std::vector<std::uint8_t> all(episodes, 1);
  for (std::uint32_t k = 0; k < p.generation; k++) batch.reset_where(all.data());
  const long n = episodes, rows = batch.observation_rows(), stride = (n + 15) / 16 * 16;
  std::vector<float> observation(rows * n), action(batch.action_rows() * n);
  Floats scratch(2 * widest(p.shape.network) * 32);
  const std::vector<std::uint32_t> episode(stride, p.generation);
  const long total = long(p.n_members) * episodes, first = long(member) * episodes;
  for (long i = 0; i < 2 * rows; i++) {
    for (int e = 0; e < episodes; e++) found.sums[i * total + first + e] = 0.0f;
  }
  batch.observe(observation.data());
  for (int t = 0; t < kShortLimit; t++) {
    for (int e = 0; e < episodes; e++) {
      if (batch.ended()[e] != 0) continue;
      for (long k = 0; k < rows; k++) {
        const float* const mean = p.normalization.mean;
        const float x = observation[k * n + e], d = mean != nullptr ? x - mean[k] : x;
        float& sum = found.sums[k * total + first + e];
        float& square = found.sums[(rows + k) * total + first + e];
        sum += d;
        square = std::fma(d, d, square);
      }
    }
    const std::vector<std::int32_t> elapsed(stride, t);
    cpu_kernels(processor_isa())
        .act({{p.shape, parameters.data(), p.normalization},
              int(n),
              observation.data(),
              n,
              action.data(),
              n,
              nullptr,
              deterministic ? 1 : 0,
              batch.options().seed,
              {0, policy_ids.data()},
              episode.data(),
              elapsed.data(),
              scratch.data()});
    StepOutput out = {};
    out.observation = observation.data();
    batch.step(action.data(), out);
  }
  for (int e = 0; e < episodes; e++) {
    const std::int32_t length = batch.episode_length()[e];
    found.length[first + e] = length;
    found.episode_return[first + e] = std::fma(-0.25f, float(length), batch.episode_return()[e]);
  }
}

class EveryPopulation : public ::testing::TestWithParam<const EnvironmentEntry*> {
 protected:
  const EnvironmentEntry& entry() const { return *GetParam(); }
  std::vector<RandomPolicy> policies() { return policies_for(batch_for(*one_, entry(), {}), 5); }
  std::unique_ptr<Backend> one_ = make_cpu_backend(1), three_ = make_cpu_backend(3);
};
INSTANTIATE_TEST_SUITE_P(Registry, EveryPopulation, ::testing::ValuesIn(gallop::all_environments()),
                         [](const auto& info) { return std::string(spec_of(*info.param).name); });

TEST_P(EveryPopulation, MembersPlayWhatTheyPlayAlone) {
  int count = 0;
  for (const RandomPolicy& policy : policies()) {
    for (const Size& size : kSizes) {
      const int kind = count++;
      if (policy.parameters.size() > 5000 && kind % 3 != 0) continue;
      const Case c(policy, size, kind % 2 == 0);
      const bool deterministic = kind % 4 == 3;
      const CommonNumbers common = CommonNumbers(kind % 4);
      const Found together = evaluate(*one_, entry(), c, size.episodes, common, deterministic);
      Found alone = together;
      const int every = size.members > 20 ? 7 : size.episodes > 100 ? 1 : 3;
      for (int m = 0; m < size.members; m += every) {
        play_alone(*one_, entry(), c, m, size.episodes, common, deterministic, alone);
      }
      play_alone(*one_, entry(), c, size.members - 1, size.episodes, common, deterministic, alone);
      SCOPED_TRACE(::testing::Message()
                   << size.members << " members, " << size.episodes << " episodes, head "
                   << int(policy.shape.head) << ", layers " << policy.shape.network.n_layers);
      ASSERT_EQ(alone.length, together.length);
      ASSERT_TRUE(same_bits(alone.episode_return, together.episode_return));
      ASSERT_TRUE(same_bits(alone.sums, together.sums));
      ASSERT_TRUE(evaluate(*three_, entry(), c, size.episodes, common, deterministic) == together);
    }
  }
}

TEST_P(EveryPopulation, ASplitPopulationPlaysTheSame) {
  const RandomPolicy policy = policies().front();
  for (const Size& size : {Size{38, 1, true}, Size{23, 2, false}}) {
    const Case whole(policy, size, false);
    const Found all =
        evaluate(*one_, entry(), whole, size.episodes, CommonNumbers::kDynamics, false);
    const int cut = 10;
    for (const bool second : {false, true}) {
      Case part = whole;
      part.population.center = part.policy.parameters.data();
      part.population.normalization = part.policy.view().normalization;
      part.population.n_members = second ? size.members - cut : cut;
      if (second) part.population.first_member += cut;
      const Found some =
          evaluate(*one_, entry(), part, size.episodes, CommonNumbers::kDynamics, false);
      const long at = second ? cut * size.episodes : 0;
      ASSERT_TRUE(same_bits(some.episode_return.data(), all.episode_return.data() + at,
                            long(some.episode_return.size())));
    }
  }
}

TEST_P(EveryPopulation, GivenMembersPlayAsTheirPerturbationsDo) {
  const RandomPolicy policy = policies().back();
  for (const Size& size : {Size{38, 1, true}, Size{17, 3, false}, Size{3, 16, false}}) {
    const Case c(policy, size, true);
    const Found made = evaluate(*one_, entry(), c, size.episodes, CommonNumbers::kNone, false);
    std::vector<float> rows(size.members * c.population.n_parameters);
    one_->make_members({c.population, 0, size.members, rows.data()});
    Case given(policy, size, true);
    given.population.members = rows.data();
    EXPECT_TRUE(evaluate(*one_, entry(), given, size.episodes, CommonNumbers::kNone, false) ==
                made);
  }
}

TEST_P(EveryPopulation, PerturbationsOfLowRankPlay) {
  const RandomPolicy policy = policies().back();
  for (const Size& size : {Size{38, 1, true}, Size{17, 3, false}, Size{4, 16, true}}) {
    Case c(policy, size, false);
    c.population.rank = 2;
    const Found together = evaluate(*one_, entry(), c, size.episodes, CommonNumbers::kBoth, false);
    Found alone = together;
    for (int m = 0; m < size.members; m += 2) {
      play_alone(*one_, entry(), c, m, size.episodes, CommonNumbers::kBoth, false, alone);
    }
    EXPECT_TRUE(alone == together);
  }
}

const EnvironmentEntry& named(const std::string& name) {
  for (const EnvironmentEntry* entry : gallop::all_environments()) {
    if (name == spec_of(*entry).name) return *entry;
  }
  throw std::runtime_error("no environment " + name);
}

TEST(PopulationEpisodes, DrawTheirParametersAsTheyDoAlone) {
  const auto backend = make_cpu_backend(2);
  const EnvironmentEntry& entry = named("pendulum");
  const auto draw = [](Environments& e) { e.randomize("mass", {0.5, 2, true}); };
  const RandomPolicy policy = policies_for(batch_for(*backend, entry, {}), 3).front();
  for (const Size& size : {Size{19, 3, false}, Size{40, 1, true}, Size{3, 20, false}}) {
    for (const CommonNumbers common : {CommonNumbers::kNone, CommonNumbers::kDynamics}) {
      const Case c(policy, size, true);
      const Found together = evaluate(*backend, entry, c, size.episodes, common, false, draw);
      Found alone = together;
      for (int m = 0; m < size.members; m++) {
        play_alone(*backend, entry, c, m, size.episodes, common, false, alone, draw);
      }
      EXPECT_TRUE(alone == together) << size.members;
      EXPECT_FALSE(evaluate(*backend, entry, c, size.episodes, common, false) == together);
    }
  }
}

TEST(PopulationEpisodes, CommonNumbersAreCommon) {
  const auto backend = make_cpu_backend(1);
  Environments e = batch_for(*backend, named("pendulum"), {});
  const RandomPolicy policy = policies_for(e, 3).front();
  Case c(policy, {6, 4, false}, false);
  c.population.sigma_all = 0.0f;  // all members are the same
  const auto distinct = [&](CommonNumbers common, bool deterministic) {
    const Found found = evaluate(*backend, named("pendulum"), c, 4, common, deterministic);
    int members = 1;
    for (int m = 1; m < 6; m++) {
      members +=
          same_bits(found.episode_return.data(), found.episode_return.data() + 4 * m, 4) ? 0 : 1;
    }
    return members;
  };
  EXPECT_EQ(distinct(CommonNumbers::kBoth, false), 1);
  EXPECT_EQ(distinct(CommonNumbers::kDynamics, true), 1);
  EXPECT_EQ(distinct(CommonNumbers::kDynamics, false), 6);
  EXPECT_EQ(distinct(CommonNumbers::kPolicy, false), 6);
  EXPECT_EQ(distinct(CommonNumbers::kNone, true), 6);
}

TEST(PopulationEpisodes, NumbersThatAreNotFiniteAreReturnsThatAreNone) {
  const auto backend = make_cpu_backend(1);
  Environments e = batch_for(*backend, named("pendulum"), {});
  const RandomPolicy policy = policies_for(e, 3).front();
  for (const Size& size : {Size{20, 1, true}, Size{20, 2, false}, Size{4, 16, false}}) {
    Case c(policy, size, false);
    std::vector<float> rows(size.members * c.population.n_parameters);
    backend->make_members({c.population, 0, size.members, rows.data()});
    rows[c.population.n_parameters] = NAN;  // of member 1
    c.population.members = rows.data();
    const Found found =
        evaluate(*backend, named("pendulum"), c, size.episodes, CommonNumbers::kNone, true);
    for (std::size_t i = 0; i < found.length.size(); i++) {
      EXPECT_EQ(std::isnan(found.episode_return[i]), int(i) / size.episodes == 1) << i;
      EXPECT_EQ(found.length[i], kShortLimit);
    }
  }
}

// Every set of kernels, in memory that is poisoned, split every way.
TEST(PopulationEpisodes, SetsOfKernelsAndSplitsPlayTheSame) {
  for (const char* name : {"cartpole", "pendulum", "mdp"}) {
    const auto backend = make_cpu_backend(1);
    Environments e = batch_for(*backend, named(name), {});
    for (const RandomPolicy& policy : policies_for(e, 3)) {
      for (const Size& size : {Size{40, 1, true}, Size{19, 3, false}, Size{5, 16, false}}) {
        const Case c(policy, size, false);
        const Found expected =
            evaluate(*backend, named(name), c, size.episodes, CommonNumbers::kNone, false);
        for (const KernelSet& set : kernel_sets()) {
          for (const CompiledEnvironment& compiled : environments_named(name)) {
            if (compiled.isa != set.isa) continue;
            const std::vector<double> values = default_parameters(compiled.spec());
            const std::vector<float> parameters(values.begin(), values.end());
            const SharedData shared(compiled.spec(), values);
            for (const int grain : {0, 1, 3}) {
              Found found(long(size.members) * size.episodes, e.observation_rows());
              PopulationRequest r =
                  request_of(c, size.episodes, CommonNumbers::kNone, false, found);
              r.environment = compiled.table;
              r.scenario.seed = e.options().seed;
              r.scenario.ids.offset = 500;
              r.scenario.time_limit = kShortLimit;
              r.scenario.shared = shared.shared;
              r.scenario.parameters = parameters.data();
              r.clip = 1;
              set.kernels->evaluate_population(r, TestWork(grain));
              EXPECT_TRUE(found == expected) << name << " " << set.isa << " grain " << grain;
            }
          }
        }
      }
    }
  }
}

TEST(PopulationEpisodes, WhatCannotBeIsRefused) {
  const auto backend = make_cpu_backend(1);
  const EnvironmentEntry& entry = named("cartpole");
  Environments e = batch_for(*backend, entry, {});
  const Case c(policies_for(e, 3).front(), {4, 2, false}, false);
  Found found(8, e.observation_rows());
  const PopulationRequest good = request_of(c, 2, CommonNumbers::kNone, false, found);
  const auto refuses = [&](Environments& in, const PopulationRequest& r, const char* word) {
    try {
      in.evaluate_population(r);
      ADD_FAILURE() << "not refused: " << word;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::value);
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  PopulationRequest r = good;
  r.episodes = 0;
  refuses(e, r, "without episodes");
  r = good;
  r.episode_return = nullptr;
  refuses(e, r, "null");
  r = good;
  r.population.n_parameters++;
  refuses(e, r, "number of parameters");
  r = good;
  r.population.center = nullptr;
  refuses(e, r, "null");
  r = good;
  r.population.shape.n_actions = 3;
  refuses(e, r, "discrete actions");
  r = good;
  r.population.first_member = 0xfffffff0u;
  refuses(e, r, "2^32");
  r = good;
  r.population.mirrored = 1;
  r.population.first_member = 7;
  refuses(e, r, "pairs");
  e.set_time_limit(0);
  refuses(e, good, "time limit");
  Environments by_id = batch_for(*backend, entry, {3, 4});
  refuses(by_id, good, "ids by offset");
  Environments each = batch_for(*backend, entry, {});
  each.set_parameter("gravity", std::vector<float>{5.0f});
  refuses(each, good, "share the environment's parameters");
  EXPECT_EQ(found.length, std::vector<std::int32_t>(8, -77));
}

}  // namespace
}  // namespace gallop::testing

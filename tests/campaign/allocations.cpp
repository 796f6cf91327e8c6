// Each allocation of each of some calls of the library fails once: what comes out is a typed error,
// std::bad_alloc or a gallop::Error, or the right result; nothing ends the program, and the same
// call then gives what it always gave.
#include <fmt/format.h>

#include <functional>
#include <new>
#include <random>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/files/mdp_file.h>
#include <gallop/host/files/safetensors.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/rendering/episode.h>
#include <gallop/host/studies/study.h>
#include <gallop/host/training/trained_policy.h>
#include "tests/campaign/failing_memory.h"
#include "tests/campaign/fuzz_target.h"
#include "tests/campaign/memory_files.h"
#include "tests/campaign/part.h"
#include "tests/campaign/small_run.h"

namespace gallop::campaign {
namespace {

struct Scenario {
  std::string name;
  std::function<std::string()> run;  // makes all that it needs, and says what came of it
};

// Every input of a fuzz target that it begins with is a scenario.
void add_targets(std::vector<Scenario>& scenarios) {
  for (const FuzzTarget& target : fuzz_targets()) {
    const std::vector<std::string> seeds = target.seeds();
    // Of the many seeds of values three kinds.
    const std::size_t most = 6, step = std::max<std::size_t>(seeds.size() / most, 1);
    for (std::size_t i = 0; i < seeds.size(); i += step) {
      scenarios.push_back({fmt::format("{} {}", target.name, i), [target, seed = seeds[i]] {
                             try {
                               return target.run(seed);
                             } catch (const Error& error) {
                               return std::string(error.what());
                             }
                           }});
    }
  }
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  for (const auto& [environment, algorithm] :
       {std::pair("cartpole", "ppo"), std::pair("mdp", "trpo"), std::pair("pendulum", "vpg")}) {
    all.push_back({fmt::format("a run of {} on {}", algorithm, environment),
                   [environment = environment, algorithm = algorithm] {
                     const auto backend = make_cpu_backend(1);
                     const auto files = std::make_shared<MemoryFiles>(MemoryDisk());
                     const RunOptions options = small_options(environment, algorithm, {"steps=32"});
                     return train(options, "/run", files, *backend).bits;
                   }});
  }
  all.push_back({"two threads", [] {
                   const auto backend = make_cpu_backend(2);
                   const RunOptions options = small_options("cartpole", "ppo", {"steps=32"});
                   const auto learner = options.algorithm().create(
                       {*backend, options.environment(), options.values(), 1, options.configure()});
                   learner->iterate();
                   return std::to_string(learner->steps());
                 }});
  add_targets(all);
  return all;
}

// What came of it with the failing allocation, or none where that is negative.
struct Outcome {
  std::string result;
  bool refused = false;
  long allocations = 0;
};

Outcome outcome_of(const Scenario& scenario, long at) {
  Outcome outcome;
  fail_allocation(at);
  try {
    outcome.result = scenario.run();
    outcome.allocations = stop_failing();
  } catch (const std::bad_alloc&) {
    outcome.allocations = stop_failing();
    outcome.refused = true;
  } catch (const Error& error) {
    outcome.allocations = stop_failing();
    outcome.refused = true;
    if (error.code() == ExitCode::internal) {
      finding(fmt::format("{}, allocation {}: {}", scenario.name, at, error.what()));
    }
  } catch (const std::exception& error) {
    stop_failing();
    finding(fmt::format("{}, allocation {}: no typed error: {}", scenario.name, at, error.what()));
  }
  return outcome;
}

void fail(const Scenario& scenario, const Outcome& right, long at) {
  const Outcome outcome = outcome_of(scenario, at);
  // Random calls go on behind one that was refused.
  const bool compares = !outcome.refused && !scenario.name.starts_with("api ");
  if (compares && outcome.result != right.result) {
    // A target turns an Error into its text; a refusal says so.
    if (outcome.result.find("memory") == std::string::npos &&
        outcome.result.find("alloc") == std::string::npos) {
      finding(fmt::format("{}, allocation {}: '{}', not '{}'", scenario.name, at, outcome.result,
                          right.result));
    }
  }
  const Outcome again = outcome_of(scenario, -1);
  if (again.result != right.result) {
    finding(fmt::format("{} after allocation {} failed: '{}', not '{}'", scenario.name, at,
                        again.result, right.result));
  }
}

void run(Session& session) {
  const std::vector<Scenario> all = scenarios();
  std::vector<Outcome> right;
  for (const Scenario& scenario : all) {
    outcome_of(scenario, -1);  // what is made once is made
    right.push_back(outcome_of(scenario, -1));
  }
  std::mt19937_64 random(session.round());
  // From the first allocation on; where there are more than time allows, others each time.
  for (long turn = 0; !session.is_over(); turn++) {
    bool all_done = true;
    for (std::size_t i = 0; i < all.size() && !session.is_over(); i++) {
      const long n = right[i].allocations;
      const long at = turn < 2 * n
                          ? (turn % 2 == 0 && session.round() == 1 ? turn / 2 : long(random() % n))
                          : -1;
      if (at < 0) continue;
      all_done = false;
      session.try_case(fmt::format("{} {}", i, at));
      fail(all[i], right[i], at);
    }
    if (all_done) return;
  }
}

void repeat(std::string_view input) {
  const std::vector<Scenario> all = scenarios();
  std::size_t i = 0;
  long at = 0;
  if (std::sscanf(std::string(input).c_str(), "%zu %ld", &i, &at) != 2 || i >= all.size()) return;
  std::fprintf(stderr, "%s, allocation %ld\n", all[i].name.c_str(), at);
  outcome_of(all[i], -1);
  fail(all[i], outcome_of(all[i], -1), at);
}

}  // namespace

Part allocations_part() { return {"allocations", 5, run, repeat}; }

}  // namespace gallop::campaign

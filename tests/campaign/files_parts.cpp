// A run in memory whose calls on files fail, or whose power fails: it goes on from what is left,
// and ends with the bits of a run that nothing happened to.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/files/checkpoint_store.h>
#include "tests/campaign/memory_files.h"
#include "tests/campaign/part.h"
#include "tests/campaign/small_run.h"
#include "tests/host/faulty_file_system.h"

namespace gallop::campaign {
namespace {

using test::Fault;
using test::FaultyFileSystem;

constexpr const char* kRun = "/runs/r";
constexpr std::uint64_t kStepsPerIteration = 16;

// A run with what it comes to where nothing fails.
struct Subject {
  RunOptions options;
  std::unique_ptr<Backend> backend = make_cpu_backend(1);
  RunOutcome right;

  Subject(const char* environment, const char* algorithm)
      : options(small_options(environment, algorithm)) {
    right = train(options, kRun, std::make_shared<MemoryFiles>(MemoryDisk()), *backend);
    if (right.bits.empty() || right.checkpoint.empty() || right.rows.empty()) finding("no run");
  }
};

const Subject& subject(std::size_t number) {
  static const Subject all[] = {{"cartpole", "ppo"}, {"mdp", "trpo"}, {"pendulum", "a2c"}};
  return all[number % std::size(all)];
}

// The run goes on to its end; `what` says after what.
void expect_right(const Subject& subject, const std::shared_ptr<FileSystem>& files,
                  const std::string& what) {
  RunOutcome outcome;
  try {
    outcome = train(subject.options, kRun, files, *subject.backend);
  } catch (const Error& error) {
    finding(fmt::format("{}: the run cannot go on: {}", what, error.what()));
  }
  for (const std::string& warning : outcome.warnings) {
    if (warning.find("passed by") != std::string::npos) finding(what + ": " + warning);
  }
  if (outcome == subject.right) return;
  finding(fmt::format("{}: the run ends otherwise, {} for {}; rows\n{}for\n{}", what, outcome.bits,
                      subject.right.bits, outcome.rows, subject.right.rows));
}

constexpr Fault kFaults[] = {Fault::io,          Fault::disk_full,  Fault::interrupted,
                             Fault::short_write, Fault::short_full, Fault::interruptions,
                             Fault::killed,      Fault::too_many};

// The run, or where `killed_at` is not negative, its continuation after it was killed there, meets
// the fault at call k. Returns whether it had so many calls.
bool fail_call(const Subject& subject, Fault fault, int killed_at, int k) {
  const auto disk = std::make_shared<MemoryFiles>(MemoryDisk());
  const std::string what = fmt::format("fault {} at call {} after {}", int(fault), k, killed_at);
  if (killed_at >= 0) {
    try {
      train(subject.options, kRun,
            std::make_shared<FaultyFileSystem>(Fault::killed, killed_at, disk), *subject.backend);
    } catch (const Error&) {
    }
  }
  const auto files = std::make_shared<FaultyFileSystem>(fault, k, disk);
  try {
    // What it left is looked at below, on the disk that has no fault.
    train(subject.options, kRun, files, *subject.backend);
  } catch (const Error& error) {
    const bool once = fault == Fault::interrupted || fault == Fault::short_write;
    if (once && killed_at < 0) finding(fmt::format("{}: {}", what, error.what()));
    if (error.code() != ExitCode::io && error.code() != ExitCode::checkpoint &&
        error.code() != ExitCode::value) {
      finding(fmt::format("{}: not an I/O error: {}", what, error.what()));
    }
  }
  const bool is_reached = k < files->n_calls();
  expect_right(subject, disk, what);
  return is_reached;
}

void run_calls(Session& session) {
  std::mt19937_64 random(session.round());
  int killed_at = -1;
  for (std::size_t turn = 0; !session.is_over(); turn++) {
    const Fault fault = kFaults[turn % std::size(kFaults)];
    const std::size_t number = turn / std::size(kFaults);
    if (number >= 3) killed_at = int(random() % 150);
    for (int k = 0; !session.is_over(); k++) {
      session.try_case(fmt::format("{} {} {} {}", number, turn % std::size(kFaults), killed_at, k));
      if (fault == Fault::killed) session.count_kill();
      if (!fail_call(subject(number), fault, killed_at, k)) break;
    }
  }
}

void repeat_call(std::string_view input) {
  std::size_t number = 0, fault = 0;
  int killed_at = 0, k = 0;
  if (std::sscanf(std::string(input).c_str(), "%zu %zu %d %d", &number, &fault, &killed_at, &k) !=
      4)
    return;
  fail_call(subject(number), kFaults[fault % std::size(kFaults)], killed_at, k);
}

// What the disk was before a change, with what had been promised by then.
struct Instant {
  MemoryDisk disk;
  bool is_created = false;  // the folder, durably
  std::uint64_t saved = 0;  // step of the newest checkpoint whose saving has come to its end
};

// The run on such a disk, with its instants: all of them, or where `cut_at` is not negative that
// one alone.
std::vector<Instant> instants_of(const Subject& subject, const MemoryDisk& begin, long cut_at) {
  std::vector<Instant> instants;
  const auto files = std::make_shared<MemoryFiles>(begin);
  long n = 0;
  files->before_change = [&] {
    if (cut_at >= 0 && n++ != cut_at) return;
    Instant instant = {files->disk()};
    const std::string folder = std::string(kRun) + "/";
    instant.is_created = files->has(folder + "sessions.jsonl");
    // A row is written when the checkpoint of the iteration before it has been.
    const std::string csv = files->text(folder + "metrics.csv");
    const std::size_t line = csv.size() < 2 ? std::string::npos : csv.rfind('\n', csv.size() - 2);
    const bool is_whole = csv.ends_with('\n') && line != std::string::npos;
    const std::uint64_t step = is_whole ? std::strtoull(csv.c_str() + line + 1, nullptr, 10) : 0;
    instant.saved = step < kStepsPerIteration ? 0 : step - kStepsPerIteration;
    instants.push_back(std::move(instant));
  };
  train(subject.options, kRun, files, *subject.backend);
  files->before_change = nullptr;
  return instants;
}

// The power fails at that instant; what is left keeps every promise.
MemoryDisk cut_power(const Subject& subject, const Instant& instant, std::uint64_t seed,
                     const std::string& what) {
  std::mt19937_64 random(seed);
  MemoryDisk left = instant.disk.after_power_cut(random);
  const auto files = std::make_shared<MemoryFiles>(left);
  if (!files->has(kRun)) {
    if (instant.is_created) finding(what + ": the run is gone");
    return left;
  }
  const LoadResult found =
      CheckpointStore(std::string(kRun) + "/checkpoints", 2, files).load_newest_good();
  for (const std::string& warning : found.warnings) finding(what + ": " + warning);
  const std::uint64_t step = found.checkpoint ? found.checkpoint->step : 0;
  if (step < instant.saved) {
    finding(fmt::format("{}: step {} was saved, {} is left", what, instant.saved, step));
  }
  expect_right(subject, std::make_shared<MemoryFiles>(left), what);
  return left;
}

struct Cut {
  std::size_t number = 0, at = 0;
  std::uint64_t seed = 0;
  long second_at = -1;  // another cut while the run goes on, where not negative
};

void cut(const Cut& cut, const std::vector<Instant>& instants, Session* session) {
  const Subject& s = subject(cut.number);
  const std::string what =
      fmt::format("power cut at change {} (seed {}, then at {})", cut.at, cut.seed, cut.second_at);
  if (session != nullptr) session->count_power_cut();
  const MemoryDisk left = cut_power(s, instants[cut.at], cut.seed, what);
  if (cut.second_at < 0) return;
  for (const Instant& instant : instants_of(s, left, cut.second_at)) {
    if (session != nullptr) session->count_power_cut();
    cut_power(s, instant, cut.seed + 1, what);
  }
}

void run_power_cuts(Session& session) {
  std::mt19937_64 random(session.round());
  for (std::size_t number = 0; !session.is_over(); number = (number + 1) % 3) {
    const std::vector<Instant> instants = instants_of(subject(number), MemoryDisk(), -1);
    for (std::size_t at = 0; at < instants.size() && !session.is_over(); at++) {
      const Cut one = {number, at, random(), random() % 4 == 0 ? long(random() % 200) : -1};
      session.try_case(fmt::format("{} {} {} {}", one.number, one.at, one.seed, one.second_at));
      cut(one, instants, &session);
    }
  }
}

void repeat_power_cut(std::string_view input) {
  Cut one;
  if (std::sscanf(std::string(input).c_str(), "%zu %zu %lu %ld", &one.number, &one.at, &one.seed,
                  &one.second_at) != 4) {
    return;
  }
  cut(one, instants_of(subject(one.number), MemoryDisk(), -1), nullptr);
}

}  // namespace

Part calls_part() { return {"calls", 2, run_calls, repeat_call}; }
Part power_cuts_part() { return {"power_cuts", 8, run_power_cuts, repeat_power_cut}; }

}  // namespace gallop::campaign

// The gallop program: picks a command.
#include <cstdio>
#include <string>
#include <vector>

#include <gallop/host/clock.h>
#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/run_main.h>
#include <gallop/host/registry/generated.h>
#include <gallop/host/runtime/processor.h>

namespace gallop {
namespace {

constexpr const char* kUsage = R"(gallop: policy optimisation, the same bits on CPU and GPU

  gallop train cartpole            learn a task; train ENVIRONMENT --help names its options
  gallop train --resume RUN        continue a run from its newest checkpoint
  gallop eval RUN                  evaluate a trained policy
  gallop compare RUN RUN           curves of several runs on one page
  gallop render RUN --out e.gif    draw an episode: .gif, .mp4 or .html
  gallop export RUN --to p.onnx    the policy as a file: .onnx, .h, .npz, .safetensors
  gallop study NAME                compare algorithms or options over seeds, with figures
  gallop trace ENVIRONMENT --actions '1;0'   single steps, one JSON object each
  gallop optimize FUNCTION         minimise a test function by a black-box algorithm
  gallop estimators PROBLEM        compare gradient estimators
  gallop differences ENVIRONMENT   compare finite differences of a return
  gallop graph [NAME]              gradients of a stochastic computation graph
  gallop tetris                    learn and play the lecture's table of Tetris
  gallop bench SUITE               measure this machine
  gallop list [NAME]               environments, algorithms, studies, problems
  gallop test                      build and run the tests (through ./gallop)
  gallop version

'gallop help COMMAND' explains a command.
)";

struct Entry {
  const char* name;
  int (*run)(const std::vector<std::string>& arguments, double process_start);
};

constexpr Entry kCommands[] = {
    {"train", run_train},
    {"eval", [](const auto& arguments, double) { return run_eval(arguments); }},
    {"compare", [](const auto& arguments, double) { return run_compare(arguments); }},
    {"render", [](const auto& arguments, double) { return run_render(arguments); }},
    {"export", [](const auto& arguments, double) { return run_export(arguments); }},
    {"study", run_study},
    {"trace", [](const auto& arguments, double) { return run_trace(arguments); }},
    {"optimize", [](const auto& arguments, double) { return run_optimize(arguments); }},
    {"estimators", [](const auto& arguments, double) { return run_estimators(arguments); }},
    {"differences", [](const auto& arguments, double) { return run_differences(arguments); }},
    {"graph", [](const auto& arguments, double) { return run_graph(arguments); }},
    {"tetris", [](const auto& arguments, double) { return run_tetris(arguments); }},
    {"bench", [](const auto& arguments, double) { return run_bench(arguments); }},
    {"list", [](const auto& arguments, double) { return run_list(arguments); }},
};

[[noreturn]] void refuse_command(const std::string& word) {
  std::vector<std::string> commands;
  for (const Entry& entry : kCommands) commands.emplace_back(entry.name);
  std::string advice = advice_on_command(word);
  if (advice.empty()) advice = did_you_mean(word, commands);
  if (advice.empty()) advice = advice_on_near_name(word);
  throw usage_error(sentence("unknown command " + in_quotes(word) + advice) +
                    " 'gallop --help' names all");
}

int run(const std::vector<std::string>& all, double start) {
  std::string command = all.empty() ? "help" : folded_name(all.front());
  std::vector<std::string> rest(all.empty() ? all.begin() : all.begin() + 1, all.end());
  if (command == "__help" || command == "_h" || command == "_?") command = "help";
  if (command == "help" && rest.empty()) {
    std::fputs(kUsage, stdout);
    return all.empty() ? int(ExitCode::usage) : 0;
  }
  if (command == "version" || command == "__version" || command == "_v") {
    std::printf("gallop %s (%s, %s)\n", kBuildInfo.version, kBuildInfo.compiler,
                kBuildInfo.build_type);
    return 0;
  }
  std::string word = all.front();
  if (command == "help") {
    word = rest.front();
    command = folded_name(word);
    rest.front() = "--help";
  }
  processor_isa();  // refuses unsuitable processors before anything else
  for (const Entry& entry : kCommands) {
    if (command != entry.name) continue;
    load_plugin_of(rest);
    return entry.run(rest, start);
  }
  refuse_command(word);
}

}  // namespace
}  // namespace gallop

int main(int argc, char** argv) {
  const double start = gallop::seconds_now();
  return gallop::run_main(
      argc, argv, [start](const std::vector<std::string>& all) { return gallop::run(all, start); });
}

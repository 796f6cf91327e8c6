// The gallop program: picks a command and turns errors into messages and exit codes.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "host/error.h"
#include "host/options/nearest.h"
#include "host/program/command_line.h"
#include "host/registry/generated.h"
#include "host/runtime/processor.h"

namespace {

constexpr const char* kUsage = R"(gallop: policy optimisation, the same bits on CPU and GPU

  gallop train ENVIRONMENT [--algorithm ppo] [--seed 1] [--steps N] [--set key=value] [--json] ...
  gallop train --resume RUN       continue a run from its newest checkpoint
  gallop eval RUN                 evaluate a trained policy
  gallop render RUN --out episode.gif   draw an episode: .gif, .mp4 or .html
  gallop study NAME [--seeds N]   compare algorithms or options over seeds, with figures
  gallop trace ENVIRONMENT --state ... --actions ...    one JSON object a step
  gallop estimators PROBLEM [--samples N] [--set key=value] [--json] ...   compare gradient estimators
  gallop bench rollout [--json]   measure this machine
  gallop list                     environments, algorithms and their options
  gallop test                     build and run the tests (through ./gallop)

'gallop COMMAND --help' explains a command.
)";

int run(const std::vector<std::string>& all, double start) {
  const std::string command = all.empty() ? "--help" : all.front();
  const std::vector<std::string> rest(all.empty() ? all.begin() : all.begin() + 1, all.end());
  if (command == "--help" || command == "-h" || command == "help") {
    std::fputs(kUsage, stdout);
    return all.empty() ? int(gallop::ExitCode::usage) : 0;
  }
  if (command == "--version") {
    std::printf("gallop %s (%s, %s)\n", gallop::kBuildInfo.version, gallop::kBuildInfo.compiler,
                gallop::kBuildInfo.build_type);
    return 0;
  }
  gallop::processor_isa();  // refuses unsuitable processors before anything else
  if (command == "train") return gallop::run_train(rest, start);
  if (command == "eval") return gallop::run_eval(rest);
  if (command == "study") return gallop::run_study(rest, start);
  if (command == "render") return gallop::run_render(rest);
  if (command == "trace") return gallop::run_trace(rest);
  if (command == "estimators") return gallop::run_estimators(rest);
  if (command == "bench") return gallop::run_bench(rest);
  if (command == "list") return gallop::run_list(rest);
  const std::vector<std::string> commands = {"train", "eval",       "render", "study", "trace",
                                             "list",  "estimators", "bench",  "test"};
  throw gallop::usage_error("unknown command '" + command + "'" +
                            gallop::did_you_mean(command, commands) +
                            ". 'gallop --help' names all");
}

// A result that did not arrive (a full disk, a closed pipe) is an error like any other.
int with_output(int code) {
  if (code == 0 && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) {
    throw gallop::io_error("write to", "standard output", errno);
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const double start =
      std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  try {
    return with_output(run({argv + 1, argv + argc}, start));
  } catch (const gallop::Error& error) {
    std::fprintf(stderr, "gallop: %s\n", error.what());
    return error.exit_status();
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "gallop: out of memory\n");
    return int(gallop::ExitCode::internal);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gallop: internal error: %s\n", error.what());
    return int(gallop::ExitCode::internal);
  }
}

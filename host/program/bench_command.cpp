// gallop bench: becomes the program gallop-bench, which stands beside this one where it was built.
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <gallop/host/error.h>
#include <gallop/host/program/commands.h>

namespace gallop {

int run_bench(const std::vector<std::string>& arguments) {
  std::error_code unknown;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", unknown);
  const std::string program = self.parent_path() / "gallop-bench";
  std::string name = "gallop-bench";
  std::vector<std::string> words = arguments;
  std::vector<char*> argv = {name.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  if (errno != ENOENT) throw io_error("run", program, errno);
  throw usage_error("the benchmarks are not built: there is no " + program +
                    ". './gallop bench ...' in the source tree builds them, as does 'cmake --build "
                    "BUILD --target gallop_bench_program'");
}

}  // namespace gallop

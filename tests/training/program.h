// Runs the built program as a user does, and kills it as a user's machine does.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace gallop::testing {

struct ProgramResult {
  int code = -1;    // exit status, -1 where a signal ended it
  int signal = 0;   // the signal that ended it, 0 for none
  std::string out;  // standard output
  std::string err;  // standard error
  double seconds = 0;
};

struct ProgramOptions {
  std::map<std::string, std::string> environment;  // set on top of this process's
  std::string out_path;                            // standard output goes here, not into `out`
  long file_size_limit = 0;                        // bytes of any file, 0 for no limit
  long memory_limit = 0;                           // bytes of address space, likewise
};

// A started process of the program; its output is collected in files.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments, const ProgramOptions& options = {});
  ~Program();  // kills and waits for what still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void send(int signal);
  // Waits until `condition` holds while the process runs; false where it ended or a minute passed
  // first.
  bool wait_until(const std::function<bool()>& condition);
  ProgramResult wait();

 private:
  bool reap(bool block);

  std::string folder_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
  double start_;
};

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const ProgramOptions& options = {});

// The last line of a text, without its end.
std::string last_line(const std::string& text);

// Names of the checkpoints in a run folder, oldest first.
std::vector<std::string> checkpoints_in(const std::string& run);
// Bytes of the newest checkpoint.
std::string newest_checkpoint(const std::string& run);

// Expects metrics.csv of a run to hold exactly one row for each iteration: steps `first`,
// 2 * `first`, ... up to `last`, and metrics.jsonl as many.
void expect_complete_metrics(const std::string& run, long first, long last);

// Expects a run folder to hold the rows of another one: metrics.csv as many, with the same steps,
// and metrics.jsonl as many.
void expect_same_rows(const std::string& run, const std::string& whole);

void sleep_seconds(double seconds);

}  // namespace gallop::testing

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gallop::campaign {

struct Counts {
  std::uint64_t executions = 0, kills = 0, power_cuts = 0, findings = 0;
  double seconds = 0;
};

// What a part of the campaign sees of the process that watches over it. The part runs in a child,
// which may crash, hang or leak at any time.
class Session {
 public:
  // Whether the part's time is over.
  bool is_over() const;
  // Another number each time the child is started.
  std::uint64_t round() const;
  // Says what is tried next: what the finding is made of if the child does not survive it.
  void try_case(std::string_view input);
  void count_kill();
  void count_power_cut();

 private:
  friend Counts supervise(const std::string& name, const std::function<void(Session&)>& work,
                          double seconds, const std::string& findings);
  struct Shared;
  Shared* shared_ = nullptr;
};

// Runs `work` in child processes for that long. Where a child dies, hangs for 60 s or leaks memory,
// the input that it tried and what it wrote to standard error stand in the folder `findings` as
// NAME-1, NAME-1.log and so on, and another child goes on; not after the 20th.
Counts supervise(const std::string& name, const std::function<void(Session&)>& work, double seconds,
                 const std::string& findings);

// Ends the process with a message: a promise was broken.
[[noreturn]] void finding(const std::string& what);

}  // namespace gallop::campaign

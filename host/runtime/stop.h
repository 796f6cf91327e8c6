#pragma once

#include <functional>
#include <string_view>

namespace gallop {

class Backend;

// A backend whose operations can be left.
class Stoppable {
 public:
  virtual ~Stoppable() = default;
  // Operations look, within a second and from any of their threads, whether `requested`; then they
  // end with an Error (interrupted), and what they worked on is undefined, but for games of Tetris,
  // each of which has gone on or not. A device looks before each launch, and finishes what it was
  // given. Without a function they do not look. Returns the function before.
  virtual std::function<bool()> stop_when(std::function<bool()> requested) = 0;
};

// Whether the operation is one that is left: all those over samples and some others, which may take
// longer than a second, beside those of environments. The rest is never left: what was learnt is
// put back by them.
template <class Request>
constexpr bool is_left_on_request(std::string_view name) {
  for (const std::string_view other :
       {"values", "optimal_baseline", "gram", "features", "play_tetris"}) {
    if (name == other) return true;
  }
  return requires(Request r) { r.samples; };
}

// Throws the Error (interrupted) where there is a function and it says so.
void leave_if(const std::function<bool()>& requested);

// While one lives, operations of the backend end when `requested`; those of a backend that cannot
// be left go on.
class StopScope {
 public:
  StopScope(Backend& backend, std::function<bool()> requested);
  ~StopScope();
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

 private:
  Stoppable* stoppable_;
  std::function<bool()> before_;
};

}  // namespace gallop

#pragma once

#include <functional>

namespace gallop {

class Backend;

// A backend whose operations can be left.
class Stoppable {
 public:
  virtual ~Stoppable() = default;
  // Operations look, within a second and from any of their threads, whether `requested`; then they
  // end with an Error (interrupted), and what they worked on is undefined. Without a function they
  // do not look. Returns the function before.
  virtual std::function<bool()> stop_when(std::function<bool()> requested) = 0;
};

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

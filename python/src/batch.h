// A batch of environments, with the arrays that its steps give.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "python/src/arrays.h"
#include "python/src/core.h"

namespace gallop::python {

// What a step can write, in the order of its outputs.
enum Output : int {
  kObservation,
  kReward,
  kTerminated,
  kTruncated,
  kFinalObservation,
  kEpisodeReturn,
  kEpisodeLength,
  kTerms,
  kNumOutputs
};

// Arrays that steps read and write again and again, and what keeps them alive.
struct Bound {
  Described action, output[kNumOutputs];
  bool has_action = false, has[kNumOutputs] = {};
  nb::object owner, owners[kNumOutputs];
};

class Batch {
 public:
  // `options` are the members of gallop_batch_options, ids apart; and `record_episodes`, `terms`:
  // whether the information of a step has them.
  Batch(nb::object backend, const std::string& environment, const nb::dict& options);
  ~Batch() { close(); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void close();
  bool is_closed() const { return handle_ == nullptr; }
  bool is_started() const { return started_; }
  nb::dict info();

  void reset(std::optional<std::uint64_t> seed);
  // Seeds of instances [N], below 2^31, where mask [N] is true or none is given.
  void reset_seeds(nb::handle seeds, nb::handle mask);
  void reset_where(nb::handle mask);
  nb::object observe();
  // (observation, reward, terminated, truncated, info) in arrays that no one else has.
  nb::object step(nb::handle actions);
  // A step over bound arrays: how many episodes ended, -1 where that is not known yet.
  std::int64_t advance();
  // Steps into bound arrays with actions of its own.
  std::int64_t step_bound(nb::handle actions);
  // Sets what `advance` reads and writes: names of gallop_step_output and `action`; None for
  // nothing.
  void bind(const nb::dict& arrays);
  void observe_into(nb::handle array);
  void rollout(nb::handle policy, bool deterministic, int n_steps, const nb::dict& arrays);

  void set_parameter(const std::string& name, double value);
  void set_parameters(const std::string& name, nb::handle values);
  nb::object parameters(const std::string& name);
  void randomize(const std::string& name, double low, double high, bool logarithmic);
  void stop_randomizing(const std::string& name);
  nb::object range(const std::string& name);  // (kind, low, high), or None
  void set_table(nb::handle table);
  nb::object state();  // [S, N]
  void set_state(nb::handle state);
  nb::object episodes();  // (numbers, returns so far, lengths so far, ended) [N]
  nb::bytes snapshot();
  void restore(const nb::bytes& bytes);
  nb::object nonfinite();  // None, or (instance, time)
  nb::bytes draw(int instance, int width, int height);

 private:
  // A call's hold of the batch: one at a time.
  class Hold {
   public:
    explicit Hold(Batch& batch);
    ~Hold() { batch_.is_held_ = false; }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Batch& batch_;
  };

  void lay_out();
  void require_started(const char* call) const;
  void read_actions(nb::handle actions, Described& to, nb::object& owner) const;
  bool fits(const Described& actions) const;
  nb::object take(Output output, void*& data);
  std::int64_t run(const Described& action, const gallop_array* const* output);
  nb::object information(nb::object* arrays, void* const* data, std::int64_t n_ended);
  std::int64_t advance_with(const Described& action);
  bool is_wanted(int output) const;

  nb::object backend_object_;
  const Backend* backend_;
  gallop_batch* handle_ = nullptr;
  gallop_batch_info facts_ = {};
  std::vector<std::string> term_names_;
  bool started_ = false, is_held_ = false;
  bool records_episodes_ = false, gives_terms_ = false;
  ArrayPool pools_[kNumOutputs], flags_;
  Described layouts_[kNumOutputs];
  Bound bound_;
};

}  // namespace gallop::python

// Options of runs, training, evaluation.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <exception>
#include <memory>

#include "python/src/arrays.h"
#include "python/src/core.h"
#include "python/src/policy.h"

namespace gallop::python {
namespace {

class Options {
 public:
  static Options* create(const std::string& environment, nb::handle algorithm) {
    auto made = std::make_unique<Options>();
    const std::string name = algorithm.is_none() ? "" : nb::cast<std::string>(algorithm);
    check(gallop_options_create(environment.c_str(), name.empty() ? nullptr : name.c_str(),
                                &made->handle_));
    return made.release();
  }
  static Options* from_run(const std::string& folder) {
    auto made = std::make_unique<Options>();
    check(gallop_options_from_run(folder.c_str(), &made->handle_));
    return made.release();
  }
  Options() = default;
  ~Options() { gallop_options_destroy(handle_); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  gallop_options* get() const { return handle_; }
  void set(const std::string& name, const std::string& value) {
    check(gallop_options_set(handle_, name.c_str(), value.c_str()));
  }
  void apply(const std::string& toml) { check(gallop_options_apply(handle_, toml.c_str())); }
  std::string toml() {
    const char* text = nullptr;
    check(gallop_options_get_toml(handle_, &text));
    return text;
  }
  std::string json() {
    const char* text = nullptr;
    check(gallop_options_get_json(handle_, &text));
    return text;
  }

 private:
  gallop_options* handle_ = nullptr;
};

// Asks a run to stop, from any thread: 1 after the iteration, 2 within it.
class StopRequest {
 public:
  void set(int level) { level_ = level; }
  int level() const { return level_; }

 private:
  std::atomic<int> level_{0};
};

// What a run calls back: Python is entered for progress and warnings alone.
class Callbacks {
 public:
  Callbacks(nb::object progress, nb::object warn, StopRequest& stop)
      : progress_(std::move(progress)), warn_(std::move(warn)), stop_(stop) {
    made_ = sized<gallop_callbacks>();
    made_.user = this;
    made_.progress = [](void* user, const gallop_progress* at) {
      return static_cast<Callbacks*>(user)->progress(*at) ? 1 : 0;
    };
    made_.stop_now = [](void* user) {
      return static_cast<Callbacks*>(user)->stop_.level() >= 2 ? 1 : 0;
    };
    made_.warn = [](void* user, const char* text) { static_cast<Callbacks*>(user)->warn(text); };
  }

  const gallop_callbacks* get() const { return &made_; }
  // After the run, with the interpreter's lock: what a callback has thrown.
  void rethrow() {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  template <class Call>
  void enter(const Call& call) {
    const nb::gil_scoped_acquire lock;
    try {
      call();
    } catch (...) {
      if (!thrown_) thrown_ = std::current_exception();
      stop_.set(1);
    }
  }
  bool progress(const gallop_progress& at) {
    if (!progress_.is_none()) {
      enter([&] {
        if (nb::cast<bool>(progress_(at.steps, at.mean_return, at.seconds))) stop_.set(1);
      });
    }
    return stop_.level() >= 1;
  }
  void warn(const char* text) {
    if (!warn_.is_none()) enter([&] { warn_(text); });
  }

  nb::object progress_, warn_;
  StopRequest& stop_;
  gallop_callbacks made_;
  std::exception_ptr thrown_;
};

nb::dict dict_of(const gallop_result& r) {
  nb::dict all;
  all["finished"] = r.finished != 0;
  all["reached_stop_return"] = r.reached_stop_return != 0;
  all["finished_before"] = r.finished_before != 0;
  all["reached_time_limit"] = r.reached_time_limit != 0;
  all["steps"] = r.steps;
  all["iterations"] = r.iterations;
  all["nonfinite_instances"] = r.nonfinite_instances;
  all["train_seconds"] = r.train_seconds;
  all["bits"] = nb::str(r.bits);
  return all;
}

nb::dict train(const Backend& backend, const Options& options, const std::string& folder,
               nb::object progress, nb::object warn, StopRequest& stop) {
  Callbacks callbacks(std::move(progress), std::move(warn), stop);
  auto result = sized<gallop_result>();
  released([&] {
    return gallop_train(backend.get(), options.get(), folder.c_str(), callbacks.get(), &result);
  });
  callbacks.rethrow();
  return dict_of(result);
}

nb::dict resume(const Backend& backend, const Options& options, const std::string& folder,
                nb::object progress, nb::object warn, StopRequest& stop) {
  Callbacks callbacks(std::move(progress), std::move(warn), stop);
  auto result = sized<gallop_result>();
  released([&] {
    return gallop_resume_with(backend.get(), folder.c_str(), options.get(), callbacks.get(),
                              &result);
  });
  callbacks.rethrow();
  return dict_of(result);
}

nb::dict evaluate(const Backend& backend, const Policy& policy, nb::object environment,
                  const nb::dict& given, const std::vector<std::string>& parameters) {
  const int episodes = nb::cast<std::int32_t>(given["episodes"]);
  auto options = sized<gallop_evaluate_options>();
  options.episodes = episodes;
  options.seed = nb::cast<std::uint64_t>(given["seed"]);
  options.sample = nb::cast<bool>(given["sample"]) ? 1 : 0;
  options.skips_nonfinite = nb::cast<bool>(given["skips_nonfinite"]) ? 1 : 0;
  options.max_steps = nb::cast<std::int64_t>(given["max_steps"]);
  std::vector<const char*> texts;
  for (const std::string& text : parameters) texts.push_back(text.c_str());
  options.parameters = texts.data();
  options.n_parameters = texts.size();
  const std::size_t capacity = episodes > 0 ? std::size_t(episodes) : 1;
  std::vector<double> returns(capacity);
  std::vector<std::int64_t> lengths(capacity);
  options.returns = returns.data();
  options.lengths = lengths.data();
  options.capacity = capacity;
  auto found = sized<gallop_evaluation>();
  const std::string name = environment.is_none() ? "" : nb::cast<std::string>(environment);
  released([&] {
    return gallop_evaluate(backend.get(), policy.get(), name.empty() ? nullptr : name.c_str(),
                           &options, &found);
  });
  returns.resize(std::size_t(found.episodes));
  lengths.resize(std::size_t(found.episodes));
  nb::dict all;
  all["mean"] = found.mean;
  all["std"] = found.std;
  all["mean_length"] = found.mean_length;
  all["nonfinite"] = found.nonfinite;
  all["returns"] = nb::cast(returns);
  all["lengths"] = nb::cast(lengths);
  return all;
}

}  // namespace

void bind_runs(nb::module_& module) {
  nb::class_<Options>(module, "Options", "The options of a run.")
      .def_static("create", &Options::create, nb::arg("environment"), nb::arg("algorithm").none(),
                  nb::rv_policy::take_ownership)
      .def_static("from_run", &Options::from_run, nb::arg("folder"), nb::rv_policy::take_ownership)
      .def("set", &Options::set, nb::arg("name"), nb::arg("value"))
      .def("apply", &Options::apply, nb::arg("toml"))
      .def("toml", &Options::toml)
      .def("json", &Options::json);
  nb::class_<StopRequest>(module, "StopRequest",
                          "Asks a run to stop: 1 after the iteration, 2 now.")
      .def(nb::init<>())
      .def_prop_rw("level", &StopRequest::level, &StopRequest::set);
  module.def("train", &train, nb::arg("backend"), nb::arg("options"), nb::arg("folder"),
             nb::arg("progress").none(), nb::arg("warn").none(), nb::arg("stop"));
  module.def("resume", &resume, nb::arg("backend"), nb::arg("options"), nb::arg("folder"),
             nb::arg("progress").none(), nb::arg("warn").none(), nb::arg("stop"));
  module.def("evaluate", &evaluate, nb::arg("backend"), nb::arg("policy"),
             nb::arg("environment").none(), nb::arg("options"), nb::arg("parameters"));
}

}  // namespace gallop::python

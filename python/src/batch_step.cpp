// Steps and rollouts of batches.
#include <cstring>

#include "python/src/batch.h"

namespace gallop::python {
namespace {

constexpr const char* kOutputNames[kNumOutputs] = {
    "obs",       "reward",         "terminated",     "truncated",
    "final_obs", "episode_return", "episode_length", "terms"};

void require_writable(nb::handle array, const char* name) {
  const NumpyArray* const members = numpy_array(array);
  constexpr int kWriteable = 0x0400;  // NPY_ARRAY_WRITEABLE
  if (members == nullptr || (members->flags & kWriteable) != 0) return;
  raise(GALLOP_VALUE,
        std::string(name) + " is a read-only array; expected one that can be written");
}

}  // namespace

void Batch::require_started(const char* call) const {
  if (started_) return;
  const nb::object error = nb::module_::import_("gallop._errors").attr("reset_needed")(call);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  throw nb::python_error();
}

// Whether the C interface takes these actions as they are.
bool Batch::fits(const Described& actions) const {
  const bool is_discrete = facts_.action_kind == GALLOP_DISCRETE;
  const bool is_type = is_discrete ? actions.dtype == GALLOP_INT64 || actions.dtype == GALLOP_INT32
                                   : actions.dtype == GALLOP_FLOAT32;
  const int rows = facts_.action_rows;
  const bool is_shape = actions.shape[0] == facts_.n_envs &&
                        (actions.ndim == 2 ? actions.shape[1] == rows : rows == 1);
  const bool has_strides = (actions.strides[0] != 0 || facts_.n_envs == 1) &&
                           (actions.ndim == 1 || actions.strides[1] != 0 || rows == 1);
  return is_type && is_shape && has_strides;
}

void Batch::read_actions(nb::handle actions, Described& to, nb::object& owner) const {
  if (describe_numpy(actions, to) && fits(to)) {
    owner = nb::borrow(actions);
    return;
  }
  const nb::object converted =
      nb::module_::import_("gallop._actions")
          .attr("as_actions")(actions, facts_.action_kind == GALLOP_DISCRETE, facts_.n_envs,
                              facts_.action_rows);
  to = describe(converted, "actions", owner);
}

bool Batch::is_wanted(int output) const {
  if (output == kFinalObservation) return facts_.autoreset == GALLOP_SAME_STEP;
  if (output == kEpisodeReturn || output == kEpisodeLength) return records_episodes_;
  if (output == kTerms) return gives_terms_;
  return true;
}

std::int64_t Batch::run(const Described& action, const gallop_array* const* output) {
  const gallop_array actions = action.array();
  auto wanted = sized<gallop_step_output>();
  wanted.observation = output[kObservation];
  wanted.reward = output[kReward];
  wanted.terminated = output[kTerminated];
  wanted.truncated = output[kTruncated];
  wanted.final_observation = output[kFinalObservation];
  wanted.episode_return = output[kEpisodeReturn];
  wanted.episode_length = output[kEpisodeLength];
  wanted.terms = output[kTerms];
  released([&] { return gallop_batch_step(handle_, &actions, &wanted); });
  return wanted.n_ended;
}

nb::object Batch::step(nb::handle actions) {
  const Hold hold(*this);
  require_started("step");
  Described action;
  nb::object owner;
  read_actions(actions, action, owner);
  nb::object arrays[kNumOutputs];
  void* data[kNumOutputs] = {};
  gallop_array described[kNumOutputs];
  const gallop_array* wanted[kNumOutputs] = {};
  for (int k = 0; k < kNumOutputs; k++) {
    if (!is_wanted(k)) continue;
    arrays[k] = pools_[k].take(data[k]);
    described[k] = layouts_[k].array();
    described[k].data = data[k];
    wanted[k] = &described[k];
  }
  const std::int64_t n_ended = run(action, wanted);
  PyObject* const result = PyTuple_New(5);
  if (result == nullptr) throw nb::python_error();
  const nb::object tuple = nb::steal(result);
  for (int k = kObservation; k <= kTruncated; k++) {
    PyTuple_SetItem(result, k, nb::object(arrays[k]).release().ptr());
  }
  PyTuple_SetItem(result, 4, information(arrays, data, n_ended).release().ptr());
  return tuple;
}

// Nothing but where episodes ended, in the format of Gymnasium's vector environments.
nb::object Batch::information(nb::object* arrays, void* const* data, std::int64_t n_ended) {
  nb::dict info;
  if (gives_terms_) {
    void* all = nullptr;
    const nb::object mask = flags_.take(all);
    std::memset(all, 1, std::size_t(facts_.n_envs));
    for (std::size_t k = 0; k < term_names_.size(); k++) {
      info[term_names_[k].c_str()] =
          arrays[kTerms][nb::make_tuple(nb::slice(nb::none(), nb::none(), nb::none()), k)];
      info[("_" + term_names_[k]).c_str()] = mask;
    }
  }
  if (n_ended == 0 || (!is_wanted(kFinalObservation) && !records_episodes_)) return info;
  const auto n = std::size_t(facts_.n_envs);
  void* flags = nullptr;
  const nb::object mask = flags_.take(flags);
  auto* const ended = static_cast<std::uint8_t*>(flags);
  const auto* const terminated = static_cast<const std::uint8_t*>(data[kTerminated]);
  const auto* const truncated = static_cast<const std::uint8_t*>(data[kTruncated]);
  for (std::size_t i = 0; i < n; i++) ended[i] = terminated[i] | truncated[i];
  if (is_wanted(kFinalObservation)) {
    // Rows of instances whose episode goes on hold what they observe.
    const std::size_t row = facts_.observation_kind == GALLOP_DISCRETE
                                ? sizeof(std::int64_t)
                                : sizeof(float) * std::size_t(facts_.observation_rows);
    auto* const to = static_cast<char*>(data[kFinalObservation]);
    const auto* const from = static_cast<const char*>(data[kObservation]);
    for (std::size_t i = 0; i < n; i++) {
      if (ended[i] == 0) std::memcpy(to + i * row, from + i * row, row);
    }
    info["final_obs"] = arrays[kFinalObservation];
    info["_final_obs"] = mask;
    info["final_info"] = nb::dict();
    info["_final_info"] = mask;
  }
  if (records_episodes_) {
    auto* const returns = static_cast<float*>(data[kEpisodeReturn]);
    auto* const lengths = static_cast<std::int32_t*>(data[kEpisodeLength]);
    for (std::size_t i = 0; i < n; i++) {
      if (ended[i] == 0) returns[i] = 0;
      if (ended[i] == 0) lengths[i] = 0;
    }
    nb::dict episode;
    episode["r"] = arrays[kEpisodeReturn];
    episode["l"] = arrays[kEpisodeLength];
    info["episode"] = episode;
    info["_episode"] = mask;
  }
  return info;
}

std::int64_t Batch::advance_with(const Described& action) {
  gallop_array described[kNumOutputs];
  const gallop_array* wanted[kNumOutputs] = {};
  for (int k = 0; k < kNumOutputs; k++) {
    if (!bound_.has[k]) continue;
    described[k] = bound_.output[k].array();
    wanted[k] = &described[k];
  }
  return run(action, wanted);
}

std::int64_t Batch::advance() {
  const Hold hold(*this);
  require_started("advance");
  if (!bound_.has_action) {
    raise(GALLOP_VALUE, "advance() was called with no actions bound; bind(action=...) first");
  }
  return advance_with(bound_.action);
}

std::int64_t Batch::step_bound(nb::handle actions) {
  const Hold hold(*this);
  require_started("step");
  Described action;
  nb::object owner;
  if (backend_->is_cpu()) {
    read_actions(actions, action, owner);
  } else {
    action = describe(actions, "actions", owner);
  }
  return advance_with(action);
}

void Batch::bind(const nb::dict& arrays) {
  const Hold hold(*this);
  Bound made = bound_;
  for (const auto& [key, array] : arrays) {
    const auto name = nb::cast<std::string>(nb::str(key));
    int output = 0;
    while (output < kNumOutputs && name != kOutputNames[output]) output++;
    const bool is_action = name == "action";
    if (!is_action && output == kNumOutputs) {
      raise(GALLOP_USAGE, "there is no array called '" + name +
                              "' to bind; expected action, obs, reward, terminated, truncated, "
                              "final_obs, episode_return, episode_length or terms");
    }
    bool& has = is_action ? made.has_action : made.has[output];
    nb::object& owner = is_action ? made.owner : made.owners[output];
    has = !array.is_none();
    owner = nb::object();
    if (!has) continue;
    if (!is_action) require_writable(array, name.c_str());
    (is_action ? made.action : made.output[output]) = describe(array, name.c_str(), owner);
    if (is_action && !fits(made.action)) {
      raise(GALLOP_VALUE,
            std::string("action is not what a step can read each time; expected shape (") +
                std::to_string(facts_.n_envs) +
                (facts_.action_kind == GALLOP_DISCRETE
                     ? ",) of int64 or int32"
                     : ", " + std::to_string(facts_.action_rows) + ") of float32"));
    }
  }
  bound_ = std::move(made);
}

void Batch::rollout(nb::handle policy, bool deterministic, int n_steps, const nb::dict& arrays) {
  const Hold hold(*this);
  require_started("rollout");
  auto trajectory = sized<gallop_trajectory>();
  trajectory.n_steps = n_steps;
  const auto set = [&](const char* name, auto& to) {
    if (!arrays.contains(name)) return;
    to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(
        nb::cast<std::uintptr_t>(arrays[name]));
  };
  set("observation", trajectory.observation);
  set("action", trajectory.action);
  set("log_prob", trajectory.log_prob);
  set("reward", trajectory.reward);
  set("terminated", trajectory.terminated);
  set("truncated", trajectory.truncated);
  set("final_observation", trajectory.final_observation);
  set("episode_return", trajectory.episode_return);
  set("episode_length", trajectory.episode_length);
  set("state", trajectory.state);
  const gallop_policy* acting = nullptr;
  if (!policy.is_none()) {
    acting =
        reinterpret_cast<const gallop_policy*>(nb::cast<std::uintptr_t>(policy.attr("handle")));
  }
  released(
      [&] { return gallop_batch_rollout(handle_, acting, deterministic ? 1 : 0, &trajectory); });
}

}  // namespace gallop::python

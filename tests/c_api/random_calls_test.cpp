// Random calls of the C interface, sensible and senseless, in random order: each succeeds or fails
// with a code and a text, a failed one has changed nothing, and no one crashes (which sanitizers
// see best). One class that knows every call, so longer than other files. GALLOP_RANDOM_CALLS in
// the environment asks for another number of calls, GALLOP_RANDOM_SEED for others.
#include <cstdlib>
#include <limits>

#include "tests/c_api/c_calls.h"
#include "tests/host/temporary_folder.h"
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

constexpr const char* kNames[] = {"cartpole", "pendulum", "mdp", "lqr"};
constexpr int kMost = 6;  // handles of a kind

long number_in_environment(const char* name, long otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtol(text, nullptr, 10);
}

class Caller {
 public:
  explicit Caller(std::uint64_t seed) : random_(seed) {}

  void call() {
    switch (random_.below(27)) {
      case 0:
        return make_backend();
      case 1:
        return make_batch();
      case 2:
        return make_policy();
      case 3:
        return destroy_some();
      case 4:
        return note(gallop_batch_reset(batch()));
      case 5:
        return note(gallop_batch_reset_seed(batch(), word()));
      case 6:
        return reset_seeds();
      case 7:
        return reset_where();
      case 8:
        return observe();
      case 9:
        return rollout();
      case 10:
        return parameters();
      case 11:
        return states();
      case 12:
        return snapshot();
      case 13:
        return restore();
      case 14:
        return act();
      case 15:
        return policy_numbers();
      case 16:
        return options();
      case 17:
        return evaluate();
      case 18:
        return names();
      case 19:
        return export_policy();
      case 20:
        return optimize();
      case 21:
        return estimate();
      default:
        return step();
    }
  }

  long ok = 0, failed = 0;

 private:
  template <class T>
  T* any(const std::vector<T*>& of) {
    if (of.empty() || random_.chance(0.02)) return nullptr;
    return of[std::size_t(random_.below(int(of.size())))];
  }
  gallop_backend* backend() { return any(backends_); }
  gallop_batch* batch() { return any(batches_); }
  gallop_policy* policy() { return any(policies_); }
  std::uint64_t word() {
    const int bits = random_.below(64);
    return (std::uint64_t(random_.below(1 << 30)) << 34 | std::uint64_t(random_.below(1 << 30))) >>
           bits;
  }
  int number() {
    const int special[] = {0,
                           1,
                           2,
                           3,
                           -1,
                           -2,
                           1 << 30,
                           std::numeric_limits<int>::max(),
                           std::numeric_limits<int>::min()};
    return random_.chance(0.7) ? random_.below(9) : special[random_.below(9)];
  }
  // Rarely what it should not be.
  template <class T>
  T or_else(T good, T bad) {
    return random_.chance(0.04) ? bad : good;
  }
  const char* name() {
    if (random_.chance(0.05)) return "none of them";
    return or_else(kNames[random_.below(4)], static_cast<const char*>(nullptr));
  }
  float real() {
    const float special[] = {0,
                             -0.0f,
                             1e30f,
                             -1e30f,
                             std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN(),
                             1e-40f};
    return random_.chance(0.98) ? float(random_.uniform(-2, 2)) : special[random_.below(7)];
  }

  void note(int status) {
    if (status == GALLOP_OK) {
      ok++;
      return;
    }
    failed++;
    const bool is_known =
        (status >= GALLOP_USAGE && status <= GALLOP_IO) || status == GALLOP_NON_FINITE;
    EXPECT_TRUE(is_known) << status << ": " << gallop_last_error();
    EXPECT_EQ(status, gallop_last_error_code());
    EXPECT_STRNE(gallop_last_error(), "");
  }

  // Memory for an array, with what it says of itself. What it says is too much is refused before it
  // is touched.
  struct Memory {
    std::vector<std::int64_t> shape, strides;
    std::vector<std::uint8_t> bytes;
    gallop_array array = {};
  };
  Memory memory(std::int64_t n, std::int64_t rows, int dtype) {
    Memory m;
    const std::int64_t element = dtype == GALLOP_INT64 ? 8 : 4;
    const bool flat = rows == 1 && random_.chance(0.5);
    m.shape = {or_else<std::int64_t>(n, n + 1)};
    if (!flat) m.shape.push_back(or_else<std::int64_t>(rows, rows + 1));
    const std::int64_t spread = 1 + random_.below(2);
    if (random_.chance(0.5)) {
      m.strides = random_.chance(0.5) ? std::vector<std::int64_t>{rows * spread, spread}
                                      : std::vector<std::int64_t>{1, n};
      if (flat) m.strides.resize(1);
      if (random_.chance(0.05)) m.strides[0] = 0;
    }
    m.bytes.assign(std::size_t((n * rows * 2 + 8) * element + 8), 0);
    m.array.size = or_else<std::uint32_t>(sizeof m.array, 0);
    m.array.dtype = or_else(dtype, number());
    m.array.data = m.bytes.data() + (random_.chance(0.01) ? 1 : 0);
    m.array.device_type = or_else(0, 2);
    m.array.ndim = or_else(int(m.shape.size()), 3 + random_.below(3));
    m.array.shape = or_else<const std::int64_t*>(m.shape.data(), nullptr);
    m.array.strides = m.strides.empty() ? nullptr : m.strides.data();
    return m;
  }
  template <class T>
  void put(Memory& m, std::size_t k, T value) {
    std::memcpy(m.bytes.data() + k * sizeof(T), &value, sizeof(T));
  }
  // Flat arrays, of bytes or numbers.
  Memory flat(std::int64_t n, int dtype) {
    Memory m = memory(n, 1, dtype);
    if (!random_.chance(0.05)) m.array.strides = nullptr;
    return m;
  }

  gallop_batch_info info_of(const gallop_batch* b) {
    gallop_batch_info info = {};
    info.size = sizeof info;
    note(gallop_batch_get_info(b, &info));
    if (b == nullptr) info.n_envs = info.observation_rows = info.action_rows = 1;
    return info;
  }

  void make_backend() {
    if (backends_.size() >= 3) return;
    gallop_backend_options o = {};
    o.size = or_else<std::uint32_t>(sizeof o, 1);
    o.threads = or_else(1 + random_.below(2), 5000);
    o.device = or_else("cpu", "gpu");
    gallop_backend* made = nullptr;
    note(gallop_backend_create(&o, &made));
    if (made != nullptr) backends_.push_back(made);
  }
  void make_batch() {
    if (batches_.size() >= kMost) return;
    gallop_batch_options o = {};
    o.size = or_else<std::uint32_t>(sizeof o, 2);
    o.n_envs = or_else(1 + random_.below(70), -3);
    o.seed = random_.chance(0.8) ? word() >> 8 : word();
    o.time_limit = random_.chance(0.3) ? 5 + random_.below(40) : or_else(0, number());
    if (o.time_limit > 1000) o.time_limit = 7;
    o.autoreset = or_else(random_.below(3), number());
    o.no_clip = random_.below(2);
    o.unchecked_actions = random_.chance(0.1) ? 1 : 0;
    o.id_offset = std::uint32_t(random_.chance(0.9) ? random_.below(100) : -1);
    std::vector<std::uint32_t> ids(70);
    for (std::uint32_t& id : ids) id = std::uint32_t(word());
    if (random_.chance(0.2)) o.ids = ids.data();
    gallop_batch* made = nullptr;
    note(gallop_batch_create(backend(), name(), random_.chance(0.95) ? &o : nullptr,
                             or_else(&made, static_cast<gallop_batch**>(nullptr))));
    if (made != nullptr) batches_.push_back(made);
  }
  void make_policy() {
    if (policies_.size() >= kMost) return;
    const int kind = random_.below(4);  // fits an environment by and large
    const int in = kind == 0 ? 4 : kind == 1 ? 3 : kind == 2 ? 3 : 2;
    const int actions = kind == 0 ? 2 : kind == 2 ? 2 : 1;
    gallop_policy_options o = {};
    o.size = sizeof o;
    o.network = kind == 2 ? GALLOP_TABULAR : GALLOP_MLP;
    o.activation = or_else(random_.below(3), number());
    o.head = kind == 0 || kind == 2 ? GALLOP_CATEGORICAL : 1 + random_.below(3);
    o.head = or_else(o.head, number());
    o.n_actions = or_else(actions, number());
    const std::int32_t out = o.head == GALLOP_GAUSSIAN_NETWORK ? 2 * actions : actions;
    std::vector<std::int32_t> widths = {in, out};
    if (kind != 2 && random_.chance(0.6)) widths.insert(widths.begin() + 1, 1 + random_.below(20));
    o.n_layers = or_else(int(widths.size()) - 1, 0);
    o.widths = or_else<const std::int32_t*>(widths.data(), nullptr);
    std::size_t n = o.head == GALLOP_GAUSSIAN ? std::size_t(actions) : 0;
    for (std::size_t l = 0; l + 1 < widths.size(); l++) {
      n += std::size_t((widths[l] + (kind == 2 ? 0 : 1)) * widths[l + 1]);
    }
    std::vector<float> values(n + 1);
    for (float& x : values) x = float(random_.uniform(-1, 1));
    if (random_.chance(0.05)) values[0] = real();
    o.parameters = values.data();
    o.n_parameters = or_else(n, n + 1);
    const std::vector<float> mean(std::size_t(in), 0.5f);
    if (kind != 2 && random_.chance(0.3)) {
      o.mean = mean.data();
      o.inverse_std = or_else<const float*>(mean.data(), nullptr);
      o.limit = or_else(5.0f, real());
    }
    gallop_policy* made = nullptr;
    note(gallop_policy_create(backend(), &o, &made));
    if (made != nullptr) policies_.push_back(made);
  }
  template <class T>
  void destroy_one(std::vector<T*>& of, void (*destroy)(T*)) {
    if (of.empty()) return destroy(nullptr);
    std::swap(of[std::size_t(random_.below(int(of.size())))], of.back());
    destroy(of.back());
    of.pop_back();
  }
  void destroy_some() {
    if (random_.chance(0.7)) return;
    const int kind = random_.below(4);
    if (kind == 0) destroy_one(backends_, gallop_backend_destroy);
    if (kind == 1) destroy_one(policies_, gallop_policy_destroy);
    if (kind >= 2) destroy_one(batches_, gallop_batch_destroy);
  }

  void reset_seeds() {
    gallop_batch* const b = batch();
    const std::size_t n = std::size_t(info_of(b).n_envs);
    std::vector<std::uint64_t> seeds(n);
    std::vector<std::uint8_t> mask(n);
    for (std::uint64_t& s : seeds) s = random_.chance(0.99) ? word() >> 34 : word();
    for (std::uint8_t& m : mask) m = std::uint8_t(random_.below(2));
    note(gallop_batch_reset_seeds(b, or_else<const std::uint64_t*>(seeds.data(), nullptr),
                                  random_.chance(0.5) ? mask.data() : nullptr, or_else(n, n + 1)));
  }
  void reset_where() {
    gallop_batch* const b = batch();
    Memory mask = flat(info_of(b).n_envs, GALLOP_UINT8);
    for (std::uint8_t& x : mask.bytes) x = std::uint8_t(random_.below(2));
    note(gallop_batch_reset_where(b, or_else<const gallop_array*>(&mask.array, nullptr)));
  }
  Memory observation_of(const gallop_batch_info& info) {
    const int whole[] = {GALLOP_INT64, GALLOP_INT32, GALLOP_FLOAT32};
    const bool is_index = info.observation_kind == GALLOP_DISCRETE;
    return memory(info.n_envs, info.observation_rows,
                  is_index ? whole[random_.below(3)] : GALLOP_FLOAT32);
  }
  void observe() {
    gallop_batch* const b = batch();
    Memory m = observation_of(info_of(b));
    note(gallop_batch_observe(b, or_else<const gallop_array*>(&m.array, nullptr)));
  }
  Memory actions_of(const gallop_batch_info& info) {
    const int whole[] = {GALLOP_INT64, GALLOP_INT32, GALLOP_FLOAT32};
    const bool is_discrete = info.action_kind == GALLOP_DISCRETE;
    const int dtype = is_discrete ? whole[random_.below(3)] : GALLOP_FLOAT32;
    Memory m = memory(info.n_envs, info.action_rows, dtype);
    const std::size_t count = m.bytes.size() / (dtype == GALLOP_INT64 ? 8 : 4);
    for (std::size_t k = 0; k < count; k++) {
      const int choice = random_.chance(0.9995) && info.action_size > 0
                             ? random_.below(info.action_size)
                             : number();
      if (dtype == GALLOP_INT64) put(m, k, std::int64_t(choice));
      if (dtype == GALLOP_INT32) put(m, k, std::int32_t(choice));
      if (dtype == GALLOP_FLOAT32) {
        put(m, k,
            is_discrete              ? float(choice)
            : random_.chance(0.9995) ? float(random_.uniform(-1, 1))
                                     : real());
      }
    }
    return m;
  }
  void step() {
    gallop_batch* const b = batch();
    const gallop_batch_info info = info_of(b);
    Memory action = actions_of(info), observation = observation_of(info),
           final_observation = observation_of(info), reward = flat(info.n_envs, GALLOP_FLOAT32),
           terminated = flat(info.n_envs, GALLOP_UINT8), truncated = flat(info.n_envs, GALLOP_BOOL),
           returned = flat(info.n_envs, GALLOP_FLOAT32), length = flat(info.n_envs, GALLOP_INT32);
    gallop_step_output out = {};
    out.size = or_else<std::uint32_t>(sizeof out, 0);
    if (random_.chance(0.8)) out.observation = &observation.array;
    if (random_.chance(0.3)) out.final_observation = &final_observation.array;
    if (random_.chance(0.8)) out.reward = &reward.array;
    if (random_.chance(0.8)) out.terminated = &terminated.array;
    if (random_.chance(0.8)) out.truncated = &truncated.array;
    if (random_.chance(0.3)) out.episode_return = &returned.array;
    if (random_.chance(0.3)) out.episode_length = &length.array;
    if (random_.chance(0.03)) out.terms = &reward.array;
    const int status = gallop_batch_step(b, or_else<const gallop_array*>(&action.array, nullptr),
                                         random_.chance(0.95) ? &out : nullptr);
    note(status);
    if (b == nullptr) return;
    EXPECT_EQ(info_of(b).time, info.time + (status == GALLOP_OK ? 1u : 0u)) << gallop_last_error();
  }
  void rollout() {
    gallop_batch* const b = batch();
    const gallop_batch_info info = info_of(b);
    const int n_steps = 1 + random_.below(6);
    const std::size_t n = std::size_t(info.n_envs) * std::size_t(n_steps + 1);
    std::vector<float> observation(n * std::size_t(info.observation_rows)),
        action(n * std::size_t(info.action_rows)), reward(n), log_prob(n),
        state(n * std::size_t(info.n_state)), final_observation(observation.size());
    std::vector<std::uint8_t> terminated(n), truncated(n);
    gallop_trajectory t = {};
    t.size = sizeof t;
    t.n_steps = or_else(n_steps, -random_.below(2));
    if (random_.chance(0.7)) t.observation = observation.data();
    if (random_.chance(0.7)) t.action = action.data();
    if (random_.chance(0.7)) t.reward = reward.data();
    if (random_.chance(0.3)) t.log_prob = log_prob.data();
    if (random_.chance(0.3)) t.terminated = terminated.data();
    if (random_.chance(0.3)) t.truncated = truncated.data();
    if (random_.chance(0.3)) t.final_observation = final_observation.data();
    if (random_.chance(0.3)) t.state = state.data();
    note(gallop_batch_rollout(b, random_.chance(0.6) ? policy() : nullptr, random_.below(2),
                              or_else<const gallop_trajectory*>(&t, nullptr)));
  }
  void parameters() {
    gallop_batch* const b = batch();
    const std::size_t n = std::size_t(info_of(b).n_envs);
    const char* const known[] = {"gravity",  "half_length", "max_torque",
                                 "n_states", "noise",       "nothing"};
    const char* const name = or_else(known[random_.below(6)], static_cast<const char*>(nullptr));
    std::vector<float> values(n + 1, float(random_.uniform(0.1, 2)));
    if (random_.chance(0.1)) values[0] = real();
    if (random_.chance(0.1)) {
      return note(gallop_batch_randomize(b, name, random_.uniform(0, 2), real(), random_.below(2)));
    }
    if (random_.chance(0.1)) return note(gallop_batch_stop_randomizing(b, name));
    if (random_.chance(0.4)) return note(gallop_batch_set_parameter(b, name, double(values[0])));
    if (random_.chance(0.5)) return note(gallop_batch_get_parameters(b, name, values.data(), n));
    note(gallop_batch_set_parameters(b, name, values.data(), or_else(n, n + 1)));
  }
  void states() {
    gallop_batch* const b = batch();
    const gallop_batch_info info = info_of(b);
    const std::size_t size = std::size_t(info.n_envs) * std::size_t(info.n_state);
    std::vector<float> state(size + 1);
    for (float& x : state) x = random_.chance(0.999) ? float(random_.below(2)) : real();
    if (random_.chance(0.5))
      return note(gallop_batch_get_state(b, state.data(), or_else(size, size + 1)));
    note(gallop_batch_set_state(b, state.data(), or_else(size, size + 1)));
  }
  void snapshot() {
    gallop_batch* const b = batch();
    const void* data = nullptr;
    std::size_t bytes = 0;
    const int status = gallop_batch_snapshot(b, &data, &bytes);
    note(status);
    if (status != GALLOP_OK) return;
    snapshots_[std::size_t(random_.below(kMost))].assign(static_cast<const char*>(data), bytes);
  }
  void restore() {
    std::string bytes = snapshots_[std::size_t(random_.below(kMost))];
    if (!bytes.empty() && random_.chance(0.1)) {
      bytes[std::size_t(random_.below(int(bytes.size())))] ^= 1;
    }
    if (random_.chance(0.05)) bytes.resize(bytes.size() / 2);
    note(gallop_batch_restore(batch(), bytes.data(), bytes.size()));
  }
  gallop_policy_info info_of(const gallop_policy* p) {
    gallop_policy_info info = {};
    info.size = sizeof info;
    note(gallop_policy_get_info(p, &info));
    return info;
  }
  void act() {
    gallop_policy* const p = policy();
    const gallop_policy_info info = info_of(p);
    const bool tabular = info.network == GALLOP_TABULAR;
    const int in = p == nullptr || tabular ? 1 : info.widths[0];
    const int out = p == nullptr || info.head == GALLOP_CATEGORICAL ? 1 : info.n_actions;
    const std::int64_t n = 1 + random_.below(40);
    Memory observation = memory(n, in, GALLOP_FLOAT32), action = memory(n, out, GALLOP_FLOAT32),
           log_prob = flat(n, GALLOP_FLOAT32);
    for (std::size_t k = 0; k < observation.bytes.size() / 4; k++) {
      put(observation, k, tabular ? float(random_.below(2)) : real());
    }
    // The shapes may say n + 1.
    const std::vector<std::uint32_t> words(std::size_t(n) + 1, std::uint32_t(word() >> 33));
    gallop_act_options o = {};
    o.size = or_else<std::uint32_t>(sizeof o, 3);
    o.sample = random_.below(2);
    o.seed = random_.chance(0.95) ? word() >> 8 : word();
    o.step = std::uint32_t(word());
    if (random_.chance(0.3)) o.ids = words.data();
    if (random_.chance(0.3)) o.episodes = words.data();
    if (random_.chance(0.3)) o.steps = words.data();
    note(gallop_policy_act(p, &observation.array, random_.chance(0.9) ? &o : nullptr, &action.array,
                           random_.chance(0.5) ? &log_prob.array : nullptr));
  }
  void policy_numbers() {
    gallop_policy* const p = policy();
    const gallop_policy_info info = info_of(p);
    std::vector<float> values(info.n_parameters + 1, 0.25f), others(100);
    const std::size_t n = or_else(info.n_parameters, info.n_parameters + 1);
    if (random_.chance(0.1)) values[0] = real();
    if (random_.chance(0.4)) return note(gallop_policy_get_parameters(p, values.data(), n));
    if (random_.chance(0.5)) return note(gallop_policy_set_parameters(p, values.data(), n));
    const std::size_t in = p == nullptr ? 1 : std::size_t(info.widths[0]);
    values.resize(std::max(values.size(), in + 1));
    note(gallop_policy_get_normalization(p, values.data(), others.data(), or_else(in, in + 1)));
  }
  void options() {
    gallop_options* made = nullptr;
    const char* const algorithms[] = {"ppo", "es", "reinforce", "none", nullptr};
    note(gallop_options_create(name(), algorithms[random_.below(5)], &made));
    const char* const texts[] = {"steps", "seed",  "gravity", "1000", "-1",
                                 "",      "gamma", "0.5",     nullptr};
    for (int k = 0; k < 3; k++) {
      note(gallop_options_set(made, texts[random_.below(9)], texts[random_.below(9)]));
    }
    const char* toml = nullptr;
    note(gallop_options_get_toml(made, &toml));
    if (toml != nullptr) note(gallop_options_apply(made, std::string(toml).c_str()));
    const char* json = nullptr;
    note(gallop_options_get_json(made, &json));
    gallop_options_destroy(made);
  }
  void evaluate() {
    std::vector<double> returns(4);
    gallop_evaluate_options o = {};
    o.size = sizeof o;
    o.episodes = or_else(1 + random_.below(4), -1);
    o.max_steps = 300;
    o.skips_nonfinite = random_.below(2);
    o.returns = returns.data();
    o.capacity = or_else<std::size_t>(4, 0);
    const char* const texts[] = {"gravity=5", "gravity", "=", "parameters.gravity=1e9", nullptr};
    o.parameters = texts + random_.below(5);
    o.n_parameters = std::size_t(random_.chance(0.3) ? 1 : 0);
    gallop_evaluation e = {};
    e.size = sizeof e;
    note(gallop_evaluate(backend(), policy(), name(), &o,
                         or_else(&e, static_cast<gallop_evaluation*>(nullptr))));
  }
  void export_policy() {
    const char* const formats[] = {"onnx", "c", "npz", "safetensors", "pt", "", nullptr};
    const char* const names[] = {"p.onnx", "p.h", "p.npz", "p.safetensors", "p", "no/p.h"};
    const std::string path = folder_ / names[random_.below(6)];
    gallop_policy* const p = policy();
    const int status = gallop_policy_export(
        p, or_else(path.c_str(), static_cast<const char*>(nullptr)), formats[random_.below(7)]);
    note(status);
    gallop_policy* read = nullptr;
    if (random_.chance(0.5)) note(gallop_policy_load(backend(), path.c_str(), &read));
    gallop_policy_destroy(read);
  }
  void optimize() {
    const char* const methods[] = {"cma_es", "es", "cem", "eggroll", "none", nullptr};
    const char* const texts[] = {"population=6", "sigma=0.5", "sigma", "population=-1", nullptr};
    std::vector<double> initial(std::size_t(1 + random_.below(5)), 0.5);
    if (random_.chance(0.1)) initial[0] = double(real());
    gallop_optimizer* made = nullptr;
    note(gallop_optimizer_create(backend(), methods[random_.below(6)], initial.data(),
                                 or_else(initial.size(), std::size_t(0)), word(),
                                 texts + random_.below(5), std::size_t(random_.below(2)), &made));
    gallop_optimizer_info info = {};
    info.size = sizeof info;
    note(gallop_optimizer_get_info(made, &info));
    for (int k = 0; k < 3; k++) {
      std::vector<double> points(std::size_t(info.population) * info.dimension + 1),
          fitness(std::size_t(info.population) + 1);
      for (double& x : fitness) x = double(real());
      note(gallop_optimizer_ask(made, points.data(), or_else(points.size() - 1, points.size())));
      note(
          gallop_optimizer_tell(made, fitness.data(), or_else(fitness.size() - 1, fitness.size())));
      if (random_.chance(0.2)) note(gallop_optimizer_skip(made));
      note(gallop_optimizer_get_info(made, &info));
    }
    std::vector<double> center(initial.size());
    note(gallop_optimizer_get_center(made, center.data(), center.size()));
    gallop_optimizer_destroy(made);
  }
  void estimate() {
    const int n_steps = 1 + random_.below(40), n_envs = 1 + random_.below(40);
    const std::size_t size = std::size_t(n_steps) * std::size_t(n_envs);
    std::vector<float> numbers(size + std::size_t(n_envs)), results(size);
    for (float& x : numbers) x = real();
    std::vector<std::uint8_t> flags(size);
    for (std::uint8_t& flag : flags) flag = std::uint8_t(random_.below(2));
    gallop_recorded r = {};
    r.size = sizeof r;
    r.n_steps = or_else(n_steps, -1);
    r.n_envs = or_else(n_envs, 0);
    r.gamma = random_.chance(0.9) ? 0.9f : real();
    r.lambda = random_.chance(0.9) ? 0.9f : real();
    r.reward = or_else<const float*>(numbers.data(), nullptr);
    r.terminated = or_else<const std::uint8_t*>(flags.data(), nullptr);
    r.truncated = flags.data();
    r.value = random_.chance(0.8) ? numbers.data() : nullptr;
    r.final_value = random_.chance(0.8) ? numbers.data() : nullptr;
    if (random_.chance(0.5)) return note(gallop_returns(backend(), &r, results.data()));
    note(gallop_gae(backend(), &r, results.data(), nullptr));
  }
  void names() {
    const gallop_spec* spec = nullptr;
    const int status = gallop_environment_spec(name(), &spec);
    note(status);
    if (status == GALLOP_OK) {
      EXPECT_STRNE(spec->name, "");
    }
    EXPECT_EQ(gallop_environment_name(100000), nullptr);
    note(gallop_check_abi(std::uint32_t(word())));
    note(gallop_synchronize(backend()));
  }

  Random random_;
  std::vector<gallop_backend*> backends_;
  std::vector<gallop_batch*> batches_;
  std::vector<gallop_policy*> policies_;
  std::string snapshots_[kMost];
  test::TemporaryFolder folder_;

 public:
  ~Caller() {
    for (gallop_backend* b : backends_) gallop_backend_destroy(b);
    for (gallop_policy* p : policies_) gallop_policy_destroy(p);
    for (gallop_batch* b : batches_) gallop_batch_destroy(b);
  }
  Caller(const Caller&) = delete;
};

TEST(CRandomCalls, NeverCrash) {
  const long calls = number_in_environment("GALLOP_RANDOM_CALLS", 20000);
  const long seed = number_in_environment("GALLOP_RANDOM_SEED", 1);
  Caller caller{std::uint64_t(seed)};
  for (long k = 0; k < calls && !::testing::Test::HasFailure(); k++) {
    SCOPED_TRACE("call " + std::to_string(k));
    caller.call();
  }
  // Neither all of them sensible nor all senseless.
  EXPECT_GT(caller.ok, calls / 4);
  EXPECT_GT(caller.failed, calls / 20);
}

}  // namespace
}  // namespace gallop::testing

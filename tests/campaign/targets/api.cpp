// Random calls of the C++ API, with arguments that are right, wrong and hostile.
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/algorithm.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/training/run_options.h>
#include <gallop/kernels/rollout/trajectory.h>
#include "tests/campaign/fuzz_target.h"
#include "tests/campaign/session.h"
#include "tests/campaign/small_run.h"
#include "tests/host/edited_tensors.h"

namespace gallop::campaign {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* kEnvironments[] = {"cartpole", "pendulum", "mdp", "lqr", "inverted_pendulum"};
constexpr int kMostInstances = 70;  // two registers of every instruction set, and a rest

// Everything is decided by the bytes of the input; behind its end they are 0.
class Calls {
 public:
  explicit Calls(std::string_view input) : input_(input) {}

  std::string run() {
    make_environments();
    for (int n = 0; n < 64 && !input_.empty(); n++) call(take_byte(input_));
    return std::to_string(n_taken_) + " taken " + std::to_string(n_refused_) + " refused";
  }

 private:
  int integer() {
    constexpr int kHostile[] = {0,
                                1,
                                -1,
                                2,
                                3,
                                64,
                                65,
                                1 << 24,
                                1 << 30,
                                std::numeric_limits<int>::max(),
                                std::numeric_limits<int>::min()};
    const unsigned byte = take_byte(input_);
    return byte < std::size(kHostile) ? kHostile[byte] : int(byte % kMostInstances);
  }
  double real() {
    constexpr double kHostile[] = {0,
                                   -0.0,
                                   1,
                                   -1,
                                   0.5,
                                   1e-45,
                                   1e30,
                                   -1e30,
                                   1e308,
                                   3.5,
                                   2,
                                   3,
                                   64,
                                   1e9,
                                   std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::quiet_NaN()};
    const unsigned byte = take_byte(input_);
    return byte < std::size(kHostile) ? kHostile[byte] : (byte - 128) / 16.0;
  }
  std::vector<float> reals(std::size_t size) {
    std::vector<float> values(size);
    const double same = real();
    for (float& value : values) value = float(same);
    if (size > 0) values[take_byte(input_) % size] = float(real());
    return values;
  }
  std::string name() {
    const EnvironmentSpec& spec = environments_->spec();
    const unsigned byte = take_byte(input_);
    return spec.n_parameters == 0 || byte % 16 == 15
               ? "no_such"
               : spec.parameters[byte % spec.n_parameters].name;
  }

  // Whatever is thrown is an Error for a person, and not a broken promise of the library's own.
  template <class Call>
  bool taken(const Call& call) {
    try {
      call();
      n_taken_++;
      return true;
    } catch (const Error& error) {
      if (error.code() == ExitCode::internal) throw;
      if (error.code() == ExitCode::io || error.code() == ExitCode::cuda) finding(error.what());
      n_refused_++;
      return false;
    }
  }

  void make_environments() {
    const char* name = kEnvironments[take_byte(input_) % std::size(kEnvironments)];
    EnvironmentOptions options;
    options.n_envs = integer();
    if (options.n_envs > kMostInstances && options.n_envs < std::numeric_limits<int>::max()) {
      options.n_envs = 3;  // it would be made
    }
    options.seed =
        take_byte(input_) % 8 == 7 ? ~std::uint64_t(0) : std::uint64_t(take_byte(input_));
    options.id_offset = take_byte(input_) % 8 == 7 ? ~std::uint32_t(0) : 0;
    options.time_limit = integer();
    options.reset_mode = ResetMode(take_byte(input_) % 4);
    options.clip_actions = take_byte(input_) % 2 == 0;
    if (!taken([&] {
          environments_ =
              std::make_unique<Environments>(*backend_, find_environment(name), options);
        })) {
      environments_ = std::make_unique<Environments>(*backend_, find_environment(name),
                                                     EnvironmentOptions{.n_envs = 3});
    }
    const std::size_t n = environments_->n_envs();
    observation_.resize(environments_->observation_rows() * n);
    action_.resize(environments_->action_rows() * n);
    for (auto* flags : {&terminated_, &truncated_}) flags->resize(n);
    for (auto* numbers : {&reward_, &ended_return_}) numbers->resize(n);
    ended_length_.resize(n);
  }

  StepOutput output() {
    const long n = environments_->n_envs();
    StepOutput out = {};
    const unsigned which = take_byte(input_);
    if (which % 2 == 0) out.observation = observation_.data();
    out.observation_stride = n;
    if (which % 4 == 0) out.reward = reward_.data();
    if (which % 8 == 0) {
      out.terminated = terminated_.data();
      out.truncated = truncated_.data();
      out.ended_return = ended_return_.data();
      out.ended_length = ended_length_.data();
    }
    return out;
  }

  void step() {
    const EnvironmentSpec& spec = environments_->spec();
    const bool right = take_byte(input_) % 2 == 0;
    for (float& value : action_) value = 0;
    if (!right && !action_.empty()) {
      action_ = reals(action_.size());
    } else if (spec.action_kind == SpaceKind::kDiscrete) {
      for (float& value : action_) value = float(take_byte(input_) % environments_->action_size());
    }
    taken([&] { environments_->step(action_.data(), output()); });
  }

  void random_rollout() {
    const int steps = 1 + int(take_byte(input_) % 4);
    const std::size_t n = environments_->n_envs();
    std::vector<float> observations(environments_->observation_rows() * n * (steps + 1)),
        actions(environments_->action_rows() * n * steps), rewards(n * steps);
    Trajectory out = {};
    out.n_steps = steps;
    out.observation = observations.data();
    out.action = actions.data();
    out.reward = rewards.data();
    taken([&] { environments_->rollout(ActionSource::kUniform, PolicyView{}, false, out); });
  }

  // The same state again, or one with a tensor's bytes changed.
  void save_and_load() {
    TensorFile file;
    if (!taken([&] { environments_->save(file, "e"); })) return;
    const std::size_t which = take_byte(input_) % (file.tensors().size() + 1);
    TensorFile other;
    std::size_t k = 0;
    for (const auto& [name, tensor] : file.tensors()) {
      Tensor changed = tensor;
      if (k++ == which && changed.bytes.size() >= 4) {
        const float value = float(real());
        std::memcpy(changed.bytes.data() + take_byte(input_) % (changed.bytes.size() / 4) * 4,
                    &value, 4);
      }
      test::put_tensor(other, name, changed);
    }
    taken([&] { environments_->load(other, take_byte(input_) % 8 == 7 ? "x" : "e"); });
  }

  void set_state() {
    const std::size_t n = environments_->n_envs();
    std::size_t rows = take_byte(input_) % 4 == 3 ? environments_->spec().n_given_state
                                                  : environments_->spec().n_state;
    if (take_byte(input_) % 8 == 7) rows++;
    std::vector<float> state;
    if (take_byte(input_) % 2 == 0) {
      taken([&] { state = environments_->get_state(); });
      if (!state.empty()) state[take_byte(input_) % state.size()] = float(real());
    } else {
      state = reals(rows * n);
    }
    taken([&] { environments_->set_state(state); });
  }

  void learn() {
    const char* const algorithms[] = {"ppo", "vpg", "trpo", "a2c"};
    const char* environment = kEnvironments[take_byte(input_) % std::size(kEnvironments)];
    const char* algorithm = algorithms[take_byte(input_) % std::size(algorithms)];
    std::unique_ptr<RunOptions> options;
    options = std::make_unique<RunOptions>(small_options(environment, algorithm));
    const std::vector<std::string> names = options->values().names();
    for (int k = 0; k < 3; k++) {
      const std::string& option = names[take_byte(input_) % names.size()];
      if (option.starts_with("n_") || option == "hidden" || option == "parameters.file") continue;
      taken([&] { options->set(option, std::to_string(real()), "api"); });
    }
    options->set("epochs", "1", "api");
    taken([&] {
      const auto learner =
          options->algorithm().create({*backend_, options->environment(), options->values(),
                                       options->seed(), options->configure()});
      learner->iterate();
    });
  }

  void call(unsigned which) {
    switch (which % 20) {
      case 0:
        taken([&] { environments_->reset(); });
        break;
      case 1:
      case 2:
      case 3:
        step();
        break;
      case 4:
        random_rollout();
        break;
      case 5: {
        const std::string parameter = name();
        taken([&] { environments_->set_parameter(parameter, real()); });
        break;
      }
      case 6: {
        const std::string parameter = name();
        const std::vector<float> values =
            reals(environments_->n_envs() + (take_byte(input_) % 8 == 7));
        taken([&] { environments_->set_parameter(parameter, values); });
        break;
      }
      case 7:
        taken([&] { environments_->parameter(name()); });
        break;
      case 8:
        taken([&] { environments_->parameter_values(name()); });
        break;
      case 9:
        set_state();
        break;
      case 10:
        taken([&] { environments_->get_state(); });
        break;
      case 11:
        save_and_load();
        break;
      case 12:
        taken([&] { environments_->observe(observation_.data()); });
        break;
      case 13:
        taken([&] { environments_->set_time_limit(integer()); });
        break;
      case 14: {
        const std::vector<float> table =
            reals(environments_->spec().table_capacity + (take_byte(input_) % 8 == 7));
        taken([&] { environments_->set_table(table); });
        break;
      }
      case 15: {
        std::vector<std::uint8_t> mask(environments_->n_envs());
        for (std::uint8_t& flag : mask) flag = std::uint8_t(take_byte(input_));
        taken([&] { environments_->reset_where(mask.data()); });
        break;
      }
      case 16:
        taken([&] { environments_->nonfinite_times(); });
        break;
      case 17:
        taken([&] { environments_->restart_nonfinite(); });
        break;
      case 18:
        taken([&] { environments_->first_nonfinite(); });
        break;
      case 19:
        if (take_byte(input_) % 16 == 15) learn();
        break;
    }
    observation_.resize(environments_->observation_rows() * std::size_t(environments_->n_envs()));
    action_.resize(environments_->action_rows() * std::size_t(environments_->n_envs()));
  }

  std::string_view input_;
  std::unique_ptr<Backend> backend_ = make_cpu_backend(1);
  std::unique_ptr<Environments> environments_;
  std::vector<float> observation_, action_, reward_, ended_return_;
  std::vector<std::uint8_t> terminated_, truncated_;
  std::vector<std::int32_t> ended_length_;
  int n_taken_ = 0, n_refused_ = 0;
};

std::string run_api(std::string_view input) { return Calls(input).run(); }

Texts api_seeds() {
  Texts seeds;
  for (char e = 0; e < 5; e++) {
    std::string calls = std::string{e, 20, 0, 1, 0, 20, 0, 0};
    for (char call = 0; call < 20; call++) calls += std::string{call, 1, 2, 3};
    seeds.push_back(calls);
    seeds.push_back(
        std::string{e, 64, 0, 1, 0, 20, 1, 0, 0, 1, 0, 0, 1, 0, 0, 4, 9, 0, 0, 3, 15, 1, 1});
  }
  return seeds;
}
Texts api_words() {
  Texts words;
  for (int byte = 0; byte < 24; byte++) words.emplace_back(1, char(byte));
  return words;
}

}  // namespace

FuzzTarget api_target() { return {"api", run_api, api_seeds, api_words, 4}; }

}  // namespace gallop::campaign

// PPO on RLtools' own pendulum, as its example (github.com/rl-tools/example, src/main.cpp) runs it,
// with the numbers of instances, steps and samples of a minibatch that the compiler is given. The
// last line of its output are the samples of all iterations and the seconds of processor time that
// they took. bench/peers/rltools_ppo.py builds and runs it.
#include <cstdio>
#include <cstdlib>
#include <ctime>

// Each needs those before it.
// clang-format off
#include <rl_tools/operations/cpu_mux.h>
#include <rl_tools/rl/environments/pendulum/operations_cpu.h>
#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn/layers/standardize/operations_generic.h>
#include <rl_tools/nn_models/mlp_unconditional_stddev/operations_generic.h>
#include <rl_tools/nn_models/mlp/operations_generic.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>
#include <rl_tools/rl/algorithms/ppo/loop/core/config.h>
#include <rl_tools/rl/algorithms/ppo/loop/core/operations_generic.h>
// clang-format on

namespace rlt = rl_tools;

using Device = rlt::devices::DEVICE_FACTORY<>;
using Rng = Device::SPEC::RANDOM::ENGINE<>;
using Types = rlt::numeric_types::Policy<float>;
using Index = Device::index_t;
using Pendulum =
    rlt::rl::environments::Pendulum<rlt::rl::environments::pendulum::Specification<float, Index>>;

struct Parameters
    : rlt::rl::algorithms::ppo::loop::core::DefaultParameters<Types, Index, Pendulum> {
  static constexpr Index N_ENVIRONMENTS = PEER_ENVS;
  static constexpr Index ON_POLICY_RUNNER_STEPS_PER_ENV = PEER_STEPS;
  static constexpr Index DATASET_SIZE = N_ENVIRONMENTS * ON_POLICY_RUNNER_STEPS_PER_ENV;
  static constexpr Index BATCH_SIZE = PEER_MINIBATCH;
  static constexpr Index ACTOR_HIDDEN_DIM = PEER_HIDDEN;
  static constexpr Index CRITIC_HIDDEN_DIM = PEER_HIDDEN;
  static constexpr auto ACTOR_ACTIVATION_FUNCTION =
      rlt::nn::activation_functions::ActivationFunction::FAST_TANH;
  static constexpr auto CRITIC_ACTIVATION_FUNCTION =
      rlt::nn::activation_functions::ActivationFunction::FAST_TANH;
  static constexpr Index STEP_LIMIT = Index(1) << 40;
  static constexpr Index EPISODE_STEP_LIMIT = Pendulum::EPISODE_STEP_LIMIT;
  static constexpr bool NORMALIZE_OBSERVATIONS = true;
  struct OPTIMIZER_PARAMETERS : rlt::nn::optimizers::adam::DEFAULT_PARAMETERS_TENSORFLOW<Types> {
    static constexpr float ALPHA = 0.001f;
  };
  struct PPO_PARAMETERS : rlt::rl::algorithms::ppo::DefaultParameters<Types, Index, BATCH_SIZE> {
    static constexpr float ACTION_ENTROPY_COEFFICIENT = 0.0f;
    static constexpr Index N_EPOCHS = PEER_EPOCHS;
    static constexpr float GAMMA = 0.9f;
    static constexpr float INITIAL_ACTION_STD = 2.0f;
  };
};
using Config =
    rlt::rl::algorithms::ppo::loop::core::Config<Types, Index, Rng, Pendulum, Parameters>;

static double processor_seconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
  Device device;
  rlt::init(device);
  typename Config::template State<Config> state;
  rlt::malloc(device, state);
  rlt::init(device, state, Index(0));
  for (int k = 0; k < 5; k++) rlt::step(device, state);  // warm-up
  const double start = processor_seconds();
  long iterations = 0;
  double passed = 0;
  do {
    rlt::step(device, state);
    iterations++;
    passed = processor_seconds() - start;
  } while (passed < seconds);
  std::printf("%.0f %.9f\n", double(iterations) * double(Parameters::DATASET_SIZE), passed);
}

/* Pendulum from C: stepped under a controller of this program's, then a fused rollout under a policy
 * with the same gains, into buffers of its own. Both have the same bits, and so has the C++ library.
 *
 *   cc -std=c99 rollout.c $(pkg-config --cflags --libs gallop) -lm -o rollout && ./rollout
 */
#include <gallop/gallop.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { kEnvs = 1000, kSteps = 300, kObservation = 3 };
static const float kGains[kObservation] = {-0.4f, -1.7f, -0.6f}; /* cos, sin, velocity */

static float observation[kEnvs][kObservation], action[kEnvs], reward[kEnvs];
static float rewards[kSteps][kEnvs]; /* of the rollout */

static void check(int status) {
  if (status == GALLOP_OK) return;
  fprintf(stderr, "%s\n", gallop_last_error());
  exit(status);
}

static gallop_batch *make_pendulums(gallop_backend *backend) {
  gallop_batch_options options = {.size = sizeof options};
  gallop_batch *pendulums;
  options.n_envs = kEnvs;
  options.seed = 7;
  check(gallop_batch_create(backend, "pendulum", &options, &pendulums));
  check(gallop_batch_set_parameter(pendulums, "gravity", 8.0));
  check(gallop_batch_reset(pendulums));
  return pendulums;
}

static gallop_array rows(void *data, int32_t dtype, int32_t ndim, const int64_t *shape) {
  gallop_array array = {.size = sizeof array, .dtype = dtype, .data = data, .ndim = ndim};
  array.shape = shape;
  return array;
}

static double step_by_step(gallop_backend *backend) {
  static const int64_t shape[2] = {kEnvs, kObservation};
  const gallop_array observations = rows(observation, GALLOP_FLOAT32, 2, shape);
  const gallop_array rewards_now = rows(reward, GALLOP_FLOAT32, 1, shape);
  const gallop_array actions = rows(action, GALLOP_FLOAT32, 1, shape);
  gallop_step_output output = {.size = sizeof output};
  gallop_batch *pendulums = make_pendulums(backend);
  double sum = 0;
  output.observation = &observations;
  output.reward = &rewards_now;
  check(gallop_batch_observe(pendulums, &observations));
  for (int t = 0; t < kSteps; t++) {
    for (int i = 0; i < kEnvs; i++) {
      action[i] = 0;
      for (int k = 0; k < kObservation; k++) {
        action[i] = fmaf(kGains[k], observation[i][k], action[i]);
      }
    }
    check(gallop_batch_step(pendulums, &actions, &output));
    for (int i = 0; i < kEnvs; i++) sum += reward[i];
  }
  gallop_batch_destroy(pendulums);
  return sum / kEnvs;
}

static double fused(gallop_backend *backend) {
  static const int32_t widths[2] = {kObservation, 1};
  float parameters[kObservation + 1] = {0}; /* weights [O, A], biases [A] */
  gallop_policy_options options = {.size = sizeof options};
  gallop_trajectory trajectory = {.size = sizeof trajectory, .n_steps = kSteps};
  gallop_policy *policy;
  gallop_batch *pendulums = make_pendulums(backend);
  double sum = 0;
  for (int k = 0; k < kObservation; k++) parameters[k] = kGains[k];
  options.head = GALLOP_DETERMINISTIC;
  options.n_actions = 1;
  options.n_layers = 1;
  options.widths = widths;
  options.parameters = parameters;
  options.n_parameters = sizeof parameters / sizeof *parameters;
  check(gallop_policy_create(backend, &options, &policy));
  trajectory.reward = &rewards[0][0];
  check(gallop_batch_rollout(pendulums, policy, 1, &trajectory));
  for (int t = 0; t < kSteps; t++)
    for (int i = 0; i < kEnvs; i++) sum += rewards[t][i];
  gallop_policy_destroy(policy);
  gallop_batch_destroy(pendulums);
  return sum / kEnvs;
}

int main(void) {
  const gallop_backend_options options = {.size = sizeof options, .threads = 2};
  gallop_backend *backend;
  check(gallop_check_abi(GALLOP_ABI_VERSION));
  check(gallop_backend_create(&options, &backend));
  printf("own controller: mean return %.9f\n", step_by_step(backend));
  printf("fused policy:   mean return %.9f\n", fused(backend));
  gallop_backend_destroy(backend);
  return 0;
}

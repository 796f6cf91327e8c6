// The baselines, compiled once for each instruction set of the kernels. Everything is local to the
// unit; Eigen's namespace bears the name of the instruction set, so that its functions cannot be
// merged with those of another unit.
#include <cstring>
#include "bench/plain/eigen_of_isa.h"

#include "bench/plain/baseline.h"
#include "bench/plain/environments.h"

namespace gallop {
namespace {

constexpr int kBlock = 256;  // instances that step together, so that they stay in the cache

template <class Env>
struct Instance {
  Env env;
  int elapsed;
  float episode_return;
};

// Draws an action of the policy's outputs, `stride` apart; writes its log-probability.
template <class Env>
float draw_action(const float* output, long stride, const float* log_std, PlainRandom& random,
                  float* log_prob) {
  if (Env::kDiscrete) {
    float greatest = output[0], weight[Env::kActions], total = 0;
    for (int a = 1; a < Env::kActions; a++) greatest = std::fmax(greatest, output[a * stride]);
    for (int a = 0; a < Env::kActions; a++) {
      total += weight[a] = std::exp(output[a * stride] - greatest);
    }
    float left = random.uniform() * total;
    int action = 0;
    while (action + 1 < Env::kActions && left >= weight[action]) left -= weight[action++];
    if (log_prob != nullptr) *log_prob = output[action * stride] - greatest - std::log(total);
    return float(action);
  }
  const float radius = std::sqrt(-2 * std::log(1.0f - random.uniform()));
  const float z = radius * std::cos(2 * kPi * random.uniform());
  if (log_prob != nullptr) *log_prob = -0.5f * z * z - log_std[0] - 0.91893853f;
  return output[0] + std::exp(log_std[0]) * z;
}

template <class Env>
float random_action(PlainRandom& random) {
  if constexpr (Env::kDiscrete) {
    return Env::kActions == 2 ? float(random.next() >> 31)
                              : float(int(random.uniform() * float(Env::kActions)));
  } else {
    return random.uniform(Env::kLow, Env::kHigh);
  }
}

template <class Env>
struct Rollout {
  const BaselineRequest& r;
  Instance<Env>* const all;
  PlainRandom random;
  const float* log_std;
  BaselineStatistics total;

  explicit Rollout(const BaselineRequest& request)
      : r(request), all(static_cast<Instance<Env>*>(r.instances)), random{*r.random}, total{} {
    long parameters = 0;
    for (int l = 0; l < r.n_layers; l++) parameters += (r.width[l] + 1L) * r.width[l + 1];
    log_std = r.parameters + parameters;
  }
  ~Rollout() {
    *r.random = random.state;
    r.total->reward += total.reward;
    r.total->ended_return += total.ended_return;
    r.total->ended_length += total.ended_length;
    r.total->steps += long(r.out.n_steps) * r.out.n_envs;
    r.total->episodes += total.episodes;
  }

  void begin(Instance<Env>& instance) {
    instance.env.reset(random);
    instance.elapsed = 0;
    instance.episode_return = 0;
  }
  void store_observation(const Env& env, int t, int i) {
    float o[Env::kObservation];
    env.observe(o);
    for (int k = 0; k < Env::kObservation; k++) {
      r.out.observation[(long(t) * Env::kObservation + k) * r.out.n_envs + i] = o[k];
    }
  }

  void step(int t, int i, float action) {
    Instance<Env>& instance = all[i];
    float reward;
    const bool terminated = instance.env.step(action, reward);
    const bool truncated = ++instance.elapsed >= Env::kLimit;
    instance.episode_return += reward;
    total.reward += double(reward);
    if (r.out.observation != nullptr) {
      const long at = long(t) * r.out.n_envs + i;
      store_observation(instance.env, t + 1, i);
      r.out.action[at] = action;
      r.out.reward[at] = reward;
      r.out.terminated[at] = terminated;
      r.out.truncated[at] = truncated;
    }
    if (terminated || truncated) {
      total.ended_return += double(instance.episode_return);
      total.ended_length += instance.elapsed;
      total.episodes++;
      begin(instance);
      if (r.out.observation != nullptr) store_observation(instance.env, t + 1, i);
    }
  }

  float* log_prob(int t, int i) {
    return r.out.log_prob == nullptr ? nullptr : r.out.log_prob + long(t) * r.out.n_envs + i;
  }

  // The network of one instance: rows of weights are contiguous over outputs.
  const float* forward(float* a, float* b) {
    const float* weight = r.parameters;
    for (int l = 0; l < r.n_layers; l++) {
      const int n_in = r.width[l], n_out = r.width[l + 1];
      for (int j = 0; j < n_out; j++) b[j] = weight[n_in * n_out + j];
      for (int k = 0; k < n_in; k++) {
        for (int j = 0; j < n_out; j++) b[j] += a[k] * weight[k * n_out + j];
      }
      if (l + 1 < r.n_layers) {
        for (int j = 0; j < n_out; j++) b[j] = std::tanh(b[j]);
      }
      weight += (n_in + 1) * n_out;
      float* swap = a;
      a = b;
      b = swap;
    }
    return a;
  }

  template <class Act>
  void blocks(Act act) {
    for (int begin = 0; begin < r.out.n_envs; begin += kBlock) {
      const int end = begin + kBlock < r.out.n_envs ? begin + kBlock : r.out.n_envs;
      for (int i = begin; r.out.observation != nullptr && i < end; i++) {
        store_observation(all[i].env, 0, i);
      }
      for (int t = 0; t < r.out.n_steps; t++) act(t, begin, end);
    }
  }

  void run_scalar() {
    blocks([&](int t, int first, int last) {
      for (int i = first; i < last; i++) {
        if (r.n_layers == 0) {
          step(t, i, random_action<Env>(random));
          continue;
        }
        float a[kBaselineWidth], b[kBaselineWidth];
        all[i].env.observe(a);
        step(t, i, draw_action<Env>(forward(a, b), 1, log_std, random, log_prob(t, i)));
      }
    });
  }

  void run_eigen() {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic>;
    Matrix activation[17];
    for (int l = 0; l <= r.n_layers; l++) activation[l].resize(r.width[l], kBlock);
    activation[0].setZero();
    blocks([&](int t, int first, int last) {
      for (int i = first; i < last; i++) all[i].env.observe(activation[0].col(i - first).data());
      const float* weight = r.parameters;
      for (int l = 0; l < r.n_layers; l++) {
        const int n_in = r.width[l], n_out = r.width[l + 1];
        const Eigen::Map<const Matrix> w(weight, n_out, n_in);
        const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, 1>> bias(weight + n_in * n_out,
                                                                             n_out);
        activation[l + 1].noalias() = w * activation[l];
        activation[l + 1].colwise() += bias;
        if (l + 1 < r.n_layers) activation[l + 1] = activation[l + 1].array().tanh();
        weight += (n_in + 1) * n_out;
      }
      for (int i = first; i < last; i++) {
        const float* output = activation[r.n_layers].col(i - first).data();
        step(t, i, draw_action<Env>(output, 1, log_std, random, log_prob(t, i)));
      }
    });
  }
};

// Calls f(Env()) for the environment of that name; false where there is none.
template <class F>
bool visit(const char* name, F f) {
  const auto one = [&](auto env) {
    if (std::strcmp(env.kName, name) != 0) return false;
    f(env);
    return true;
  };
  return one(PlainCartPole()) || one(PlainPendulum()) || one(PlainMountainCar()) ||
         one(PlainMountainCarContinuous()) || one(PlainAcrobot());
}

long instance_bytes(const char* name) {
  long bytes = 0;
  visit(name, [&](auto env) { bytes = sizeof(Instance<decltype(env)>); });
  return bytes;
}
void reset(const char* name, const BaselineRequest& r) {
  visit(name, [&](auto env) {
    Rollout<decltype(env)> rollout(r);
    for (int i = 0; i < r.out.n_envs; i++) rollout.begin(rollout.all[i]);
    rollout.total = {};
  });
  *r.total = {};
}
void scalar_rollout(const char* name, const BaselineRequest& r) {
  visit(name, [&](auto env) { Rollout<decltype(env)>(r).run_scalar(); });
}
void eigen_rollout(const char* name, const BaselineRequest& r) {
  visit(name, [&](auto env) { Rollout<decltype(env)>(r).run_eigen(); });
}

constexpr Baselines kBaselines = {&instance_bytes, &reset, &scalar_rollout, &eigen_rollout};

}  // namespace
}  // namespace gallop

extern "C" const gallop::Baselines* GALLOP_OF_ISA(gallop_baselines)() {
  return &gallop::kBaselines;
}

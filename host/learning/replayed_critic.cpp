#include <gallop/host/learning/replayed_critic.h>

#include <gallop/host/files/checked_tensor.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

constexpr std::uint32_t kStream = 2, kCriticIds = std::uint32_t(1) << 30;

NetworkShape critic_shape(const AlgorithmContext& context, const PolicyModel& policy,
                          const TransitionStore& store) {
  NetworkShape shape = make_value_shape(policy.shape(), context.options);
  shape.width[0] = store.observation_rows() + store.action_rows();
  return shape;
}

}  // namespace

ReplayedCritic::ReplayedCritic(const AlgorithmContext& context, const PolicyModel& policy,
                               const TransitionStore& store)
    : backend_(context.backend),
      seed_(context.seed),
      policy_(policy),
      store_(store),
      gamma_(context.options.real("gamma")),
      reward_scale_(context.options.real("reward_scale")),
      learning_rate_(context.options.real("value_learning_rate")),
      max_norm_(context.options.real("max_gradient_norm")),
      tau_(context.options.real("tau")),
      n_(context.options.integer("minibatch")),
      observation_rows_(store.observation_rows()),
      action_rows_(store.action_rows()),
      outputs_(outputs_of(policy.shape().network)),
      own_(head_parameters(policy.shape().head, policy.shape().n_actions)),
      shape_(critic_shape(context, policy, store)),
      parameters_(context.backend, initial_parameters(shape_, context.seed, kStream, 1.0, 1.0), 1),
      normalizer_(context.backend, shape_.width[0], true) {
  const std::size_t n = std::size_t(n_), padded = (n + 15) / 16 * 16;
  const auto floats = [&](int rows) { return DeviceArray<float>(backend_, std::size_t(rows) * n); };
  target_parameters_ = DeviceArray<float>(backend_, std::size_t(parameters_.size()));
  backend_.copy({target_parameters_.data(), parameters_.data(), parameters_.size()});
  chosen_ = DeviceArray<std::uint32_t>(backend_, n);
  episode_ = DeviceArray<std::uint32_t>(backend_, padded);
  elapsed_ = DeviceArray<std::int32_t>(backend_, 2 * padded);
  std::vector<std::int32_t> elapsed(2 * padded, 0);
  std::fill(elapsed.begin() + long(padded), elapsed.end(), 1);
  elapsed_.upload(elapsed);
  observation_ = floats(observation_rows_);
  action_ = floats(action_rows_);
  output_ = floats(outputs_);
  output_slope_ = floats(outputs_);
  own_slope_ = floats(own_);
  input_ = floats(shape_.width[0]);
  input_slope_ = floats(shape_.width[0]);
  for (DeviceArray<float>* array : {&reward_, &continues_, &value_, &target_, &one_}) {
    *array = floats(1);
  }
  one_.upload(std::vector<float>(n, 1.0f));
}

void ReplayedCritic::update_statistics() {
  const long row = long(store_.newest()[0]) / store_.n_envs();
  normalizer_.update(store_.input() + row * shape_.width[0] * store_.n_envs(), store_.n_steps(),
                     store_.n_envs());
}

Samples ReplayedCritic::samples(const float* observation, int rows, const float* target) const {
  Samples s = {};
  s.n_envs = int(n_);
  s.observation_rows = rows;
  s.observation = observation;
  s.target = target;
  s.count = n_;
  return s;
}

// Actions of the policy at observations [O, n], and both as inputs of Q.
void ReplayedCritic::act(const float* observation, float* input, std::uint32_t call, int draw) {
  const PolicyView policy = policy_.view();
  backend_.values({policy.shape.network, policy.parameters, policy.normalization, 1, int(n_),
                   observation, output_.data()});
  episode_.upload(std::vector<std::uint32_t>(episode_.size(), call));
  ChooseRequest choice = {};
  choice.shape = policy.shape;
  choice.parameters = policy.parameters;
  choice.n = n_;
  choice.output = output_.data();
  choice.seed = seed_;
  choice.ids = {kCriticIds, nullptr};
  choice.episode = episode_.data();
  choice.elapsed = elapsed_.data() + std::size_t(draw) * episode_.size();
  choice.action = action_.data();
  backend_.choose_actions(choice);
  backend_.copy({input, observation, observation_rows_ * n_});
  backend_.clip_actions({n_, action_rows_, action_.data(), store_.low(), store_.high(),
                         input + observation_rows_ * n_});
}

double ReplayedCritic::learn(const std::vector<std::uint32_t>& chosen, std::uint32_t call) {
  chosen_.upload(chosen);
  const std::uint32_t* const at = chosen_.data();
  const int o = observation_rows_, rows = shape_.width[0];
  store_.gather(store_.next(), o, o, at, 0, n_, observation_.data());
  act(observation_.data(), input_.data(), call, 1);
  backend_.values({shape_, target_parameters_.data(), normalizer_.view(), 1, int(n_), input_.data(),
                   value_.data()});
  store_.gather(store_.reward(), 1, 1, at, 0, n_, reward_.data());
  store_.gather(store_.continues(), 1, 1, at, 0, n_, continues_.data());
  backend_.one_step_targets({n_, float(reward_scale_), float(gamma_), reward_.data(),
                             continues_.data(), value_.data(), target_.data()});
  store_.gather(store_.input(), rows, rows, at, 0, n_, input_.data());
  ValueGradientRequest r = {};
  r.shape = shape_;
  r.parameters = parameters_.data();
  r.normalization = normalizer_.view();
  r.samples = samples(input_.data(), rows, target_.data());
  r.weight = 1.0f / float(n_);
  r.gradient = parameters_.gradient();
  backend_.value_gradient(r);
  const double loss = double(parameters_.statistics()[0]) / (2.0 * double(n_));
  require_finite(loss, "the Q function's loss");
  require_finite(parameters_.adam_step(learning_rate_, max_norm_),
                 "the norm of the Q function's gradient");
  backend_.polyak(
      {target_parameters_.data(), parameters_.data(), float(tau_), long(parameters_.size())});
  return loss;
}

void ReplayedCritic::differentiate(double entropy_coefficient, std::uint32_t call) {
  const int o = observation_rows_, rows = shape_.width[0];
  const PolicyView policy = policy_.view();
  store_.gather(store_.input(), rows, o, chosen_.data(), 0, n_, observation_.data());
  act(observation_.data(), input_.data(), call, 0);
  backend_.input_gradient({shape_, parameters_.data(), normalizer_.view(),
                           samples(input_.data(), rows, nullptr), one_.data(),
                           input_slope_.data()});
  backend_.policy_slopes({policy.shape, policy.parameters, n_, output_.data(), action_.data(),
                          input_slope_.data() + o * n_, store_.low(), store_.high(), nullptr,
                          float(entropy_coefficient), output_slope_.data(),
                          own_ > 0 ? own_slope_.data() : nullptr});
  backend_.network_gradient({policy.shape.network, policy.parameters, policy.normalization,
                             samples(observation_.data(), o, nullptr), output_slope_.data(),
                             own_ > 0 ? own_slope_.data() : nullptr, own_, -1.0f / float(n_),
                             Arithmetic::kStrict, policy_.parameters().gradient()});
}

void ReplayedCritic::save(TensorFile& file) const {
  parameters_.save(file, "critic");
  file.put<float>("critic/target_parameters", {target_parameters_.size()},
                  target_parameters_.download());
  normalizer_.save(file, "critic/normalizer");
}

void ReplayedCritic::load(const TensorFile& file, std::uint64_t most) {
  parameters_.load(file, "critic");
  target_parameters_.upload(
      finite_floats(file, "critic/target_parameters", target_parameters_.size()));
  normalizer_.load(file, "critic/normalizer", most);
}

}  // namespace gallop

#include <gallop/host/learning/model_paths.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

constexpr std::uint32_t kPathIds = std::uint32_t(1) << 30;
constexpr double kGreatestModelAdjoint =
    1e12;  // beyond it nothing of the gradient is left but its noise

std::size_t padded_count(long n) { return (std::size_t(n) + 15) / 16 * 16; }

void require_memory(const AlgorithmContext& context, int n_steps, long n, double rows) {
  const double bytes = double(n_steps + 1) * double(n) * rows * sizeof(float);
  const double available = double(context.backend.available_memory());
  if (bytes <= available) return;
  throw value_error(fmt::format(
      "{} paths of {} steps take {:.2f} GB, and {:.2f} GB are available; expected fewer or shorter "
      "ones",
      n, n_steps, bytes / 1e9, available / 1e9));
}

}  // namespace

ModelPaths::ModelPaths(const AlgorithmContext& context, const PolicyModel& policy,
                       const DynamicsModel& model, int n_steps, long n)
    : backend_(context.backend),
      seed_(context.seed),
      policy_(policy),
      model_(model),
      arithmetic_(context.options.text("mode") == "fast" ? Arithmetic::kFast : Arithmetic::kStrict),
      n_steps_(n_steps),
      n_(n),
      observation_rows_(model.observation_rows()),
      action_rows_(model.input_rows() - model.observation_rows()),
      outputs_(outputs_of(policy.shape().network)),
      own_(head_parameters(policy.shape().head, policy.shape().n_actions)) {
  const std::size_t t = std::size_t(n_steps), o = std::size_t(observation_rows_);
  const std::size_t a = std::size_t(action_rows_), size = std::size_t(n);
  const std::size_t out = std::size_t(outputs_), own = std::size_t(own_);
  require_memory(context, n_steps, n, double(5 * o + 2 * a + 2 * out + own + 6));
  const auto floats = [&](std::size_t rows) { return DeviceArray<float>(backend_, rows * size); };
  chosen_ = DeviceArray<std::uint32_t>(backend_, size);
  episode_ = DeviceArray<std::uint32_t>(backend_, padded_count(n));
  elapsed_ = DeviceArray<std::int32_t>(backend_, t * padded_count(n));
  std::vector<std::int32_t> elapsed(elapsed_.size());
  for (std::size_t i = 0; i < elapsed.size(); i++) elapsed[i] = std::int32_t(i / padded_count(n));
  elapsed_.upload(elapsed);
  observation_ = floats((t + 1) * o);
  adjoint_ = floats((t + 1) * o);
  input_ = floats(t * (o + a));
  action_ = floats(t * a);
  output_ = floats(t * out);
  output_slope_ = floats(t * out);
  own_slope_ = floats(t * own);
  next_ = floats(t * o);
  tail_ = floats(t * o);
  for (DeviceArray<float>* array :
       {&reward_, &reward_slope_, &continues_, &cut_, &weight_, &tail_slope_}) {
    *array = floats(t);
  }
  model_output_ = floats(o + 1);
  model_slope_ = floats(o + 1);
  input_slope_ = floats(o + a);
  state_slope_ = floats(o);
  by_policy_ = floats(o);
  log_prob_ = floats(1);
}

Samples ModelPaths::samples(const float* observation, int rows, long count) const {
  Samples s = {};
  s.n_envs = int(n_);
  s.observation_rows = rows;
  s.observation = observation;
  s.count = count;
  return s;
}

// Outputs of the policy's network for `rows` steps from `step` on.
void ModelPaths::evaluate_policy(int step, int rows) {
  ValuesRequest r = {policy_.shape().network,
                     policy_.view().parameters,
                     policy_.normalization(),
                     rows,
                     int(n_),
                     observation_.data() + long(step) * observation_rows_ * n_,
                     output_.data() + long(step) * outputs_ * n_};
  r.arithmetic = arithmetic_;
  backend_.values(r);
}

void ModelPaths::choose(const std::vector<std::uint32_t>& chosen) {
  if (long(chosen.size()) != n_) throw internal_error("paths of another number of instances");
  chosen_.upload(chosen);
}

void ModelPaths::imagine(const TransitionStore& store, const std::vector<std::uint32_t>& chosen,
                         int member, std::uint32_t episode) {
  const long o = observation_rows_, a = action_rows_;
  choose(chosen);
  low_ = store.low();
  high_ = store.high();
  is_recalled_ = is_weighed_ = false;
  episode_.upload(std::vector<std::uint32_t>(episode_.size(), episode));
  store.gather(store.input(), int(o + a), int(o), chosen_.data(), 0, n_, observation_.data());
  backend_.copy({input_.data(), observation_.data(), o * n_});
  for (int t = 0; t < n_steps_; t++) {
    float* const input = input_.data() + t * (o + a) * n_;
    float* const action = action_.data() + t * a * n_;
    evaluate_policy(t, 1);
    ChooseRequest choice = {};
    choice.shape = policy_.shape();
    choice.parameters = policy_.view().parameters;
    choice.n = n_;
    choice.output = output_.data() + long(t) * outputs_ * n_;
    choice.seed = seed_;
    choice.ids = {kPathIds, nullptr};
    choice.episode = episode_.data();
    choice.elapsed = elapsed_.data() + t * long(padded_count(n_));
    choice.action = action;
    backend_.choose_actions(choice);
    backend_.clip_actions({n_, action_rows_, action, low_, high_, input + o * n_});
    model_.evaluate(member, input, n_, model_output_.data());
    backend_.model_step({n_, observation_rows_, model_output_.data(), model_.mean(), model_.scale(),
                         model_.noise(), seed_, kPathIds, episode, std::uint32_t(t),
                         observation_.data() + t * o * n_, observation_.data() + (t + 1) * o * n_,
                         t + 1 < n_steps_ ? input + (o + a) * n_ : nullptr,
                         reward_.data() + t * n_});
  }
}

void ModelPaths::recall(const TransitionStore& store, const std::vector<std::uint32_t>& chosen) {
  const long o = observation_rows_, a = action_rows_;
  choose(chosen);
  low_ = store.low();
  high_ = store.high();
  is_recalled_ = true;
  is_weighed_ = false;
  const std::uint32_t* const at = chosen_.data();
  for (int t = 0; t < n_steps_; t++) {
    store.gather(store.input(), int(o + a), int(o + a), at, t, n_,
                 input_.data() + t * (o + a) * n_);
    backend_.copy({observation_.data() + t * o * n_, input_.data() + t * (o + a) * n_, o * n_});
    store.gather(store.action(), int(a), int(a), at, t, n_, action_.data() + t * a * n_);
    store.gather(store.next(), int(o), int(o), at, t, n_, next_.data() + t * o * n_);
    store.gather(store.continues(), 1, 1, at, t, n_, continues_.data() + t * n_);
    store.gather(store.cut(), 1, 1, at, t, n_, cut_.data() + t * n_);
  }
  evaluate_policy(0, n_steps_);
}

void ModelPaths::weigh(const std::vector<float>& weights) {
  is_weighed_ = !weights.empty();
  weight_.upload(weights);
}

void ModelPaths::weigh_by_importance(const TransitionStore& store, float most) {
  if (n_steps_ != 1) throw internal_error("importance weights are of paths of one step");
  is_weighed_ = true;
  store.gather(store.log_prob(), 1, 1, chosen_.data(), 0, n_, log_prob_.data());
  backend_.importance_weights({policy_.shape(), policy_.view().parameters, n_, output_.data(),
                               action_.data(), log_prob_.data(), most, weight_.data()});
}

// Slopes by the states that steps lead to of what the value says of them, of the last step alone
// where paths are imagined.
void ModelPaths::find_tails(const Sweep& sweep) {
  const long o = observation_rows_, last = long(n_steps_) - 1;
  const long first = is_recalled_ ? 0 : last;
  const double discount = is_recalled_ ? 1.0 : std::pow(sweep.gamma, double(n_steps_));
  tail_slope_.upload(std::vector<float>(tail_slope_.size(), float(discount)));
  const float* const from =
      is_recalled_ ? next_.data() : observation_.data() + long(n_steps_) * o * n_;
  backend_.input_gradient({sweep.value->shape(), sweep.value->parameters().data(),
                           policy_.normalization(),
                           samples(from, observation_rows_, (n_steps_ - first) * n_),
                           tail_slope_.data(), tail_.data() + first * o * n_});
}

void ModelPaths::sweep_step(const Sweep& sweep, int t) {
  const long o = observation_rows_, a = action_rows_;
  const bool ends = t + 1 == n_steps_ || (sweep.window > 0 && (t + 1) % sweep.window == 0);
  const bool has_tail = sweep.value != nullptr && (is_recalled_ || t + 1 == n_steps_);
  ModelSlopesRequest slopes = {};
  slopes.n = n_;
  slopes.observation_rows = observation_rows_;
  slopes.discount = is_recalled_ ? float(sweep.gamma) : 1.0f;
  slopes.carried = ends ? nullptr : adjoint_.data() + (t + 1) * o * n_;
  slopes.tail = has_tail ? tail_.data() + t * o * n_ : nullptr;
  slopes.cut = is_recalled_ ? cut_.data() + t * n_ : nullptr;
  slopes.continues = is_recalled_ ? continues_.data() + t * n_ : nullptr;
  slopes.reward_slopes = reward_slope_.data() + t * n_;
  slopes.scale = model_.scale();
  slopes.state_slope = state_slope_.data();
  slopes.output_slope = model_slope_.data();
  backend_.model_slopes(slopes);
  model_.pull_back(sweep.member, input_.data() + t * (o + a) * n_, n_, model_slope_.data(),
                   input_slope_.data());
  float* const output_slope = output_slope_.data() + long(t) * outputs_ * n_;
  backend_.policy_slopes(
      {policy_.shape(), policy_.view().parameters, n_, output_.data() + long(t) * outputs_ * n_,
       action_.data() + t * a * n_, input_slope_.data() + o * n_, low_, high_,
       is_weighed_ ? weight_.data() + t * n_ : nullptr, float(sweep.entropy_coefficient),
       output_slope, own_ > 0 ? own_slope_.data() + long(t) * own_ * n_ : nullptr});
  if (t == 0) return;  // nothing is learned from slopes by the states that paths begin in
  backend_.input_gradient({policy_.shape().network, policy_.view().parameters,
                           policy_.normalization(),
                           samples(observation_.data() + t * o * n_, observation_rows_, n_),
                           output_slope, by_policy_.data()});
  backend_.adjoint_step({n_, observation_rows_, state_slope_.data(), input_slope_.data(),
                         by_policy_.data(), float(sweep.max_adjoint),
                         adjoint_.data() + t * o * n_});
}

void ModelPaths::add_up() {
  backend_.network_gradient({policy_.shape().network, policy_.view().parameters,
                             policy_.normalization(),
                             samples(observation_.data(), observation_rows_, long(n_steps_) * n_),
                             output_slope_.data(), own_ > 0 ? own_slope_.data() : nullptr, own_,
                             -1.0f / float(n_), arithmetic_, policy_.parameters().gradient()});
}

void ModelPaths::check_adjoints() {
  const long o = observation_rows_;
  greatest_adjoint_ = 0;
  if (n_steps_ == 1) return;
  const std::vector<Moments> all =
      grouped_moments(backend_, adjoint_.data() + o * n_, n_steps_ - 1, o * n_, 1, o * n_, o * n_);
  for (int t = n_steps_ - 1; t > 0; t--) {
    const Moments& m = all[std::size_t(t - 1)];
    const double rms = std::sqrt(m.sum_of_squares / double(m.count) + m.mean * m.mean);
    greatest_adjoint_ = std::max(greatest_adjoint_, rms);
    if (rms <= kGreatestModelAdjoint) continue;
    std::vector<float> adjoint(std::size_t(o * n_));
    adjoint_.download(adjoint.data(), adjoint.size(), std::size_t(t * o * n_));
    for (long i = 0; i < n_; i++) {
      double squares = 0;
      for (long k = 0; k < o; k++) squares += std::pow(double(adjoint[std::size_t(k * n_ + i)]), 2);
      if (std::sqrt(squares) <= kGreatestModelAdjoint) continue;
      throw Error(ExitCode::non_finite,
                  fmt::format("the adjoint of instance {} explodes: its norm at step {} of {} is "
                              "{:.3g}, expected at most {:.0e}; the update is refused and the "
                              "parameters keep their last values. A shorter horizon, a limit of "
                              "adjoints (max_adjoint) or a smaller gamma make it less",
                              i, t, n_steps_, std::sqrt(squares), kGreatestModelAdjoint));
    }
  }
}

void ModelPaths::differentiate(const Sweep& sweep) {
  std::vector<float> slopes(reward_slope_.size());
  for (std::size_t k = 0; k < slopes.size(); k++) {
    const double step = double(k / std::size_t(n_));
    slopes[k] = float(sweep.reward_scale * (is_recalled_ ? 1.0 : std::pow(sweep.gamma, step)));
  }
  reward_slope_.upload(slopes);
  if (sweep.value != nullptr) find_tails(sweep);
  for (int t = n_steps_ - 1; t >= 0; t--) sweep_step(sweep, t);
  check_adjoints();
  add_up();
}

double ModelPaths::mean_return() const {
  return moments(backend_, reward_.data(), n_steps_, n_, n_).mean * n_steps_;
}

}  // namespace gallop

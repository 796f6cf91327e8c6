#include <gallop/host/learning/dynamics_model.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/model_sequences.h>

namespace gallop {
namespace {

constexpr double kHiddenGain = 1.0, kOutputGain = 0.1;
constexpr std::uint32_t kFirstStream = 16;
constexpr std::uint64_t kFirstShuffle = std::uint64_t(1) << 40;
constexpr double kLeastVariance = 1e-12;  // of what is predicted

NetworkShape model_shape(const AlgorithmContext& context, const TransitionStore& store) {
  const std::vector<std::int64_t>& hidden = context.options.integers("model_hidden");
  return network_shape(false, store.observation_rows() + store.action_rows(),
                       {hidden.begin(), hidden.end()}, context.options.text("activation"),
                       store.observation_rows() + 1);
}

void upload(Backend& backend, DeviceArray<float>& array, const std::vector<float>& values) {
  if (array.size() == 0) array = DeviceArray<float>(backend, values.size());
  array.upload(values);
}

}  // namespace

DynamicsModel::DynamicsModel(const AlgorithmContext& context, const TransitionStore& store)
    : backend_(&context.backend),
      seed_(context.seed),
      learning_rate_(context.options.real("model_learning_rate")),
      epochs_(context.options.integer("model_epochs")),
      minibatch_(context.options.integer("model_minibatch")),
      steps_(context.options.integer("model_steps")),
      patience_(context.options.integer("model_patience")),
      observation_rows_(store.observation_rows()),
      shape_(model_shape(context, store)),
      arithmetic_(context.options.text("mode") == "fast" ? Arithmetic::kFast : Arithmetic::kStrict),
      target_(context.backend, std::size_t(store.capacity()) * (store.observation_rows() + 1)) {
  for (int k = 0; k < int(context.options.integer("ensemble")); k++) {
    members_.emplace_back(context.backend,
                          initial_parameters(shape_, seed_, kFirstStream + std::uint32_t(k),
                                             kHiddenGain, kOutputGain),
                          1);
  }
  best_ = DeviceArray<float>(context.backend, std::size_t(members_[0].size()));
  const std::size_t o = std::size_t(observation_rows_), in = std::size_t(input_rows());
  set_statistics({std::vector<float>(in, 0.0f), std::vector<float>(in, 1.0f),
                  std::vector<float>(o + 1, 0.0f), std::vector<float>(o + 1, 1.0f),
                  std::vector<float>(o, 0.0f)});
  if (steps_ > 1) sequences_ = std::make_shared<Sequences>(*backend_, *this, steps_, minibatch_);
}

void DynamicsModel::set_statistics(const Statistics& statistics) {
  statistics_ = statistics;
  std::vector<float> inverse;
  for (const float scale : statistics.scale) inverse.push_back(1.0f / scale);
  upload(*backend_, input_mean_, statistics.input_mean);
  upload(*backend_, input_inverse_std_, statistics.input_inverse_std);
  upload(*backend_, mean_, statistics.mean);
  upload(*backend_, scale_, statistics.scale);
  upload(*backend_, inverse_scale_, inverse);
  upload(*backend_, noise_, statistics.noise);
}

Normalization DynamicsModel::normalization() const {
  return {input_mean_.data(), input_inverse_std_.data(), ObservationNormalizer::kLimit};
}

void DynamicsModel::evaluate(int k, const float* input, long n, float* output) const {
  ValuesRequest r = {shape_, members_[k].data(), normalization(), 1, int(n), input, output};
  r.arithmetic = arithmetic_;
  backend_->values(r);
}

void DynamicsModel::pull_back(int k, const float* input, long n, const float* output_slope,
                              float* input_slope) const {
  Samples samples = {};
  samples.n_envs = int(n);
  samples.observation_rows = input_rows();
  samples.observation = input;
  samples.count = n;
  backend_->input_gradient(
      {shape_, members_[k].data(), normalization(), samples, output_slope, input_slope});
}

void DynamicsModel::make_targets(const TransitionStore& store) {
  backend_->model_targets({store.n_rows(), store.n_envs(), store.observation_rows(),
                           store.action_rows(), store.input(), store.next(), store.reward(),
                           mean_.data(), inverse_scale_.data(), target_.data()});
}

// Over all transitions, those held out as well; targets are then made of them.
void DynamicsModel::find_statistics(const TransitionStore& store) {
  const std::size_t o = std::size_t(observation_rows_);
  Statistics s = statistics_;
  const auto moments_of = [&](const float* x, long rows) {
    return grouped_moments(*backend_, x, int(rows), store.n_envs(), store.n_rows(), store.n_envs(),
                           rows * store.n_envs());
  };
  const std::vector<Moments> inputs = moments_of(store.input(), input_rows());
  for (std::size_t k = 0; k < inputs.size(); k++) {
    require_finite(inputs[k].sum_of_squares, "the deviation of a recorded observation or action");
    s.input_mean[k] = float(inputs[k].mean);
    s.input_inverse_std[k] =
        float(1.0 / std::sqrt(inputs[k].sum_of_squares / double(inputs[k].count) + 1e-8));
  }
  s.mean.assign(o + 1, 0.0f);
  s.scale.assign(o + 1, 1.0f);
  set_statistics(s);
  make_targets(store);  // of mean 0 and scale 1
  const std::vector<Moments> changes = moments_of(target_.data(), long(o) + 1);
  for (std::size_t k = 0; k < changes.size(); k++) {
    require_finite(changes[k].sum_of_squares, "the deviation of a recorded change or reward");
    s.mean[k] = float(changes[k].mean);
    s.scale[k] =
        float(std::sqrt(changes[k].sum_of_squares / double(changes[k].count) + kLeastVariance));
  }
  set_statistics(s);
  make_targets(store);
}

ValueGradientRequest DynamicsModel::request(int k, const TransitionStore& store,
                                            const std::uint32_t* order, long count) const {
  ValueGradientRequest r = {};
  r.shape = shape_;
  r.parameters = members_[k].data();
  r.normalization = normalization();
  r.arithmetic = arithmetic_;
  r.samples.n_envs = store.n_envs();
  r.samples.observation_rows = input_rows();
  r.samples.observation = store.input();
  r.samples.target = target_.data();
  r.samples.order = order;
  r.samples.count = count;
  r.weight = 1.0f / float(count);
  r.gradient = members_[k].gradient();
  return r;
}

double DynamicsModel::error_of(int k, const TransitionStore& store, const Part& part) {
  const long n = long(part.numbers.size());
  backend_->value_gradient(request(k, store, part.order.data(), n));
  return double(members_[k].statistics()[0]) / (2.0 * double(n) * (observation_rows_ + 1));
}

double DynamicsModel::one_pass(int k, const TransitionStore& store, Part& learned) {
  const long n = long(learned.numbers.size());
  backend_->shuffle({seed_, kFirstShuffle + shuffles_++, n, learned.order.data()});
  std::vector<std::uint32_t> order = learned.order.download();
  for (std::uint32_t& at : order) at = learned.numbers[at];
  learned.order.upload(order);
  TrainedParameters& member = members_[k];
  double squares = 0;
  for (long at = 0; at < n; at += minibatch_) {
    const long count = std::min(minibatch_, n - at);
    if (sequences_ != nullptr) {
      squares += sequences_->gradient(store, k, learned.order.data() + at, count);
      member.step({});
    } else {
      backend_->value_step(
          {request(k, store, learned.order.data() + at, count), member.step_request({})});
      squares += double(member.statistics()[0]);
    }
  }
  return squares / (2.0 * double(n) * (observation_rows_ + 1));
}

double DynamicsModel::fit_member(int k, const TransitionStore& store, Part& learned,
                                 const Part& held_out, ModelFit& fit) {
  TrainedParameters& member = members_[k];
  member.set_learning_rate(learning_rate_);
  const bool judges = !held_out.numbers.empty();
  double best = judges ? error_of(k, store, held_out) : std::nan("");
  backend_->copy({best_.data(), member.data(), member.size()});
  double loss = 0;
  long since = 0, epoch = 0;
  while (epoch < epochs_ && since < patience_) {
    loss = one_pass(k, store, learned);
    epoch++;
    require_finite(member.last_norm(), fmt::format("the norm of the gradient of model {}", k));
    if (!judges) continue;
    const double now = error_of(k, store, held_out);
    since++;
    if (!(now < best)) continue;
    best = now;
    since = 0;
    backend_->copy({best_.data(), member.data(), member.size()});
  }
  if (judges) backend_->copy({member.mutable_data(), best_.data(), member.size()});
  fit.epochs += double(epoch) / members();
  fit.held_out_loss += best / members();
  return loss;
}

// Squares of what a member leaves of one step, summed over the part: [O], in units of the scales.
std::vector<double> DynamicsModel::residual_squares(int k, const TransitionStore& store,
                                                    const Part& part) {
  const long n = long(part.numbers.size()), out = observation_rows_ + 1, in = input_rows();
  DeviceArray<float> input(*backend_, std::size_t(n * in)), target(*backend_, std::size_t(n * out));
  DeviceArray<float> output(*backend_, std::size_t(n * out));
  store.gather(store.input(), int(in), int(in), part.order.data(), 0, n, input.data());
  store.gather(target_.data(), int(out), int(out), part.order.data(), 0, n, target.data());
  evaluate(k, input.data(), n, output.data());
  backend_->add_scaled({output.data(), -1.0f, target.data(), n * out});
  std::vector<double> squares;
  for (const Moments& m :
       grouped_moments(*backend_, output.data(), observation_rows_, n, 1, n, n)) {
    squares.push_back(m.sum_of_squares + double(m.count) * m.mean * m.mean);
  }
  return squares;
}

void DynamicsModel::set_noise(const TransitionStore& store, const Part& part) {
  std::vector<double> squares(std::size_t(observation_rows_), 0.0);
  for (int k = 0; k < members(); k++) {
    const std::vector<double> own = residual_squares(k, store, part);
    for (std::size_t o = 0; o < squares.size(); o++) squares[o] += own[o];
  }
  Statistics s = statistics_;
  const double count = double(part.numbers.size()) * members();
  for (std::size_t o = 0; o < squares.size(); o++) {
    s.noise[o] = float(std::sqrt(squares[o] / count) * double(s.scale[o]));
  }
  set_statistics(s);
}

ModelFit DynamicsModel::fit(const TransitionStore& store) {
  find_statistics(store);
  const auto part_of = [&](std::vector<std::uint32_t> numbers) {
    Part part = {std::move(numbers), {}};
    part.order = DeviceArray<std::uint32_t>(*backend_, part.numbers.size());
    part.order.upload(part.numbers);
    return part;
  };
  Part learned = part_of(store.learned());
  const Part held_out = part_of(store.held_out());
  if (learned.numbers.empty()) {
    throw value_error(
        "no transition is left to fit the model to; expected a smaller model_held_out or longer "
        "rollouts");
  }
  ModelFit fit;
  for (int k = 0; k < members(); k++) {
    fit.loss += fit_member(k, store, learned, held_out, fit) / members();
  }
  set_noise(store, held_out.numbers.empty() ? learned : held_out);
  require_finite(fit.loss, "the model's loss");
  return fit;
}

void DynamicsModel::remember() {
  kept_statistics_ = statistics_;
  for (TrainedParameters& member : members_) member.remember();
}
void DynamicsModel::restore() {
  set_statistics(kept_statistics_);
  for (TrainedParameters& member : members_) member.restore();
}

void DynamicsModel::save(TensorFile& file) const {
  for (int k = 0; k < members(); k++) members_[k].save(file, fmt::format("model/{}", k));
  file.put_scalar<std::uint64_t>("model/shuffles", shuffles_);
  const auto put = [&](const char* name, const std::vector<float>& values) {
    file.put<float>(std::string("model/") + name, {values.size()}, values);
  };
  put("input_mean", statistics_.input_mean);
  put("input_inverse_std", statistics_.input_inverse_std);
  put("mean", statistics_.mean);
  put("scale", statistics_.scale);
  put("noise", statistics_.noise);
}

void DynamicsModel::load(const TensorFile& file) {
  for (int k = 0; k < members(); k++) members_[k].load(file, fmt::format("model/{}", k));
  shuffles_ = file.get_scalar<std::uint64_t>("model/shuffles");
  const std::size_t o = std::size_t(observation_rows_), in = std::size_t(input_rows());
  Statistics s;
  s.input_mean = finite_floats(file, "model/input_mean", in);
  s.input_inverse_std = finite_floats(file, "model/input_inverse_std", in, 0);
  s.mean = finite_floats(file, "model/mean", o + 1);
  s.scale = finite_floats(file, "model/scale", o + 1, 1e-7);
  s.noise = finite_floats(file, "model/noise", o, 0);
  set_statistics(s);
}

}  // namespace gallop

#include <gallop/host/learning/model_sequences.h>

namespace gallop {

DynamicsModel::Sequences::Sequences(Backend& backend, const DynamicsModel& model, long steps,
                                    long most)
    : backend_(backend), model_(model), steps_(steps) {
  const std::size_t n = std::size_t(most), k = std::size_t(steps);
  const std::size_t o = std::size_t(model.observation_rows()), in = std::size_t(model.input_rows());
  const auto floats = [&](std::size_t size) { return DeviceArray<float>(backend, size); };
  input_ = floats(k * in * n);
  output_slope_ = floats(k * (o + 1) * n);
  state_slope_ = floats(k * o * n);
  reward_slope_ = floats(k * n);
  predicted_ = floats((k + 1) * o * n);
  adjoint_ = floats((k + 1) * o * n);
  output_ = floats((o + 1) * n);
  input_slope_ = floats(in * n);
  carried_ = floats(o * n);
  next_ = floats(o * n);
  reward_ = floats(n);
  predicted_reward_ = floats(n);
  cut_ = floats(n);
  alive_ = floats(n);
}

void DynamicsModel::Sequences::predict(const TransitionStore& store, int member,
                                       const std::uint32_t* chosen, long n) {
  const int o = model_.observation_rows(), in = model_.input_rows(), a = in - o;
  alive_.upload(std::vector<float>(alive_.size(), 1.0f));
  store.gather(store.input(), in, o, chosen, 0, n, predicted_.data());
  backend_.copy({input_.data(), predicted_.data(), o * n});
  for (long j = 0; j < steps_; j++) {
    float* const input = input_.data() + j * in * n;
    store.gather(store.input() + long(o) * store.n_envs(), in, a, chosen, int(j), n, input + o * n);
    store.gather(store.next(), o, o, chosen, int(j), n, next_.data());
    store.gather(store.reward(), 1, 1, chosen, int(j), n, reward_.data());
    store.gather(store.cut(), 1, 1, chosen, int(j), n, cut_.data());
    model_.evaluate(member, input, n, output_.data());
    ModelStepRequest step = {};
    step.n = n;
    step.observation_rows = o;
    step.output = output_.data();
    step.mean = model_.mean();
    step.scale = model_.scale();
    step.observation = predicted_.data() + j * o * n;
    step.next = predicted_.data() + (j + 1) * o * n;
    step.next_input = j + 1 < steps_ ? input + in * n : nullptr;
    step.reward = predicted_reward_.data();
    backend_.model_step(step);
    backend_.sequence_errors({n, o, 1.0f / float(steps_), step.next, next_.data(),
                              predicted_reward_.data(), reward_.data(),
                              model_.inverse_scale_.data(), cut_.data(), alive_.data(),
                              state_slope_.data() + j * o * n, reward_slope_.data() + j * n});
  }
}

// From the last step to the first; slopes by the outputs of all.
void DynamicsModel::Sequences::sweep(int member, long n) {
  const int o = model_.observation_rows(), in = model_.input_rows();
  for (long j = steps_ - 1; j >= 0; j--) {
    float* const slope = output_slope_.data() + j * (o + 1) * n;
    ModelSlopesRequest r = {};
    r.n = n;
    r.observation_rows = o;
    r.discount = 1;
    r.carried = j + 1 < steps_ ? adjoint_.data() + (j + 1) * o * n : nullptr;
    r.tail = state_slope_.data() + j * o * n;
    r.adds_tail = 1;
    r.reward_slopes = reward_slope_.data() + j * n;
    r.scale = model_.scale();
    r.state_slope = carried_.data();
    r.output_slope = slope;
    backend_.model_slopes(r);
    if (j == 0) break;
    model_.pull_back(member, input_.data() + j * in * n, n, slope, input_slope_.data());
    backend_.adjoint_step(
        {n, o, carried_.data(), input_slope_.data(), nullptr, 0.0f, adjoint_.data() + j * o * n});
  }
}

// Of the slopes, which are errors / (steps scale).
double DynamicsModel::Sequences::squares(long n) const {
  const int o = model_.observation_rows();
  const auto about_zero = [](const Moments& m) {
    return m.sum_of_squares + double(m.count) * m.mean * m.mean;
  };
  double sum = 0;
  const std::vector<Moments> states =
      grouped_moments(backend_, state_slope_.data(), o, n, steps_, n, o * n);
  for (int k = 0; k < o; k++) {
    const double scale = double(model_.statistics_.scale[std::size_t(k)]);
    sum += scale * scale * about_zero(states[std::size_t(k)]);
  }
  const double scale = double(model_.statistics_.scale[std::size_t(o)]);
  sum += scale * scale * about_zero(moments(backend_, reward_slope_.data(), steps_, n, n));
  return sum * double(steps_);
}

double DynamicsModel::Sequences::gradient(const TransitionStore& store, int member,
                                          const std::uint32_t* chosen, long n) {
  predict(store, member, chosen, n);
  sweep(member, n);
  const TrainedParameters& parameters = model_.member(member);
  Samples samples = {};
  samples.n_envs = int(n);
  samples.observation_rows = model_.input_rows();
  samples.observation = input_.data();
  samples.count = steps_ * n;
  backend_.network_gradient({model_.shape(), parameters.data(), model_.normalization(), samples,
                             output_slope_.data(), nullptr, 0, 1.0f / float(n), Arithmetic::kStrict,
                             parameters.gradient()});
  return squares(n);
}

}  // namespace gallop

#pragma once

#include <memory>
#include <vector>

#include <gallop/host/learning/network_parameters.h>
#include <gallop/host/learning/observation_normalizer.h>
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/transition_store.h>

namespace gallop {

// Of a learner that fits a model.
constexpr auto model_rows(int epochs, int ensemble) {
  return rows(
      integer_row("buffer_size", 100000, {.min = 1, .max = 1 << 30, .unit = "transitions"},
                  "recorded transitions that are kept, in whole rollouts"),
      integer_row("ensemble", ensemble, {.min = 1, .max = 64}, "networks that model the dynamics"),
      integers_row("model_hidden", "64,64", {.min = 1, .max = kMaxWidth, .unit = "units"},
                   kMaxLayers - 1, "hidden layers",
                   "hidden layers of the model; none for a linear one"),
      real_row("model_learning_rate", 0.001, {.min = 0, .max = 10}, "step of the model's Adam"),
      integer_row("model_epochs", epochs, {.min = 1, .max = 10000},
                  "passes over the transitions in a fit of the model, at most"),
      integer_row("model_minibatch", 256, {.min = 1, .max = 1 << 28, .unit = "samples"},
                  "samples of one step of the fit"),
      integer_row("model_steps", 1, {.min = 1, .max = 1000, .unit = "steps"},
                  "steps that the model predicts one from the other in a fit"),
      real_row("model_held_out", 0.1, {.min = 0, .max = 0.9},
               "share of the transitions that the model is not fitted to but judged by"),
      integer_row("model_patience", 3, {.min = 1, .max = 10000, .unit = "epochs"},
                  "a fit ends after so many passes without a lower error on what is held out"));
}

// What a fit came to: mean squared errors of normalised predictions, half of them, over the
// components.
struct ModelFit {
  double loss = 0;           // of the last pass, as it went
  double held_out_loss = 0;  // NaN where nothing is held out
  double epochs = 0;         // mean over the members
};

// An ensemble of networks that predict the change of the observation, and the reward, from
// observation and action:
//
//   s' = s + mean + scale f(s, u) + sigma w,  r = mean_r + scale_r f_r(s, u)
//
// f sees its inputs normalised to mean 0 and deviation 1 over the transitions of the last fit, and
// mean and scale are those of what it predicts; sigma is the deviation of what remains. Terminal
// states are not part of it.
//
// Random numbers: initial parameters by purpose kRandomInitialise, ids from 16 on; orders of
// minibatches by kRandomShuffle, counters from 2^40 on.
class DynamicsModel {
 public:
  class Sequences;  // host/learning/model_sequences.h

  // For transitions of this store. Throws a value error for widths that are no network.
  DynamicsModel(const AlgorithmContext& context, const TransitionStore& store);

  int members() const { return int(members_.size()); }
  int observation_rows() const { return observation_rows_; }
  int input_rows() const { return shape_.width[0]; }  // O + A
  const NetworkShape& shape() const { return shape_; }
  TrainedParameters& member(int k) { return members_[k]; }
  const TrainedParameters& member(int k) const { return members_[k]; }
  Normalization normalization() const;                  // of inputs [O + A]
  const float* mean() const { return mean_.data(); }    // [O + 1]
  const float* scale() const { return scale_.data(); }  // [O + 1]
  const float* noise() const { return noise_.data(); }  // sigma [O]

  // Statistics from the store's transitions, then every member by Adam on minibatches of them, in
  // random order, of
  //
  //   sum over j < model_steps of |(predicted - recorded) / scale|^2 / (2 model_steps)
  //
  // where each prediction starts from the one before, at the actions that were taken. A member
  // keeps the parameters that had the lowest error, of one step, on the transitions held out;
  // where none are, the last ones. Throws an Error (non_finite). Waits.
  ModelFit fit(const TransitionStore& store);

  // Outputs [O + 1, n] of a member for inputs [O + A, n].
  void evaluate(int member, const float* input, long n, float* output) const;
  // Slopes [O + A, n] by inputs, of slopes by outputs.
  void pull_back(int member, const float* input, long n, const float* output_slope,
                 float* input_slope) const;

  // Copies parameters, moments and statistics, and gives the last copy back, bit for bit.
  void remember();
  void restore();

  // Tensors under "model/".
  void save(TensorFile& file) const;
  void load(const TensorFile& file);

  // What normalises inputs [O + A], mean and scale [O + 1] of predictions, sigma [O].
  struct Statistics {
    std::vector<float> input_mean, input_inverse_std, mean, scale, noise;
  };
  const Statistics& statistics() const { return statistics_; }
  // Those of a model that is known.
  void set_statistics(const Statistics& statistics);

 private:
  struct Part {
    std::vector<std::uint32_t> numbers;
    DeviceArray<std::uint32_t> order;
  };
  void find_statistics(const TransitionStore& store);
  void make_targets(const TransitionStore& store);
  double fit_member(int k, const TransitionStore& store, Part& learned, const Part& held_out,
                    ModelFit& fit);
  double one_pass(int k, const TransitionStore& store, Part& learned);
  double error_of(int k, const TransitionStore& store, const Part& part);
  std::vector<double> residual_squares(int k, const TransitionStore& store, const Part& part);
  ValueGradientRequest request(int k, const TransitionStore& store, const std::uint32_t* order,
                               long count) const;
  void set_noise(const TransitionStore& store, const Part& part);

  Backend* backend_;
  std::uint64_t seed_, shuffles_ = 0;
  double learning_rate_;
  long epochs_, minibatch_, steps_, patience_;
  int observation_rows_;
  NetworkShape shape_;
  Arithmetic arithmetic_;
  std::vector<TrainedParameters> members_;
  Statistics statistics_, kept_statistics_;
  DeviceArray<float> input_mean_, input_inverse_std_, mean_, scale_, inverse_scale_, noise_;
  DeviceArray<float> target_;             // [rows, O + 1, N]
  DeviceArray<float> best_;               // [D]
  std::shared_ptr<Sequences> sequences_;  // where predictions of several steps are fitted
};

}  // namespace gallop

// Steps along the estimate of a gradient, on the host in double: for estimates that are dear beside
// one pass over the parameters.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {

// `rule` and `learning_rate` as the method has them.
constexpr auto ascent_rows(const char* rule, double learning_rate) {
  return rows(
      choice_row("step", rule, "plain,adam,clipup",
                 "plain: theta + learning_rate g; adam: scaled by moments of g; clipup: momentum "
                 "of directions, of limited length"),
      real_row("learning_rate", learning_rate, {.min = 0, .max = 1e6},
               "of the step; for clipup the length of what one direction adds"),
      real_row("momentum", 0.9, {.min = 0, .max = 0.999999},
               "of clipup, and the decay of adam's first moment"),
      real_row("max_speed", 0, {.min = 0, .max = 1e9},
               "greatest length of a step of clipup; 0 for twice the learning rate"));
}

// adam: Kingma and Ba, arXiv:1412.6980v9, Algorithm 1. clipup: Toklu, Liskowski and Srivastava,
// arXiv:2008.02387v2, Algorithm 1.
class Ascent {
 public:
  Ascent(long n, const Options& options);

  // What to add to the parameters, for this gradient of what is maximised. [D] Throws an Error
  // (non_finite) where it would not be finite, with nothing changed.
  std::vector<double> step(std::span<const double> gradient);
  // What that changed, undone.
  void undo();

  void save(TensorFile& file, const std::string& prefix) const;
  void load(const TensorFile& file, const std::string& prefix);

 private:
  enum class Rule { kPlain, kAdam, kClipUp };
  struct State {
    std::vector<double> first, second;  // [D] each, or none
    double steps = 0;
  };

  Rule rule_;
  double learning_rate_, momentum_, max_speed_;
  State state_, before_;
};

double length(std::span<const double> x);

}  // namespace gallop

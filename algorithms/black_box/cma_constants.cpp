#include <gallop/algorithms/black_box/cma_constants.h>

#include <algorithm>
#include <cmath>

namespace gallop {
namespace {

double square(double x) { return x * x; }

// (sum w)^2 / sum w^2 of weights [first, last).
double effective_size(const std::vector<double>& w, int first, int last) {
  double sum = 0, squares = 0;
  for (int i = first; i < last; i++) {
    sum += w[std::size_t(i)];
    squares += square(w[std::size_t(i)]);
  }
  return squares > 0 ? square(sum) / squares : 0;
}

void set_rates(double n, const CmaForm& form, CmaConstants& c) {
  const double mu = c.mu_eff;
  c.c_sigma = (mu + 2) / (n + mu + 5);                // eq. 55
  c.c_c = (4 + mu / n) / (n + 4 + 2 * mu / n);        // eq. 56
  c.c_1 = 2 / (square(n + 1.3) + mu);                 // eq. 57
  const double quarter = form.is_purecma ? 0 : 0.25;  // eq. 58
  double c_mu = 2 * (quarter + mu + 1 / mu - 2) / (square(n + 2) + mu);
  if (form.is_separable) {  // Ros and Hansen: learnt faster by (n + 2) / 3, for there is less
    c.c_1 = std::min(1.0, c.c_1 * (n + 2) / 3);
    c_mu *= (n + 2) / 3;
  }
  c.c_mu = std::min(1 - c.c_1, c_mu);
  c.d_sigma = form.is_purecma
                  ? 2 * mu / c.population + 0.3 + c.c_sigma
                  : 1 + 2 * std::max(0.0, std::sqrt((mu - 1) / (n + 1)) - 1) + c.c_sigma;
  c.chi = std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

// Weights below 0 are scaled so that the matrix stays definite: eqs. 50 to 53.
void scale_negative(double n, CmaConstants& c) {
  c.alpha_mu = 1 + c.c_1 / c.c_mu;
  c.alpha_mu_eff = 1 + 2 * c.mu_eff_negative / (c.mu_eff + 2);
  c.alpha_definite = (1 - c.c_1 - c.c_mu) / (n * c.c_mu);
  const double total = std::max(0.0, std::min({c.alpha_mu, c.alpha_mu_eff, c.alpha_definite}));
  double sum = 0;
  for (std::size_t i = std::size_t(c.parents); i < c.weight.size(); i++) sum -= c.weight[i];
  for (std::size_t i = std::size_t(c.parents); i < c.weight.size(); i++) {
    c.weight[i] *= sum > 0 ? total / sum : 0;
  }
}

}  // namespace

int default_cma_population(long n) { return 4 + int(3 * std::log(double(n))); }

CmaConstants cma_constants(long n, int population, const CmaForm& form) {
  CmaConstants c = {};
  c.is_purecma = form.is_purecma;
  c.population = population;
  c.parents = population / 2;
  for (int i = 1; i <= population; i++) {
    c.weight.push_back(std::log((population + 1) / 2.0) - std::log(double(i)));  // eq. 49
  }
  c.mu_eff = effective_size(c.weight, 0, c.parents);
  c.mu_eff_negative = effective_size(c.weight, c.parents, population);
  double sum = 0;
  for (int i = 0; i < c.parents; i++) sum += c.weight[std::size_t(i)];
  for (int i = 0; i < c.parents; i++) c.weight[std::size_t(i)] /= sum;
  set_rates(double(n), form, c);
  if (form.is_active) {
    scale_negative(double(n), c);
  } else {
    std::fill(c.weight.begin() + c.parents, c.weight.end(), 0.0);
  }
  for (const double w : c.weight) c.weight_sum += w;
  c.decompose_after = 0.5 * population / (c.c_1 + c.c_mu) / double(n);
  return c;
}

}  // namespace gallop

// The constants of CMA-ES, of Hansen's tutorial and of pycma's purecma, which differ in the
// damping, in c_mu, and in how the step size follows from its path.
//
// Source: Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772v2, Table 1 and eqs. 49
// to 58; purecma.py of pycma 3. Separable: Ros and Hansen, PPSN 2008.
#pragma once

#include <vector>

namespace gallop {

struct CmaConstants {
  int population;              // lambda
  int parents;                 // mu
  std::vector<double> weight;  // [lambda] from the best to the worst; the first mu sum to 1
  double mu_eff, mu_eff_negative;
  double c_sigma, c_c, c_1, c_mu, d_sigma;
  double chi;  // expected length of a standard normal vector
  // Of weights below 0, whose sum is the least of the three: 0 without them.
  double alpha_mu, alpha_mu_eff, alpha_definite;
  double weight_sum;
  double decompose_after;  // evaluations between two eigendecompositions
  bool is_purecma;
};

struct CmaForm {
  bool is_purecma = false;
  bool is_active = true;  // the worst members have weights below 0
  bool is_separable = false;
};

// lambda of n dimensions where nothing else is asked for: 4 + floor(3 ln n).
int default_cma_population(long n);

// `population` of at least 2.
CmaConstants cma_constants(long n, int population, const CmaForm& form);

}  // namespace gallop

// Linear-quadratic systems, whose optimal policies, returns and gradients are known exactly:
//
//   s' = A s + B u + noise,  reward -(s' Q s + u' R u) on the state before the step.
//
// Every matrix is a scale times a matrix that is the identity by default, so that the scalar system
// is set by `a`, `b`, `q`, `rho`, `sigma_w` and `s0` alone, and a general one by its elements:
//
//   A = a [a_ij]   B = b [b_ij]   Q = q [q_ij]   R = rho [r_ij]   noise = sigma_w [w_ij] N(0, I)
//   s_0 = s0 [s0_i] + sigma_s0 N(0, I)
//
// `lqr` has up to 8 states and 8 inputs, chosen by n_states and n_inputs; its default is a scalar
// system over 10 steps. `lqr_dean` is the 3 x 3 system of Dean, Mania, Matni, Recht and Tu,
// "On the Sample Complexity of the Linear Quadratic Regulator" (arXiv 1710.01688), section 6, begun
// from N(0, I) and cut after 300 steps as in the code of Mania, Guy and Recht (arXiv 1803.07055).
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

// Names like "a_01" and "s0_1" of all elements, for systems of up to 8 x 8.
struct LqrNames {
  static constexpr int kMatrices = 5;
  char element[kMatrices][8][8][5];
  char initial[8][5];

  constexpr LqrNames() : element(), initial() {
    for (int i = 0; i < 8; i++) {
      const char digit = char('0' + i);
      initial[i][0] = 's', initial[i][1] = '0', initial[i][2] = '_', initial[i][3] = digit;
      for (int m = 0; m < kMatrices; m++) {
        for (int j = 0; j < 8; j++) {
          char* name = element[m][i][j];
          name[0] = "abqrw"[m], name[1] = '_', name[2] = digit, name[3] = char('0' + j);
        }
      }
    }
  }
};
inline constexpr LqrNames kLqrNames;

// Scales and matrices of a system with up to N states and M inputs.
template <class F, int N, int M>
struct LqrSystem {
  F a, b, q, rho, sigma_w, s0, sigma_s0;
  F dynamics[N][N], input[N][M], state_cost[N][N], input_cost[M][M], noise[N][N], initial[N];
};

// Their specification.
template <int N, int M>
struct LqrSpecs {
  static constexpr int kSizes = 2, kScales = 7;
  static constexpr int kCount = kScales + 3 * N * N + N * M + M * M + N;
  ParameterSpec sized[kSizes + kCount];  // with n_states and n_inputs in front
  ParameterSpec fixed[kCount];

  // `scales` [7] in LqrSystem's order; `dynamics` [N, N] are the default a_ij, null for the
  // identity.
  constexpr LqrSpecs(const double* scales, const double* dynamics) : sized(), fixed() {
    fill(scales, dynamics);
    sized[0] = {"n_states", 1, 1, N, "", "number of states", true};
    sized[1] = {"n_inputs", 1, 1, M, "", "number of inputs", true};
    for (int k = 0; k < kCount; k++) sized[kSizes + k] = fixed[k];
  }

 private:
  constexpr void fill(const double* scales, const double* dynamics) {
    int k = 0;
    fixed[k++] = {"a", scales[0], -1e6, 1e6, "", "scale of the state matrix A"};
    fixed[k++] = {"b", scales[1], -1e6, 1e6, "", "scale of the input matrix B"};
    fixed[k++] = {"q", scales[2], -1e6, 1e6, "", "scale of the state cost Q"};
    fixed[k++] = {"rho", scales[3], -1e6, 1e6, "", "scale of the input cost R"};
    fixed[k++] = {"sigma_w", scales[4], 0, 1e6, "", "scale of the noise"};
    fixed[k++] = {"s0", scales[5], -1e6, 1e6, "", "scale of the mean initial state"};
    fixed[k++] = {"sigma_s0", scales[6], 0, 1e6, "", "standard deviation of the initial state"};
    k = matrix(k, 0, N, N, dynamics, "element of A / a");
    k = matrix(k, 1, N, M, nullptr, "element of B / b");
    k = matrix(k, 2, N, N, nullptr, "element of Q / q");
    k = matrix(k, 3, M, M, nullptr, "element of R / rho");
    k = matrix(k, 4, N, N, nullptr, "element of the noise's gain / sigma_w");
    for (int i = 0; i < N; i++) {
      fixed[k++] = {kLqrNames.initial[i], 1, -1e6, 1e6, "", "element of the initial state / s0"};
    }
  }
  // Elements of one matrix by rows, the identity where `values` is null.
  constexpr int matrix(int k, int which, int rows, int columns, const double* values,
                       const char* help) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        const double value = values != nullptr ? values[i * columns + j] : i == j ? 1 : 0;
        fixed[k++] = {kLqrNames.element[which][i][j], value, -1e6, 1e6, "", help};
      }
    }
    return k;
  }
};

template <class F, int N>
struct LqrState {
  F s[N];
};

// s_0 of the first `n` states; the others are 0.
template <class F, int N, int M>
GALLOP_HD void lqr_reset(const LqrSystem<F, N, M>& p, int n, LqrState<F, N>& state, Rng<F>& rng) {
  for (int i = 0; i < N; i++) state.s[i] = real<F>(0.0);
  for (int i = 0; i < n; i++) {
    state.s[i] = fmadd(p.sigma_s0, rng.normal(), p.s0 * p.initial[i]);
  }
}

// x' C x for the leading n x n block of C [S, S].
template <class F, int S>
GALLOP_HD F quadratic_form(const F (&c)[S][S], const F* x, int n) {
  F sum = real<F>(0.0);
  for (int i = 0; i < n; i++) {
    F row = real<F>(0.0);
    for (int j = 0; j < n; j++) row = fmadd(c[i][j], x[j], row);
    sum = fmadd(row, x[i], sum);
  }
  return sum;
}

template <class F, int N, int M>
GALLOP_HD Outcome<F> lqr_step(const LqrSystem<F, N, M>& p, int n, int m, LqrState<F, N>& state,
                              const F* u, Rng<F>& rng) {
  const F cost = fmadd(p.q, quadratic_form(p.state_cost, state.s, n),
                       p.rho * quadratic_form(p.input_cost, u, m));
  F normal[N], next[N];
  for (int i = 0; i < n; i++) normal[i] = rng.normal();
  for (int i = 0; i < n; i++) {
    F drift = real<F>(0.0), push = drift, noise = drift;
    for (int j = 0; j < n; j++) drift = fmadd(p.dynamics[i][j], state.s[j], drift);
    for (int j = 0; j < m; j++) push = fmadd(p.input[i][j], u[j], push);
    for (int j = 0; j < n; j++) noise = fmadd(p.noise[i][j], normal[j], noise);
    next[i] = fmadd(p.a, drift, fmadd(p.b, push, p.sigma_w * noise));
  }
  for (int i = 0; i < n; i++) state.s[i] = next[i];
  return {-cost, mask_of<F>(false)};
}

inline constexpr double kUnbounded = __builtin_inf();

struct Lqr {
  static constexpr const char* kName = "lqr";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "linear-quadratic system with exact answers";
  static constexpr int kTimeLimit = 10;
  static constexpr bool kSmooth = true;
  static constexpr int kStates = 8, kInputs = 8;
  static constexpr double kScales[] = {0.95, 0.5, 1.0, 0.1, 0.1, 1.0, 0.0};
  static constexpr LqrSpecs<kStates, kInputs> kSpecs{kScales, nullptr};
  static constexpr ComponentSpec kObservation[] = {
      {"s_0", -kUnbounded, kUnbounded}, {"s_1", -kUnbounded, kUnbounded},
      {"s_2", -kUnbounded, kUnbounded}, {"s_3", -kUnbounded, kUnbounded},
      {"s_4", -kUnbounded, kUnbounded}, {"s_5", -kUnbounded, kUnbounded},
      {"s_6", -kUnbounded, kUnbounded}, {"s_7", -kUnbounded, kUnbounded}};
  static constexpr ComponentSpec kAction[] = {
      {"u_0", -kUnbounded, kUnbounded}, {"u_1", -kUnbounded, kUnbounded},
      {"u_2", -kUnbounded, kUnbounded}, {"u_3", -kUnbounded, kUnbounded},
      {"u_4", -kUnbounded, kUnbounded}, {"u_5", -kUnbounded, kUnbounded},
      {"u_6", -kUnbounded, kUnbounded}, {"u_7", -kUnbounded, kUnbounded}};
  static constexpr const char* kStateNames[] = {"s_0", "s_1", "s_2", "s_3",
                                                "s_4", "s_5", "s_6", "s_7"};
  static constexpr auto& kParameters = kSpecs.sized;

  template <class F>
  struct Parameters {
    F n_states, n_inputs;
    LqrSystem<F, kStates, kInputs> system;
  };
  template <class F>
  using State = LqrState<F, kStates>;

  static Sizes sizes(const double* parameters) { return {int(parameters[0]), int(parameters[1])}; }

  template <class F>
  static GALLOP_HD void reset(const Shared& shared, const Parameters<F>& p, State<F>& s,
                              Rng<F>& rng) {
    lqr_reset(p.system, shared.sizes.observation, s, rng);
  }
  template <class F>
  static GALLOP_HD Outcome<F> step(const Shared& shared, const Parameters<F>& p, State<F>& s,
                                   const F* action, Rng<F>& rng) {
    return lqr_step(p.system, shared.sizes.observation, shared.sizes.action, s, action, rng);
  }
  template <class F>
  static GALLOP_HD void observe(const Shared&, const Parameters<F>&, const State<F>& s,
                                F* observation) {
    for (int i = 0; i < kStates; i++) observation[i] = s.s[i];
  }
};

struct LqrDean {
  static constexpr const char* kName = "lqr_dean";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "Dean et al., arXiv 1710.01688, section 6";
  static constexpr int kTimeLimit = 300;
  static constexpr bool kSmooth = true;
  static constexpr int kFusedWidths[] = {64};
  static constexpr int kSize = 3;
  static constexpr double kScales[] = {1.0, 1.0, 1e-3, 1.0, 1.0, 0.0, 1.0};
  static constexpr double kDynamics[] = {1.01, 0.01, 0, 0.01, 1.01, 0.01, 0, 0.01, 1.01};
  static constexpr LqrSpecs<kSize, kSize> kSpecs{kScales, kDynamics};
  static constexpr ComponentSpec kObservation[] = {{"s_0", -kUnbounded, kUnbounded},
                                                   {"s_1", -kUnbounded, kUnbounded},
                                                   {"s_2", -kUnbounded, kUnbounded}};
  static constexpr ComponentSpec kAction[] = {{"u_0", -kUnbounded, kUnbounded},
                                              {"u_1", -kUnbounded, kUnbounded},
                                              {"u_2", -kUnbounded, kUnbounded}};
  static constexpr const char* kStateNames[] = {"s_0", "s_1", "s_2"};
  static constexpr auto& kParameters = kSpecs.fixed;

  template <class F>
  using Parameters = LqrSystem<F, kSize, kSize>;
  template <class F>
  using State = LqrState<F, kSize>;

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    lqr_reset(p, kSize, s, rng);
  }
  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action,
                                   Rng<F>& rng) {
    return lqr_step(p, kSize, kSize, s, action, rng);
  }
  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    for (int i = 0; i < kSize; i++) observation[i] = s.s[i];
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Lqr)
GALLOP_ENVIRONMENT(LqrDean)

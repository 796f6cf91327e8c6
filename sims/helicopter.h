// Hovering in the generalised helicopter of the RL Competitions 2008 and 2009: an XCell Tempest
// identified from flight by Abbeel, Coates and Ng, as the competition's Java environment simulates
// it at 100 Hz and controls it at 10 Hz. The world's axes are north, east and down; the
// helicopter's point forward, to the right and down.
//
// A step filters six gusts once, then takes ten Euler steps of 0.01 s, each in this order: position
// by the old velocity; forces in the body's axes (drag of the velocity and the wind, the tail
// rotor's side thrust, the main rotor, gusts); velocity; orientation by the old angular velocity;
// angular velocity; and the test whether the flight has ended. What a step ends with is paid for:
//
//   -(|v|^2 + |p|^2 + |omega|^2 + q_x^2 + q_y^2 + q_z^2)
//
// and where it ended, the worst of all that for every step that was left of 6000, -1748.78 each.
//
// Where the Java environment does what its text does not say, an option does it:
//   z_limit = 0           it tests the position east twice and the height never
//   gusts_persist = 1     a new episode begins with the gusts of the last one
//   last_reward_zero = 1  a flight of full length counts as ended: its last step is worth -1748.78
//                         for each of no steps
// All of them are the Java environment's at those values; the defaults test the height (z_limit =
// 1), begin in still air and pay the last step like the others.
//
// The competition of 2008 had a steady wind of up to 5 m/s, that of 2009 a sinusoid beside it:
// wind + wave sin(frequency t + phase) along north and east, t in seconds, in whole hundredths. The
// model of drag knows nothing of a wind along the body's down axis.
//
// The policy of its own is the one of Ng et al. that the lecture shows, in the features that
// `features = 1` makes the observation of, each of which moves one control:
//
//   collective = theta_1 f(z) + theta_2 f(w)
//   elevator   = theta_3 f(x) + theta_4 f(u) + theta_5 q + theta_6 n_y
//   aileron    = theta_7 f(y) + theta_8 f(v) + theta_9 p + theta_10 n_x
//   rudder     = theta_11 r + theta_12 n_z
//
// f(s) = 5 tanh(s / 5) of metres and of metres a second; x, y, z the position and u, v, w the
// velocity along the body's axes; n the rotation vector from the attitude of hovering, which leans
// to the right so far that gravity balances the tail rotor. The signs are the learner's to find.
// Fixed beside them is the collective that carries the weight there.
//
// Source: the RL Competition's helicopter (Abbeel; rl-library, Java), equations and constants;
// policy: Ng, Coates, Diel, Ganapathi, Schulte, Tse, Berger and Liang, ISER 2004, and the lecture.
//
// Deviation: the quaternion is brought back to length 1 at the end of a step, which in double
// changes less than rounding does.
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

struct Helicopter {
  static constexpr const char* kName = "helicopter";
  static constexpr const char* kAliases = "helicopter_hover";
  static constexpr const char* kSource =
      "RL Competition 2008/2009, generalised helicopter hovering";
  static constexpr int kTimeLimit = 6000;
  static constexpr double kTimeStep = 0.1;
  static constexpr bool kLongSteps = true;  // ten of a hundred and eighty instructions
  static constexpr int kSubsteps = 10;
  static constexpr double kSubstep = 0.01;

  static constexpr double kMaxSpeed = 5, kMaxDistance = 20, kMaxRate = 12.566;
  static constexpr double kMinQw = 0.9659258262890683;  // cos of 15 degrees
  static constexpr double kGravity = 9.81, kSideThrust = 0.54, kLift = 42.15;
  static constexpr double kWorstReward =
      -(3 * kMaxDistance * kMaxDistance + 3 * kMaxRate * kMaxRate + 3 * kMaxSpeed * kMaxSpeed +
        (1 - kMinQw * kMinQw));
  static constexpr double kLean = 0.05507370813741862;             // rad: sin = 0.54 / 9.81
  static constexpr double kHoverCollective = 0.23238733900722636;  // 9.81 cos(kLean) / 42.15
  static constexpr double kSoft = 5;                               // m and m/s, where features bend

  static constexpr ComponentSpec kObservation[] = {{"u", -kMaxSpeed, kMaxSpeed},
                                                   {"v", -kMaxSpeed, kMaxSpeed},
                                                   {"w", -kMaxSpeed, kMaxSpeed},
                                                   {"x", -kMaxDistance, kMaxDistance},
                                                   {"y", -kMaxDistance, kMaxDistance},
                                                   {"z", -kMaxDistance, kMaxDistance},
                                                   {"p", -kMaxRate, kMaxRate},
                                                   {"q", -kMaxRate, kMaxRate},
                                                   {"r", -kMaxRate, kMaxRate},
                                                   {"q_x", -1, 1},
                                                   {"q_y", -1, 1},
                                                   {"q_z", -1, 1}};
  static constexpr ComponentSpec kAction[] = {
      {"aileron", -1, 1}, {"elevator", -1, 1}, {"rudder", -1, 1}, {"collective", -1, 1}};
  static constexpr const char* kStateNames[] = {"v_north", "v_east", "v_down", "north",  "east",
                                                "down",    "p",      "q",      "r",      "q_x",
                                                "q_y",     "q_z",    "q_w",    "gust_x", "gust_y",
                                                "gust_z",  "gust_p", "gust_q", "gust_r", "elapsed"};
  static constexpr int kGivenState = 13;  // the others begin at 0
  static constexpr ParameterSpec kParameters[] = {
      {"gust_scale", 2.0, 0.0, 100.0, "", "factor of the gusts"},
      {"wind_north", 0.0, -100.0, 100.0, "m/s", "steady wind"},
      {"wind_east", 0.0, -100.0, 100.0, "m/s", "steady wind"},
      {"wave_north", 0.0, -100.0, 100.0, "m/s", "amplitude of a sinusoidal wind"},
      {"wave_east", 0.0, -100.0, 100.0, "m/s", "amplitude of a sinusoidal wind"},
      {"frequency_north", 0.0, 0.0, 100.0, "rad/s", "of the sinusoidal wind"},
      {"frequency_east", 0.0, 0.0, 100.0, "rad/s", "of the sinusoidal wind"},
      {"phase_north", 0.0, -100.0, 100.0, "rad", "of the sinusoidal wind"},
      {"phase_east", 0.0, -100.0, 100.0, "rad", "of the sinusoidal wind"},
      {"z_limit", 1.0, 0.0, 1.0, "", "1: a height beyond 20 m ends the flight; 0: none does", true},
      {"gusts_persist", 0.0, 0.0, 1.0, "", "1: an episode begins with the gusts of the last one",
       true},
      {"last_reward_zero", 0.0, 0.0, 1.0, "", "1: the last step of a whole flight is worth 0",
       true},
      {"features", 0.0, 0.0, 1.0, "",
       "1: observations are the features of the environment's own policy, in the same order: f of "
       "u v w, of x y z, then p q r, n_x n_y n_z",
       true}};

  // Of the competition; its agent that ships with it, as a linear policy. Rows are observations,
  // then the constants; columns aileron, elevator, rudder, collective.
  static constexpr double kBaseline[] = {0,       -0.0322, 0,       0,       // u
                                         -0.0367, 0,       0,       0,       // v
                                         0,       0,       0,       0.1348,  // w
                                         0,       -0.0185, 0,       0,       // x
                                         -0.0196, 0,       0,       0,       // y
                                         0,       0,       0,       0.0513,  // z
                                         0,       0,       0,       0,       // p
                                         0,       0,       0,       0,       // q
                                         0,       0,       0,       0,       // r
                                         -0.7475, 0,       0,       0,       // q_x
                                         0,       0.7904,  0,       0,       // q_y
                                         0,       0,       -0.1969, 0,       // q_z
                                         0.02,    0,       0,       0.23};
  static constexpr const char* kObservationParameter = "features";
  static constexpr ControllerSpec kControllers[] = {
      {"baseline", "the agent that ships with the competition", kBaseline}};
  static constexpr PolicyWeightSpec kOwnWeights[] = {{5, 3}, {2, 3},  {3, 1}, {0, 1},
                                                     {7, 1}, {10, 1}, {4, 0}, {1, 0},
                                                     {6, 0}, {9, 0},  {8, 2}, {11, 2}};
  static constexpr double kOwnConstants[] = {0, 0, 0, kHoverCollective};

  template <class F>
  struct Parameters {
    F gust_scale, wind_north, wind_east, wave_north, wave_east, frequency_north, frequency_east,
        phase_north, phase_east, z_limit, gusts_persist, last_reward_zero, features;
  };
  template <class F>
  struct State {
    F v[3], p[3], omega[3], q[4], gust[6], elapsed;
  };

  static StateRange state_range(int k, const Sizes&) {
    if (k == 19) return {0, 1 << 20, true};
    return {};
  }

  template <class F>
  static GALLOP_HD void complete(const Parameters<F>&, State<F>& s) {
    for (int k = 0; k < 6; k++) s.gust[k] = real<F>(0.0);
    s.elapsed = real<F>(0.0);
    to_unit_length(s.q);
  }

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>&) {
    const F zero = real<F>(0.0);
    for (int k = 0; k < 3; k++) s.v[k] = s.p[k] = s.omega[k] = s.q[k] = zero;
    s.q[3] = real<F>(1.0);
    for (int k = 0; k < 6; k++) {
      // Not those of a flight that met a number which is not finite.
      const Mask<F> persists = (p.gusts_persist > zero) & (abs(s.gust[k]) < real<F>(1e6));
      s.gust[k] = select(persists, s.gust[k], zero);
    }
    s.elapsed = zero;
  }

  // Rows of the matrix that turns the body's axes into the world's.
  template <class F>
  static GALLOP_HD void rotation(const F (&q)[4], F (&m)[3][3]) {
    const F one = real<F>(1.0), two = real<F>(2.0);
    const F x = two * q[0], y = two * q[1], z = two * q[2];
    const F xx = x * q[0], yy = y * q[1], zz = z * q[2];
    const F xw = x * q[3], yw = y * q[3], zw = z * q[3];
    m[0][0] = one - (yy + zz);
    m[0][1] = fmadd(x, q[1], -zw);
    m[0][2] = fmadd(x, q[2], yw);
    m[1][0] = fmadd(x, q[1], zw);
    m[1][1] = one - (xx + zz);
    m[1][2] = fmadd(y, q[2], -xw);
    m[2][0] = fmadd(x, q[2], -yw);
    m[2][1] = fmadd(y, q[2], xw);
    m[2][2] = one - (xx + yy);
  }
  // Component k of a vector of the world along the body's axes.
  template <class F>
  static GALLOP_HD F to_body(const F (&m)[3][3], const F (&v)[3], int k) {
    return fmadd(m[0][k], v[0], fmadd(m[1][k], v[1], m[2][k] * v[2]));
  }

  // q <- q * exp(omega dt), by the series of sin(h) / h and cos(h) in h^2, h = |omega| dt / 2. In
  // flight h is below 0.11, where the first terms left out are below 1e-16.
  template <class F>
  static GALLOP_HD void turn(const F (&omega)[3], F (&q)[4]) {
    const F half = real<F>(0.5 * kSubstep);
    const F x = half * omega[0], y = half * omega[1], z = half * omega[2];
    const F h = fmadd(x, x, fmadd(y, y, z * z));
    F sine = fmadd(h, real<F>(1.0 / 362880), real<F>(-1.0 / 5040));
    sine = fmadd(h, sine, real<F>(1.0 / 120));
    sine = fmadd(h, sine, real<F>(-1.0 / 6));
    sine = fmadd(h, sine, real<F>(1.0));
    F w = fmadd(h, real<F>(1.0 / 40320), real<F>(-1.0 / 720));
    w = fmadd(h, w, real<F>(1.0 / 24));
    w = fmadd(h, w, real<F>(-0.5));
    w = fmadd(h, w, real<F>(1.0));
    const F a = sine * x, b = sine * y, c = sine * z;
    const F qx = fmadd(q[3], a, fmadd(q[0], w, fmadd(q[1], c, -(q[2] * b))));
    const F qy = fmadd(q[3], b, fmadd(q[1], w, fmadd(q[2], a, -(q[0] * c))));
    const F qz = fmadd(q[3], c, fmadd(q[2], w, fmadd(q[0], b, -(q[1] * a))));
    q[3] = fmadd(q[3], w, -fmadd(q[0], a, fmadd(q[1], b, q[2] * c)));
    q[0] = qx, q[1] = qy, q[2] = qz;
  }

  // Brings q back to length 1 by a Newton step.
  template <class F>
  static GALLOP_HD void normalize(F (&q)[4]) {
    const F squares = fmadd(q[0], q[0], fmadd(q[1], q[1], fmadd(q[2], q[2], q[3] * q[3])));
    const F length = fmadd(squares, real<F>(-0.5), real<F>(1.5));
    for (int k = 0; k < 4; k++) q[k] = q[k] * length;
  }

  // Brings a quaternion of another length than 1 to that. One of no length stays, as does one that
  // is not finite.
  template <class F>
  static GALLOP_HD void to_unit_length(F (&q)[4]) {
    const F zero = real<F>(0.0), one = real<F>(1.0);
    const F largest = max(max(abs(q[0]), abs(q[1])), max(abs(q[2]), abs(q[3])));
    const Mask<F> has_length = (largest > zero) & (largest - largest == zero);
    const F divisor = select(has_length, largest, one);
    F unit[4], squares = zero;
    for (int k = 0; k < 4; k++) {
      unit[k] = q[k] / divisor;
      squares = fmadd(unit[k], unit[k], squares);
    }
    const F length = sqrt(squares);
    const Mask<F> changes = has_length & (abs(length * divisor - one) > real<F>(1e-6));
    for (int k = 0; k < 4; k++) q[k] = select(changes, unit[k] / length, q[k]);
  }

  // A hundredth of a second under controls `a`; `wind` along north and east.
  template <class F>
  static GALLOP_HD void substep(const F (&a)[4], const F (&wind)[3], State<F>& s) {
    const F dt = real<F>(kSubstep);
    for (int k = 0; k < 3; k++) s.p[k] = fmadd(dt, s.v[k], s.p[k]);
    F m[3][3];
    rotation(s.q, m);
    F force[3];
    force[0] = fmadd(real<F>(-0.18), to_body(m, s.v, 0) + to_body(m, wind, 0), s.gust[0]);
    force[1] = fmadd(real<F>(-0.43), to_body(m, s.v, 1) + to_body(m, wind, 1),
                     s.gust[1] - real<F>(kSideThrust));
    force[2] = fmadd(real<F>(-0.49), to_body(m, s.v, 2), fmadd(real<F>(-kLift), a[3], s.gust[2]));
    for (int k = 0; k < 3; k++) {
      const F gravity = real<F>(k == 2 ? kGravity : 0.0);
      const F acceleration =
          fmadd(m[k][0], force[0], fmadd(m[k][1], force[1], fmadd(m[k][2], force[2], gravity)));
      s.v[k] = fmadd(dt, acceleration, s.v[k]);
    }
    turn(s.omega, s.q);
    const F p = fmadd(real<F>(-12.78), s.omega[0], fmadd(real<F>(33.04), a[0], s.gust[3]));
    const F q = fmadd(real<F>(-10.12), s.omega[1], fmadd(real<F>(-33.32), a[1], s.gust[4]));
    const F r = fmadd(real<F>(-8.16), s.omega[2], fmadd(real<F>(70.54), a[2], s.gust[5]));
    s.omega[0] = fmadd(dt, p, s.omega[0]);
    s.omega[1] = fmadd(dt, q, s.omega[1]);
    s.omega[2] = fmadd(dt, r, s.omega[2]);
  }

  template <class F>
  static GALLOP_HD Mask<F> has_ended(const Parameters<F>& p, const State<F>& s) {
    const F speed = max(abs(s.v[0]), max(abs(s.v[1]), abs(s.v[2])));
    const F rate = max(abs(s.omega[0]), max(abs(s.omega[1]), abs(s.omega[2])));
    const F height = select(p.z_limit > real<F>(0.0), abs(s.p[2]), real<F>(0.0));
    const F distance = max(height, max(abs(s.p[0]), abs(s.p[1])));
    return (speed > real<F>(kMaxSpeed)) | (distance > real<F>(kMaxDistance)) |
           (rate > real<F>(kMaxRate)) | (abs(s.q[3]) < real<F>(kMinQw));
  }

  template <class F>
  static GALLOP_HD void keep_where(Mask<F> flies, const State<F>& now, State<F>& s) {
    for (int k = 0; k < 3; k++) {
      s.v[k] = select(flies, now.v[k], s.v[k]);
      s.p[k] = select(flies, now.p[k], s.p[k]);
      s.omega[k] = select(flies, now.omega[k], s.omega[k]);
    }
    for (int k = 0; k < 4; k++) s.q[k] = select(flies, now.q[k], s.q[k]);
  }

  template <class F>
  static GALLOP_HD F with_wave(F wind, F amplitude, F angle) {
    return select(amplitude == real<F>(0.0), wind, fmadd(amplitude, sin(angle), wind));
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action,
                                   Rng<F>& rng) {
    const F zero = real<F>(0.0), one = real<F>(1.0);
    F a[4];
    for (int k = 0; k < 4; k++) a[k] = max(-one, min(one, action[k]));
    constexpr double kSigma[6] = {0.1941, 0.2975, 0.6058, 0.1508, 0.2492, 0.0734};
    for (int k = 0; k < 6; k++) {
      const F gust = real<F>(0.2 * kSigma[k]) * p.gust_scale * rng.normal();
      s.gust[k] = fmadd(real<F>(0.8), s.gust[k], gust);
    }
    F wind[3] = {p.wind_north, p.wind_east, zero};
    const bool waves = any((p.wave_north != zero) | (p.wave_east != zero));
    const F begun = s.elapsed * real<F>(kTimeStep);
    Mask<F> flies = mask_of<F>(true);
    for (int k = 0; k < kSubsteps && any(flies); k++) {
      if (waves) {
        const F t = begun + real<F>(kSubstep * k);
        wind[0] = with_wave(p.wind_north, p.wave_north, fmadd(p.frequency_north, t, p.phase_north));
        wind[1] = with_wave(p.wind_east, p.wave_east, fmadd(p.frequency_east, t, p.phase_east));
      }
      State<F> now = s;
      substep(a, wind, now);
      keep_where(flies, now, s);
      flies = flies & !has_ended(p, now);
    }
    normalize(s.q);
    s.elapsed = s.elapsed + one;
    F cost = zero;
    for (int k = 0; k < 3; k++) {
      cost = fmadd(s.v[k], s.v[k], cost);
      cost = fmadd(s.p[k], s.p[k], cost);
      cost = fmadd(s.omega[k], s.omega[k], cost);
      cost = fmadd(s.q[k], s.q[k], cost);
    }
    const F left = real<F>(double(kTimeLimit)) - s.elapsed;
    const Mask<F> ended = !flies;
    const F crash = real<F>(kWorstReward) * max(left, zero);
    const Mask<F> unpaid = (p.last_reward_zero > zero) & (left <= zero);
    return {select(ended, crash, select(unpaid, zero, -cost)), ended};
  }

  template <class F>
  static GALLOP_HD F clipped(F x, double limit) {
    return max(real<F>(-limit), min(real<F>(limit), x));
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>& p, const State<F>& s, F* observation) {
    F m[3][3];
    rotation(s.q, m);
    for (int k = 0; k < 3; k++) {
      observation[k] = clipped(to_body(m, s.v, k), kMaxSpeed);
      observation[3 + k] = clipped(to_body(m, s.p, k), kMaxDistance);
      observation[6 + k] = clipped(s.omega[k], kMaxRate);
      observation[9 + k] = clipped(s.q[k], 1);
    }
    const Mask<F> bends = p.features > real<F>(0.0);
    if (!any(bends)) return;
    const F soft = real<F>(kSoft), per_soft = real<F>(1 / kSoft);
    for (int k = 0; k < 6; k++) {
      const F bent = soft * tanh(per_soft * observation[k]);
      observation[k] = select(bends, bent, observation[k]);
    }
    // n = 2 atan2(|q_v|, q_w) q_v / |q_v|, which is 2 q_v where there is no turn.
    const F length = sqrt(fmadd(s.q[0], s.q[0], fmadd(s.q[1], s.q[1], s.q[2] * s.q[2])));
    const Mask<F> turned = length > real<F>(1e-6);
    const F angle = real<F>(2.0) * atan2(length, s.q[3]);
    const F factor = select(turned, angle / select(turned, length, real<F>(1.0)), real<F>(2.0));
    for (int k = 0; k < 3; k++) {
      const F level = real<F>(k == 0 ? kLean : 0.0);
      observation[9 + k] = select(bends, fmadd(factor, s.q[k], -level), observation[9 + k]);
    }
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Helicopter)

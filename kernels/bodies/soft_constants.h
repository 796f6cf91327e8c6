// Constants of one soft constraint and its impedance (MuJoCo's documentation, "Solver parameters").
#pragma once

#include <gallop/kernels/bodies/model.h>
#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

struct SoftConstants {
  double stiffness, damping;  // reference acceleration -damping * velocity - stiffness * d(r) * r
  double low, high, width, midpoint, power;
  bool flat;  // the impedance does not depend on the distance
};

// The constraint between two things, averaged; no stiffer than two time steps.
constexpr SoftConstants soft_constants(const Softness& x, const Softness& y, double timestep) {
  const auto mean = [](double a, double b) { return 0.5 * a + 0.5 * b; };
  SoftConstants c = {};
  c.low = clamped(mean(x.low, y.low), 0.0001, 0.9999);
  c.high = clamped(mean(x.high, y.high), 0.0001, 0.9999);
  c.width = mean(x.width, y.width);
  c.midpoint = clamped(mean(x.midpoint, y.midpoint), 0.0001, 0.9999);
  c.power = mean(x.power, y.power);
  c.flat = c.low == c.high || c.width <= 1e-15;
  const double wanted = mean(x.time_constant, y.time_constant);
  const double time_constant = wanted < 2 * timestep ? 2 * timestep : wanted;
  const double ratio = mean(x.damping_ratio, y.damping_ratio);
  c.stiffness = 1 / (c.high * c.high * time_constant * time_constant * ratio * ratio);
  c.damping = 2 / (c.high * time_constant);
  return c;
}

// Impedance at a distance r from the constraint. Powers 1 and 2 only: all that the models use.
template <class F>
GALLOP_HD F impedance(const SoftConstants& c, F r) {
  if (c.flat) return real<F>(0.5 * (c.low + c.high));
  const F x = abs(r) * real<F>(1 / c.width);
  F y = x;
  if (c.power != 1) {
    const F rest = real<F>(1.0) - x;
    y = select(x <= real<F>(c.midpoint), x * x * real<F>(1 / c.midpoint),
               fmadd(rest * rest, real<F>(-1 / (1 - c.midpoint)), real<F>(1.0)));
  }
  y = select(x >= real<F>(1.0), real<F>(1.0), y);
  return fmadd(y, real<F>(c.high - c.low), real<F>(c.low));
}

}  // namespace gallop::inline GALLOP_ISA

// The torques of motors under controls.
#pragma once

#include <gallop/kernels/bodies/each.h>
#include <gallop/kernels/bodies/parameters.h>
#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

template <class Model>
struct MotorTable {
  struct Motor {
    int dof;
    double low, high;
  };
  Motor motor[BodyCounts<Model>::kActuators] = {};

  constexpr MotorTable() {
    for (int k = 0; k < BodyCounts<Model>::kActuators; k++) {
      const ActuatorSpec& spec = Model::kActuators[k];
      motor[k] = {BodyCounts<Model>::dof_of(spec.joint), spec.low, spec.high};
    }
  }
};
template <class Model>
GALLOP_HD const MotorTable<Model>& motors() {
  static constexpr MotorTable<Model> kMotors{};  // without braces nvcc 13.0 leaves it zero
  return kMotors;
}

template <class Model, class F>
GALLOP_HD void motor_torques(const BodyParameters<Model, F>& p, const F* control, F* torque) {
  each<BodyCounts<Model>::kDofs>([&](int k) GALLOP_BODY_LAMBDA { torque[k] = real<F>(0.0); });
  each<BodyCounts<Model>::kActuators>([&](int k) GALLOP_BODY_LAMBDA {
    const auto& motor = motors<Model>().motor[k];
    const F u = max(real<F>(motor.low), min(real<F>(motor.high), control[k]));
    torque[motor.dof] = fmadd(p.gear(k), u, torque[motor.dof]);
  });
}

}  // namespace gallop::inline GALLOP_ISA

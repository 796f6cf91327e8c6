// The drag of a medium on a body, by MuJoCo's model of the equivalent inertia box
// (https://mujoco.readthedocs.io/en/stable/computation/fluid.html, "Inertia model").
#pragma once

#include <gallop/kernels/bodies/compiled_model.h>
#include <gallop/kernels/bodies/planar.h>

namespace gallop::inline GALLOP_ISA {

// Coefficients of a body's drag: linear and quadratic, along the two axes and about the normal.
struct DragConstants {
  double linear, quadratic[2], turn_linear, turn_quadratic;
};
template <class Model>
GALLOP_HD DragConstants drag_constants(int b) {
  const auto& box = compiled<Model>().body[b].box;
  constexpr double rho = Model::kWorld.density, viscosity = Model::kWorld.viscosity;
  const double mean = (box[0] + box[1] + box[2]) / 3;
  const double fourth[2] = {box[0] * box[0] * box[0] * box[0], box[1] * box[1] * box[1] * box[1]};
  return {3 * kPi * mean * viscosity,
          {0.5 * rho * box[1] * box[2], 0.5 * rho * box[0] * box[2]},
          kPi * mean * mean * mean * viscosity,
          rho * box[2] * (fourth[0] + fourth[1]) / 64};
}

// Adds to the force that body b needs what the medium takes. The axes of the box are those of the
// body: bodies in a medium are capsules along their own axes.
template <class Model, class F>
GALLOP_HD void add_drag(int b, typename Planar<F>::Rotation rotation,
                        typename Planar<F>::Vector centre, typename Planar<F>::Motion velocity,
                        typename Planar<F>::Motion& needed) {
  using Space = Planar<F>;
  const DragConstants drag = drag_constants<Model>(b);
  const auto at = Space::velocity_at(velocity, centre);
  const F along = fmadd(rotation.c, at.a, rotation.s * at.b);
  const F across = fmadd(rotation.c, at.b, -(rotation.s * at.a));
  const F linear = real<F>(drag.linear);
  const typename Space::Vector local = {
      along * fmadd(real<F>(drag.quadratic[0]), abs(along), linear),
      across * fmadd(real<F>(drag.quadratic[1]), abs(across), linear)};
  Space::add_force(needed, centre, Space::rotate(rotation, local));
  const F turn = fmadd(real<F>(drag.turn_quadratic), abs(velocity.w), real<F>(drag.turn_linear));
  needed.w = fmadd(velocity.w, turn, needed.w);
}

}  // namespace gallop::inline GALLOP_ISA

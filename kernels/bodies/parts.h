// What the engine is made of for a model: in the plane every loop over bodies and dofs is unrolled,
// so that the zeros of the model cost nothing; in space the loops are rolled, which keeps the code
// of long-limbed bodies within the instruction cache.
#pragma once

#include <gallop/kernels/bodies/floor_contacts.h>
#include <gallop/kernels/bodies/joint_limits.h>
#include <gallop/kernels/bodies/self_contacts.h>
#include <gallop/kernels/bodies/spatial_floor_contacts.h>
#include <gallop/kernels/bodies/spatial_joint_limits.h>
#include <gallop/kernels/bodies/spatial_self_contacts.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F, bool kPlanar = is_planar<Model>()>
struct PartsOf {
  using Pose = gallop::Pose<Model, F>;
  using Space = Planar<F>;
  using Hessian = TreeMatrix<Model, F>;
  using Limits = JointLimits<Model, F>;
  using Floor = FloorContacts<Model, F>;
  using Self = SelfContacts<Model, F>;
};
template <class Model, class F>
struct PartsOf<Model, F, false> {
  using Pose = SpatialPose<Model, F>;
  using Space = Spatial<F>;
  using Hessian = SpatialHessian<Model, F>;
  using Limits = SpatialJointLimits<Model, F>;
  using Floor = SpatialFloorContacts<Model, F>;
  using Self = SpatialSelfContacts<Model, F>;
};

template <class Model, class F>
using PoseOf = typename PartsOf<Model, F>::Pose;

// body(0) ... body(kCount - 1), unrolled in the plane.
template <class Model, int kCount, class Body>
GALLOP_HD void each_of(Body body) {
  if constexpr (is_planar<Model>()) {
    each<kCount>(body);
  } else {
    for (int k = 0; k < kCount; k++) body(k);
  }
}

}  // namespace gallop::inline GALLOP_ISA

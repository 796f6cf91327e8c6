// One of our models in MuJoCo, and random states of it.
#pragma once

#include <mujoco/mujoco.h>

#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include <gallop/kernels/bodies/parameters.h>
#include "tests/bodies/mjcf.h"
#include "tests/bodies/random_state.h"

namespace gallop::testing {

class MujocoSimulation {
 public:
  mjModel* m = nullptr;
  mjData* d = nullptr;

  explicit MujocoSimulation(const std::string& xml) {
    mjVFS files;
    mj_defaultVFS(&files);
    if (mj_makeEmptyFileVFS(&files, "model.xml", int(xml.size())) != 0) {
      throw std::runtime_error("no room for the model");
    }
    const int at = mj_findFileVFS(&files, "model.xml");
    std::copy(xml.begin(), xml.end(), static_cast<char*>(files.filedata[at]));
    char error[1000] = "";
    m = mj_loadXML("model.xml", &files, error, sizeof(error));
    mj_deleteVFS(&files);
    if (m == nullptr) throw std::runtime_error(error + ("\n" + xml));
    d = mj_makeData(m);
  }
  ~MujocoSimulation() {
    mj_deleteData(d);
    mj_deleteModel(m);
  }
  MujocoSimulation(const MujocoSimulation&) = delete;
  MujocoSimulation& operator=(const MujocoSimulation&) = delete;

  // The converged solution of the constraints instead of one within a tolerance.
  void solve_exactly() {
    m->opt.solver = mjSOL_NEWTON;
    m->opt.iterations = 500;
    m->opt.tolerance = 0;
  }

  // A random state under controls up to half their range beyond their bounds.
  template <class Model>
  void randomize(std::mt19937_64& random, double low, double high) {
    std::uniform_real_distribution<double> uniform(-1, 1);
    random_state<Model>(random, low, high, d->qpos, d->qvel);
    for (int k = 0; k < m->nv; k++) d->qacc_warmstart[k] = 0;
    for (int k = 0; k < m->nu; k++) d->ctrl[k] = 1.5 * Model::kActuators[k].high * uniform(random);
  }

  // Capsules whose axes cross: the normal of such a contact is rounding noise.
  bool is_degenerate() const {
    for (int c = 0; c < d->ncon; c++) {
      const int g1 = d->contact[c].geom1, g2 = d->contact[c].geom2;
      if (m->geom_type[g1] == mjGEOM_PLANE) continue;
      if (d->contact[c].dist < -(m->geom_size[3 * g1] + m->geom_size[3 * g2]) + 1e-6) return true;
    }
    return false;
  }
  bool has_self_contact() const {
    for (int c = 0; c < d->ncon; c++) {
      if (m->geom_type[d->contact[c].geom1] != mjGEOM_PLANE) return true;
    }
    return false;
  }
};

// Friction of each geom with the floor, whose own becomes the least there is.
template <class Model>
void set_floor_frictions(mjModel* m, const BodyParameters<Model, double>& p) {
  if (!Model::kWorld.has_floor) return;
  m->geom_friction[0] = 1e-5;
  int n = 0;
  for (int g = 1; g < m->ngeom; g++) {
    if (Model::kGeoms[g - 1].meets_floor) m->geom_friction[3 * g] = p.friction(n++);
  }
}

}  // namespace gallop::testing

// A model of ours as MuJoCo's XML. Contact margins are written as those of pairs, so that MuJoCo
// before 3.5, which takes the greater margin of two geoms, sees what the model's own rule gives.
#pragma once

#include <cstdio>
#include <string>

#include <gallop/kernels/bodies/body_counts.h>

namespace gallop::testing {

template <class Model>
class MjcfWriter {
 public:
  std::string text() {
    const WorldSpec& world = Model::kWorld;
    add("<mujoco><compiler angle=\"radian\" inertiafromgeom=\"true\"");
    if (world.total_mass > 0) number("settotalmass", world.total_mass);
    add("/><option");
    number("timestep", world.timestep);
    vector("gravity", world.gravity);
    number("density", world.density);
    number("viscosity", world.viscosity);
    add(world.integrator == Integrator::kEuler ? " integrator=\"Euler\"" : " integrator=\"RK4\"");
    add("/><worldbody>");
    if (world.has_floor) {
      add("<geom type=\"plane\" size=\"40 40 40\" condim=\"3\" contype=\"1\" conaffinity=\"1\"");
      number("friction", world.floor_friction);
      softness("", world.floor_softness);
      add("/>");
    }
    for (int b = 1; b <= length_of(Model::kBodies); b++) {
      if (Model::kBodies[b - 1].parent == 0) body(b);
    }
    add("</worldbody><actuator>");
    for (const ActuatorSpec& motor : Model::kActuators) {
      add("<motor ctrllimited=\"true\" joint=\"");
      add(Model::kJoints[motor.joint].name);
      add("\"");
      number("gear", motor.gear);
      pair("ctrlrange", motor.low, motor.high);
      add("/>");
    }
    add("</actuator></mujoco>");
    return text_;
  }

 private:
  void add(const char* x) { text_ += x; }
  void add(const char* name, std::initializer_list<double> values) {
    text_ += std::string(" ") + name + "=\"";
    for (const double x : values) {
      char digits[40];
      std::snprintf(digits, sizeof(digits), "%.17g ", x);
      text_ += digits;
    }
    text_ += "\"";
  }
  void number(const char* name, double x) { add(name, {x}); }
  void pair(const char* name, double x, double y) { add(name, {x, y}); }
  void vector(const char* name, Vector3 x) { add(name, {x.x, x.y, x.z}); }
  void softness(const std::string& suffix, const Softness& s) {
    add(("solref" + suffix).c_str(), {s.time_constant, s.damping_ratio});
    add(("solimp" + suffix).c_str(), {s.low, s.high, s.width, s.midpoint, s.power});
  }

  void body(int b) {
    add("<body");
    vector("pos", Model::kBodies[b - 1].position);
    const Quaternion& q = Model::kBodies[b - 1].orientation;
    add("quat", {q.w, q.x, q.y, q.z});
    add(">");
    for (const JointSpec& j : Model::kJoints) {
      if (j.body == b) joint(j);
    }
    for (const GeomSpec& g : Model::kGeoms) {
      if (g.body == b) geom(g);
    }
    for (int child = b + 1; child <= length_of(Model::kBodies); child++) {
      if (Model::kBodies[child - 1].parent == b) body(child);
    }
    add("</body>");
  }
  void joint(const JointSpec& j) {
    text_ += std::string("<joint name=\"") + j.name + "\"";
    if (j.kind == JointKind::kFree) {
      add(" type=\"free\"/>");
      return;
    }
    add(j.kind == JointKind::kSlide ? " type=\"slide\"" : " type=\"hinge\"");
    vector("axis", j.axis);
    vector("pos", j.position);
    number("armature", j.armature);
    number("damping", j.damping);
    number("stiffness", j.stiffness);
    number("ref", j.reference);
    add(j.limited ? " limited=\"true\"" : " limited=\"false\"");
    pair("range", j.low, j.high);
    number("margin", j.margin);
    softness("limit", j.softness);
    add("/>");
  }
  void geom(const GeomSpec& g) {
    const bool sphere = BodyCounts<Model>::is_sphere(g);
    add(sphere ? "<geom type=\"sphere\"" : "<geom type=\"capsule\"");
    if (sphere) {
      vector("pos", g.from);
    } else {
      add("fromto", {g.from.x, g.from.y, g.from.z, g.to.x, g.to.y, g.to.z});
    }
    number("size", g.radius);
    number("density", g.density);
    number("friction", g.friction);
    const bool sum = Model::kWorld.margin_rule == MarginRule::kSum;
    number("margin", sum ? g.margin + Model::kWorld.floor_margin
                         : std::max(g.margin, Model::kWorld.floor_margin));
    softness("", g.softness);
    // The floor has both bits: contype meets its affinity; two geoms meet by their own affinity.
    add(" condim=\"1\"");
    add(g.meets_floor ? " contype=\"1\"" : " contype=\"0\"");
    add(g.meets_others ? " conaffinity=\"1\"" : " conaffinity=\"0\"");
    add("/>");
  }

  std::string text_;
};

}  // namespace gallop::testing

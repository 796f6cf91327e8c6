// The engine in double against states that MuJoCo 2.2.2 computed on Gymnasium's own model files,
// recorded in tests/data/golden_mujoco_2.2.2.txt: qpos_i = qpos0_i + 0.004 sin(i + 1), qvel_i =
// 0.004 cos(i + 1), control j of environment step t = half its bound * sin(0.7 (t + 1) + j).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "tests/bodies/all_models.h"
#include "tests/bodies/random_state.h"

namespace gallop::testing {
namespace {

using Numbers = std::vector<double>;

// MuJoCo 2.2.2 takes the greater of two margins.
template <class Model>
struct WithOldMargins : Model {
  static constexpr WorldSpec old(WorldSpec world) {
    world.margin_rule = MarginRule::kMaximum;
    return world;
  }
};
template <class Model>
struct OldModel : WithOldMargins<Model> {
  static constexpr WorldSpec kWorld = WithOldMargins<Model>::old(Model::kWorld);
};

struct GoldenRun {
  struct Body {
    double mass;
    Numbers inertia;
  };
  std::vector<Body> bodies;
  std::map<int, std::pair<Numbers, Numbers>> after;  // qpos and qvel after environment steps
};

Numbers parse(const std::string& list) {
  Numbers numbers;
  std::stringstream stream(list);
  std::string part;
  while (std::getline(stream, part, ',')) numbers.push_back(std::stod(part));
  return numbers;
}
// The text after `key` up to a space or the closing bracket.
std::string field(const std::string& line, const std::string& key) {
  const std::size_t at = line.find(key);
  if (at == std::string::npos) return "";
  std::size_t begin = at + key.size();
  char end = ' ';
  if (line[begin] == '[') begin++, end = ']';
  return line.substr(begin, line.find(end, begin) - begin);
}

GoldenRun read_run(const std::string& model) {
  std::ifstream file(std::string(GALLOP_TEST_SOURCE_DIR) + "/tests/data/golden_mujoco_2.2.2.txt");
  EXPECT_TRUE(file.good());
  GoldenRun run;
  bool mine = false;
  int step = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("== ", 0) == 0) mine = line.rfind("== " + model + " ", 0) == 0;
    if (!mine) continue;
    if (line.rfind("  body ", 0) == 0) {
      run.bodies.push_back({std::stod(field(line, "mass=")), parse(field(line, "inertia="))});
    }
    if (line.rfind(" env-step ", 0) == 0) step = std::stoi(line.substr(10));
    if (line.rfind("  qpos=[", 0) == 0) run.after[step].first = parse(field(line, "qpos="));
    if (line.rfind("  qvel=[", 0) == 0) run.after[step].second = parse(field(line, "qvel="));
  }
  return run;
}

template <class Case>
class Golden : public ::testing::Test {};
TYPED_TEST_SUITE(Golden, RecordedModels, ModelName);

TYPED_TEST(Golden, MassesAndInertias) {
  using Model = typename TypeParam::Model;
  const GoldenRun run = read_run(TypeParam::kRecorded);
  const double scale = mass_scale<Model>();
  ASSERT_EQ(int(run.bodies.size()), BodyCounts<Model>::kBodies - 1);
  for (int b = 1; b < BodyCounts<Model>::kBodies; b++) {
    const GoldenRun::Body& body = run.bodies[b - 1];
    const MassProperties ours = mass_of_body<Model>(b);
    EXPECT_NEAR(ours.mass * scale, body.mass, 1e-9 * body.mass);
    // The file has the principal moments; what does not depend on the axes are the sums of them and
    // of their squares.
    const double* i = ours.inertia;
    double sum = 0, squares = 0;
    for (const double x : body.inertia) sum += x, squares += x * x;
    EXPECT_NEAR(scale * (i[0] + i[1] + i[2]), sum, 1e-9 * sum);
    const double off = i[3] * i[3] + i[4] * i[4] + i[5] * i[5];
    EXPECT_NEAR(scale * scale * (i[0] * i[0] + i[1] * i[1] + i[2] * i[2] + 2 * off), squares,
                2e-9 * squares);
  }
}

TYPED_TEST(Golden, States) {
  using Model = OldModel<typename TypeParam::Model>;
  constexpr int n = BodyCounts<Model>::kDofs, nq = BodyCounts<Model>::kCoordinates;
  const GoldenRun run = read_run(TypeParam::kRecorded);
  ASSERT_EQ(run.after.size(), 3u);
  const BodyParameters<Model, double> p = default_parameters<Model>();
  double q[nq], v[n], control[BodyCounts<Model>::kActuators];
  rest_coordinates<Model>(q);
  for (int k = 0; k < nq; k++) q[k] += 0.004 * std::sin(k + 1);
  for (int k = 0; k < n; k++) v[k] = 0.004 * std::cos(k + 1);
  int n_compared = 0;
  for (int t = 0; t < 20; t++) {
    for (int j = 0; j < BodyCounts<Model>::kActuators; j++) {
      control[j] = 0.5 * Model::kActuators[j].high * std::sin(0.7 * (t + 1) + j);
    }
    advance_bodies<Model, double>(p, TypeParam::kFrameSkip, control, q, v, nullptr);
    const auto found = run.after.find(t + 1);
    if (found == run.after.end()) continue;
    ASSERT_EQ(int(found->second.first.size()), nq);
    ASSERT_EQ(int(found->second.second.size()), n);
    const double tolerance = TypeParam::kRecordedTolerance;
    for (int k = 0; k < nq; k++, n_compared++) {
      const double qpos = found->second.first[k];
      EXPECT_NEAR(q[k], qpos, tolerance * std::max(1.0, std::abs(qpos))) << "step " << t + 1;
    }
    for (int k = 0; k < n; k++, n_compared++) {
      const double qvel = found->second.second[k];
      EXPECT_NEAR(v[k], qvel, tolerance * std::max(1.0, std::abs(qvel))) << "step " << t + 1;
    }
  }
  EXPECT_EQ(n_compared, 3 * (nq + n));
}

}  // namespace
}  // namespace gallop::testing

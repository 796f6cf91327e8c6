#include <gallop/host/tetris/controllers.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

constexpr TetrisFeature kFeatures[] = {
    {"landing_height", kLandingHeight, 1},
    {"eroded", kEroded, 1},
    {"row_transitions", kRowTransitions, 1},
    {"column_transitions", kColumnTransitions, 1},
    {"holes", kHoles, 1},
    {"wells", kWells, 1},
    {"hole_depth", kHoleDepth, 1},
    {"rows_with_holes", kRowsWithHoles, 1},
    {"diversity", kDiversity, 1},
    {"column_heights", kColumnHeights, kTetrisColumns},
    {"height_differences", kHeightDifferences, kTetrisColumns - 1},
    {"maximum_height", kMaximumHeight, 1},
    {"constant", kConstant, 1}};

// Of the first `n` features.
TetrisWeights published(const char* name, const char* source, int wells,
                        std::vector<double> weights) {
  TetrisWeights w = {name, source, {}, wells, std::move(weights)};
  for (std::size_t k = 0; k < w.weights.size(); k++) w.features.emplace_back(kFeatures[k].name);
  return w;
}

std::vector<TetrisWeights> make_published() {
  const char* const records = "Thiery and Scherrer, ICGA Journal 32, 2009, and MDPTetris";
  const char* const cbmpi = "Scherrer et al., JMLR 16, 2015, table 2";
  std::vector<TetrisWeights> all = {
      published("dellacherie", "Dellacherie by hand, as in Fahey 2003", 6, {-1, 1, -1, -1, -4, -1}),
      published(
          "du", records, 6,
          {-12.62900, 6.601974, -9.215815, -19.77356, -13.08335, -10.48747, -1.611863, -24.04087}),
      published("dt10", cbmpi, -6, {-2.18, 2.42, -2.17, -3.31, 0.95, -2.22, -0.81, -9.65, 1.27}),
      published("dt20", cbmpi, -6, {-2.68, 1.38, -2.41, -6.32, 2.03, -2.71, -0.43, -9.48, 0.89}),
      published("ce_dellacherie", records, 6,
                {-8.593742, 4.982987, -5.315517, -17.01111, -14.26038, -6.035001}),
      published(
          "el_tetris", "particle swarms on Dellacherie's features (El-Tetris)", -6,
          {-4.500158825, 3.418126810, -3.217888287, -9.348695305, -7.899265427, -3.385597225})};
  TetrisWeights random = {"random", "any placement with equal chance", {}, 6, {}};
  random.is_random = true;
  all.push_back(std::move(random));
  return all;
}

}  // namespace

bool is_tetris(std::string_view word) { return folded_name(word) == "tetris"; }

std::span<const TetrisFeature> tetris_features() { return kFeatures; }

std::span<const TetrisWeights> published_tetris_controllers() {
  static const std::vector<TetrisWeights> kPublished = make_published();
  return kPublished;
}

TetrisController tetris_controller(const TetrisWeights& from) {
  TetrisController to = {};
  to.wells = from.wells == -6 ? Wells::kOnce : Wells::kEach;
  to.is_random = from.is_random ? 1 : 0;
  std::size_t next = 0;
  for (const std::string& name : from.features) {
    const auto* const feature =
        std::find_if(std::begin(kFeatures), std::end(kFeatures),
                     [&](const TetrisFeature& f) { return name == f.name; });
    if (feature == std::end(kFeatures)) {
      throw value_error(fmt::format("controller {} has the feature {}, which there is not",
                                    from.name, in_quotes(name)));
    }
    for (int k = 0; k < feature->count; k++, next++) {
      if (next >= from.weights.size()) break;
      to.weight[feature->first + k] = float(from.weights[next]);
      if (feature->first + k >= kColumnHeights) to.by_heights = 1;
    }
  }
  if (next == from.weights.size()) return to;
  throw value_error(fmt::format("controller {} has {} weights; expected {} for its features",
                                from.name, from.weights.size(), next));
}

}  // namespace gallop

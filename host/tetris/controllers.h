// Linear controllers of Tetris: those that were published, and those in files.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/kernels/tetris/controller.h>

namespace gallop {

// Whether a word is the game's name. It is one of its own, not one of the environments: commands
// that play controllers know it by its name.
bool is_tetris(std::string_view word);

// A controller as a file says it: features in an order, a weight for each, several for the features
// that are one for each column or pair of columns.
struct TetrisWeights {
  std::string name;
  std::string source;                 // empty for one from a file
  std::vector<std::string> features;  // of tetris_features()
  int wells = 6;                      // or -6
  std::vector<double> weights;
  bool is_random = false;  // any placement with equal chance
};

// A feature, where its weights stand in a TetrisController, and how many they are.
struct TetrisFeature {
  const char* name;
  int first, count;
};
std::span<const TetrisFeature> tetris_features();

// By features in the order of Thiery and Scherrer: landing height to rows with holes, and
// diversity.
std::span<const TetrisWeights> published_tetris_controllers();

// A published controller by its name, or the one in the TOML file of that name (which ends in .toml
// or has a slash): keys `features`, `weights` and, with the feature wells, `wells`. Throws a usage
// error for a name that is none, an I/O error for a file that cannot be read, and a value error
// with file and line for one that is none: features that are unknown or there twice, another number
// of weights, one that is not a finite number of float, wells that are neither 6 nor -6.
TetrisWeights find_tetris_controller(const std::string& name_or_file);
TetrisWeights parse_tetris_controller(std::string_view toml, std::string_view origin);

// For kernels. A value error for features and weights that do not fit.
TetrisController tetris_controller(const TetrisWeights& weights);

}  // namespace gallop

// Controllers of Tetris from TOML.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <gallop/host/error.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/file_system.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/toml_library.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/tetris/controllers.h>

namespace gallop {
namespace {

constexpr std::uint64_t kLargestFile = 1 << 16;

std::vector<std::string> names_of_features() {
  std::vector<std::string> names;
  for (const TetrisFeature& f : tetris_features()) names.emplace_back(f.name);
  return names;
}

const toml::array& array_of(const toml::table& table, const char* key, std::string_view origin) {
  const toml::node* const node = table.get(key);
  if (node == nullptr) {
    throw value_error(
        fmt::format("{} has no key '{}'; a controller of Tetris has features and "
                    "weights",
                    origin, key));
  }
  const toml::array* const array = node->as_array();
  if (array == nullptr) {
    throw value_error(fmt::format("{}: '{}' is {}, expected an array", toml_position(origin, *node),
                                  key, toml_kind(*node)));
  }
  return *array;
}

std::vector<std::string> features_in(const toml::array& array, std::string_view origin) {
  const std::vector<std::string> known = names_of_features();
  std::vector<std::string> features;
  for (const toml::node& node : array) {
    const auto name = node.value_exact<std::string>();
    if (!name) {
      throw value_error(fmt::format("{}: a feature is {}, expected its name in quotes",
                                    toml_position(origin, node), toml_kind(node)));
    }
    if (std::find(known.begin(), known.end(), *name) == known.end()) {
      throw value_error(fmt::format("{}: {} is no feature of Tetris; expected {}{}",
                                    toml_position(origin, node), in_quotes(*name),
                                    fmt::join(known, " "), did_you_mean(*name, known)));
    }
    if (std::find(features.begin(), features.end(), *name) != features.end()) {
      throw value_error(
          fmt::format("{}: the feature '{}' is there twice", toml_position(origin, node), *name));
    }
    features.push_back(*name);
  }
  if (features.empty()) {
    throw value_error(fmt::format("{}: 'features' is empty, expected at least one",
                                  toml_position(origin, array)));
  }
  return features;
}

std::vector<double> weights_in(const toml::array& array, std::string_view origin) {
  std::vector<double> weights;
  for (const toml::node& node : array) {
    const auto weight = node.is_number() ? node.value<double>() : std::nullopt;
    if (!weight || !(std::abs(*weight) <= double(std::numeric_limits<float>::max()))) {
      throw value_error(fmt::format("{}: weight {} is no finite number of float's range",
                                    toml_position(origin, node), weights.size()));
    }
    weights.push_back(*weight);
  }
  return weights;
}

int wells_in(const toml::table& table, bool is_wanted, std::string_view origin) {
  const toml::node* const node = table.get("wells");
  if (node == nullptr) {
    if (!is_wanted) return 6;
    throw value_error(fmt::format(
        "{} has the feature wells, but no key 'wells'; expected wells = 6 (each well cell counts "
        "the empty cells below it) or wells = -6 (1 + 2 + 3 ... from the first one down)",
        origin));
  }
  const auto wells = node->value_exact<std::int64_t>();
  if (wells && (*wells == 6 || *wells == -6)) return int(*wells);
  throw value_error(fmt::format("{}: 'wells' is {}, expected 6 or -6", toml_position(origin, *node),
                                wells ? fmt::format("{}", *wells) : toml_kind(*node)));
}

std::size_t weight_count(const std::vector<std::string>& features) {
  std::size_t count = 0;
  for (const TetrisFeature& f : tetris_features()) {
    if (std::find(features.begin(), features.end(), f.name) != features.end()) {
      count += std::size_t(f.count);
    }
  }
  return count;
}

bool is_path(const std::string& text) {
  return text.ends_with(".toml") || text.find('/') != std::string::npos;
}

}  // namespace

TetrisWeights parse_tetris_controller(std::string_view toml, std::string_view origin) {
  const toml::table table = parse_toml_document(toml, origin);
  const std::vector<std::string> keys = {"features", "weights", "wells"};
  for (const auto& [key, node] : table) {
    if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
    throw usage_error(fmt::format("{}: unknown key {}{}", toml_position(origin, node),
                                  in_quotes(key.str()), did_you_mean(key.str(), keys)));
  }
  TetrisWeights w;
  w.name = std::string(origin);
  w.features = features_in(array_of(table, "features", origin), origin);
  const toml::array& weights = array_of(table, "weights", origin);
  w.weights = weights_in(weights, origin);
  const std::size_t expected = weight_count(w.features);
  if (w.weights.size() != expected) {
    throw value_error(
        fmt::format("{}: 'weights' has {} numbers, expected {}: one for each feature, {} for "
                    "column_heights, {} "
                    "for height_differences",
                    toml_position(origin, weights), w.weights.size(), expected, kTetrisColumns,
                    kTetrisColumns - 1));
  }
  const bool has_wells =
      std::find(w.features.begin(), w.features.end(), "wells") != w.features.end();
  w.wells = wells_in(table, has_wells, origin);
  return w;
}

TetrisWeights find_tetris_controller(const std::string& name_or_file) {
  if (is_path(name_or_file)) {
    const std::shared_ptr<FileSystem> files = posix_file_system();
    return parse_tetris_controller(read_given_file(*files, name_or_file, kLargestFile),
                                   name_or_file);
  }
  std::vector<std::string> names;
  for (const TetrisWeights& known : published_tetris_controllers()) {
    if (name_or_file == known.name) return known;
    names.push_back(known.name);
  }
  throw usage_error(fmt::format(
      "{} is no controller of tetris; expected {}, or a file that ends in "
      ".toml{}",
      in_quotes(name_or_file), fmt::join(names, ", "), did_you_mean(name_or_file, names)));
}

}  // namespace gallop

// What the outline's text, page and numbers share: cells in the order of the map, and the map.
#pragma once

#include <string>
#include <vector>

#include <gallop/host/laboratory/outline.h>
#include <gallop/host/report/region_map.h>

namespace gallop {

// The cells of one noise, by rows of the discontinuity.
struct NoiseMap {
  std::vector<std::vector<const OutlineCell*>> rows;  // [1 + widths, horizons]
  const OutlineCell& first() const { return *rows[0][0]; }
};
std::vector<NoiseMap> noise_maps_of(const OutlineSettings& settings,
                                    const std::vector<OutlineCell>& cells);

constexpr double kCloseErrors = 1.1;  // times the least error: about as good

std::string outline_number(double x);
std::string width_text(const std::optional<double>& width);  // "ramp 0.1"
std::string noise_text(const OutlineCell& cell);
// An error beside the gradient that it is of: "3.1%".
std::string relative_error(double error, const OutlineCell& cell);
// The estimator with its displacement.
std::string name_of(const OutlineEstimate& estimate);

RegionMap region_map_of(const OutlineSettings& settings, const NoiseMap& cells,
                        OutlineAccess access, OutlineCost cost);
// Heads, then a row for each kind of reward: how often each family is best at equal steps.
std::vector<std::vector<std::string>> outline_counts(const OutlineSettings& settings,
                                                     const std::vector<OutlineCell>& cells,
                                                     OutlineAccess access);

}  // namespace gallop

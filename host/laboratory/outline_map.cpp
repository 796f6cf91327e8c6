#include <gallop/host/laboratory/outline_map.h>

#include <fmt/format.h>

#include <cmath>

namespace gallop {
namespace {

std::vector<std::string> row_labels(const NoiseMap& map) {
  std::vector<std::string> labels;
  for (const std::vector<const OutlineCell*>& row : map.rows)
    labels.push_back(width_text(row[0]->width));
  return labels;
}

// How often each family is best in each row of the discontinuity. [rows, families]
std::vector<std::vector<int>> counts_of(const OutlineSettings& s,
                                        const std::vector<OutlineCell>& cells,
                                        OutlineAccess access) {
  std::vector<std::vector<int>> counts(s.widths.size() + 1, std::vector<int>(kGradientFamilies));
  for (const NoiseMap& map : noise_maps_of(s, cells)) {
    for (std::size_t r = 0; r < map.rows.size(); r++) {
      for (const OutlineCell* cell : map.rows[r]) {
        counts[r][int(best_of(*cell, access, OutlineCost::kSteps, s.steps).estimate->family)]++;
      }
    }
  }
  return counts;
}

}  // namespace

std::string outline_number(double x) { return fmt::format("{:.4g}", x); }
std::string width_text(const std::optional<double>& width) {
  return !width ? "no prize" : *width == 0 ? "jump" : fmt::format("ramp {:g}", *width);
}
std::string noise_text(const OutlineCell& cell) {
  return fmt::format("policy noise {:g}, dynamics noise {:g}", cell.policy_noise,
                     cell.dynamics_noise);
}
std::string relative_error(double error, const OutlineCell& cell) {
  if (cell.gradient_norm == 0) return outline_number(error);
  const double percent = 100 * error / cell.gradient_norm;
  if (percent >= 1000) return ">1000%";
  return percent < 9.95 ? fmt::format("{:.1f}%", percent) : fmt::format("{:.0f}%", percent);
}
std::string name_of(const OutlineEstimate& e) {
  return e.displacement > 0 ? fmt::format("{} {:g}", e.row->name, e.displacement) : e.row->name;
}

std::vector<NoiseMap> noise_maps_of(const OutlineSettings& s,
                                    const std::vector<OutlineCell>& cells) {
  std::vector<NoiseMap> maps;
  const std::size_t n = s.horizons.size(), n_rows = s.widths.size() + 1;
  for (std::size_t first = 0; first < cells.size(); first += n * n_rows) {
    NoiseMap map;
    for (std::size_t r = 0; r < n_rows; r++) {
      map.rows.emplace_back();
      for (std::size_t c = 0; c < n; c++) map.rows.back().push_back(&cells[first + r * n + c]);
    }
    maps.push_back(map);
  }
  return maps;
}

RegionMap region_map_of(const OutlineSettings& s, const NoiseMap& cells, OutlineAccess access,
                        OutlineCost cost) {
  RegionMap map;
  map.title = noise_text(cells.first());
  map.title[0] = 'P';
  map.x_label = "horizon, steps";
  map.y_label = "reward";
  map.rows = row_labels(cells);
  for (const int horizon : s.horizons) map.columns.push_back(fmt::format("{}", horizon));
  for (int f = 0; f < kGradientFamilies; f++) {
    const bool none = best_of(cells.first(), GradientFamily(f), access, cost, 1) == nullptr;
    if (none) continue;  // pathwise, which is the last: the others keep their numbers
    map.kinds.push_back(
        fmt::format("{} {}", short_name_of(GradientFamily(f)), name_of(GradientFamily(f))));
  }
  for (const std::vector<const OutlineCell*>& row : cells.rows) {
    map.cells.emplace_back();
    for (const OutlineCell* cell : row) {
      const double budget = budget_of(s, cost);
      const OutlineBest best = best_of(*cell, access, cost, budget);
      const GradientFamily family = best.estimate->family;
      std::string about;
      for (int f = 0; f < kGradientFamilies; f++) {
        const OutlineEstimate* e = best_of(*cell, GradientFamily(f), access, cost, budget);
        if (e == nullptr) continue;
        about += fmt::format("{}{} {} by {}", about.empty() ? "" : "; ", short_name_of(e->family),
                             relative_error(std::sqrt(e->squared_error(cost, budget)), *cell),
                             name_of(*e));
      }
      map.cells.back().push_back(
          {int(family),
           fmt::format("{} {}", short_name_of(family), relative_error(best.error, *cell)), about,
           best.second < kCloseErrors * best.error});
    }
  }
  return map;
}

std::vector<std::vector<std::string>> outline_counts(const OutlineSettings& s,
                                                     const std::vector<OutlineCell>& cells,
                                                     OutlineAccess access) {
  std::vector<std::vector<std::string>> rows = {{"reward"}};
  for (int f = 0; f < kGradientFamilies; f++) {
    rows[0].emplace_back(short_name_of(GradientFamily(f)));
  }
  const auto counts = counts_of(s, cells, access);
  const std::vector<std::string> labels = row_labels(noise_maps_of(s, cells)[0]);
  for (std::size_t r = 0; r < labels.size(); r++) {
    rows.push_back({labels[r]});
    for (const int n : counts[r]) rows.back().push_back(fmt::format("{}", n));
  }
  return rows;
}

}  // namespace gallop

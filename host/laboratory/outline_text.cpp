// The outline as text for a terminal, as numbers, and its settings.
#include <fmt/format.h>

#include <cmath>

#include <gallop/host/files/json_value.h>
#include <gallop/host/laboratory/outline_map.h>

namespace gallop {
namespace {

constexpr auto kSimulator = OutlineAccess::kSimulator;
constexpr auto kSteps = OutlineCost::kSteps, kSeconds = OutlineCost::kSeconds;

// Rows of numbers for CSV and JSON.
struct Entry {
  const OutlineCell& cell;
  const OutlineEstimate& e;
  bool best_of_family, best;
};
std::vector<Entry> entries_of(const OutlineSettings& s, const std::vector<OutlineCell>& cells) {
  std::vector<Entry> entries;
  for (const OutlineCell& cell : cells) {
    const OutlineEstimate* best = best_of(cell, kSimulator, kSteps, s.steps).estimate;
    for (const OutlineEstimate& e : cell.estimates) {
      const bool first = &e == best_of(cell, e.family, kSimulator, kSteps, s.steps);
      entries.push_back({cell, e, first, &e == best});
    }
  }
  return entries;
}

}  // namespace

std::string outline_csv(const OutlineSettings& s, const std::vector<OutlineCell>& cells) {
  std::string text =
      "horizon,policy_noise,dynamics_noise,width,estimator,family,displacement,gradient_norm,bias,"
      "variance,steps,seconds,samples,error_at_steps,error_at_seconds,best_of_family,best\n";
  for (const Entry& r : entries_of(s, cells)) {
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", r.cell.horizon, r.cell.policy_noise,
        r.cell.dynamics_noise, r.cell.width ? fmt::format("{}", *r.cell.width) : "", r.e.row->name,
        name_of(r.e.family), r.e.displacement > 0 ? fmt::format("{}", r.e.displacement) : "",
        r.cell.gradient_norm, std::sqrt(r.e.squared_bias), r.e.variance, r.e.steps, r.e.seconds,
        r.e.samples, std::sqrt(r.e.squared_error(kSteps, s.steps)),
        std::sqrt(r.e.squared_error(kSeconds, s.seconds)), int(r.best_of_family), int(r.best));
  }
  return text;
}

namespace {

template <class T>
std::string toml_list(const char* name, const std::vector<T>& values) {
  return fmt::format("{} = [{}]\n", name, fmt::join(values, ", "));
}

}  // namespace

std::string outline_text(const OutlineSettings& settings, const std::vector<OutlineCell>& cells) {
  std::string text = fmt::format(
      "error of the best family, in % of the gradient, at {:g} environment steps\n"
      "FD finite differences, ES evolution strategies, LR likelihood ratio, PD pathwise\n",
      settings.steps);
  for (const NoiseMap& panel : noise_maps_of(settings, cells)) {
    const RegionMap map = region_map_of(settings, panel, kSimulator, kSteps);
    text += fmt::format("\n{}\n{:<11}", map.title, "horizon");
    for (const std::string& column : map.columns) text += fmt::format("{:>11}", column);
    text += "\n";
    for (std::size_t r = 0; r < map.rows.size(); r++) {
      text += fmt::format("{:<11}", map.rows[r]);
      for (const RegionMap::Cell& cell : map.cells[r]) text += fmt::format("{:>11}", cell.text);
      text += "\n";
    }
  }
  text += "\nhow often each family is best\n";
  for (const std::vector<std::string>& row : outline_counts(settings, cells, kSimulator)) {
    text += fmt::format("{:<11}", row[0]);
    for (std::size_t k = 1; k < row.size(); k++) text += fmt::format("{:>11}", row[k]);
    text += "\n";
  }
  return text;
}

std::string outline_jsonl(const OutlineSettings& s, const std::vector<OutlineCell>& cells) {
  std::string text;
  for (const Entry& r : entries_of(s, cells)) {
    JsonValue object;
    object["horizon"] = r.cell.horizon;
    object["policy_noise"] = r.cell.policy_noise;
    object["dynamics_noise"] = r.cell.dynamics_noise;
    object["width"] = r.cell.width.value_or(NAN);  // null
    object["estimator"] = r.e.row->name;
    object["family"] = name_of(r.e.family);
    object["displacement"] = r.e.displacement > 0 ? r.e.displacement : NAN;
    object["gradient_norm"] = r.cell.gradient_norm;
    object["bias"] = std::sqrt(r.e.squared_bias);
    object["variance"] = r.e.variance;
    object["steps"] = r.e.steps;
    object["seconds"] = r.e.seconds;
    object["samples"] = r.e.samples;
    object["error_at_steps"] = std::sqrt(r.e.squared_error(kSteps, s.steps));
    object["error_at_seconds"] = std::sqrt(r.e.squared_error(kSeconds, s.seconds));
    object["best_of_family"] = r.best_of_family;
    object["best"] = r.best;
    text += object.text() + "\n";
  }
  return text;
}

std::string outline_toml(const OutlineSettings& s) {
  return toml_list("horizon", s.horizons) + toml_list("policy_noise", s.policy_noise) +
         toml_list("dynamics_noise", s.dynamics_noise) + toml_list("width", s.widths) +
         toml_list("displacement", s.displacements) +
         fmt::format("jump = {}\nbudget = {}\nseconds = {}\nsamples = {}\npilot = {}\nseed = {}\n",
                     s.jump, s.steps, s.seconds, s.samples, s.pilot, s.seed);
}

}  // namespace gallop

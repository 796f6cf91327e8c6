#include "bench/row.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace gallop {
namespace {

using Json = nlohmann::ordered_json;

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

Json text(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json object(const BenchRow& row) {
  return {{"name", row.name},
          {"scope", row.scope},
          {"environment", text(row.environment)},
          {"policy", text(row.policy)},
          {"mode", row.mode},
          {"shape", text(row.shape)},
          {"kernel", text(row.kernel)},
          {"phase", text(row.phase)},
          {"backend", row.backend},
          {"threads", row.threads},
          {"stored", row.stored},
          {"bytes_per_step", number(row.bytes_per_step)},
          {"flops_per_step", number(row.flops_per_step)},
          {"per_second", number(row.per_second)},
          {"spread", number(row.spread)},
          {"baseline", text(row.baseline)},
          {"baseline_per_second", number(row.baseline_per_second)},
          {"difference", number(row.difference)},
          {"peak_fraction", number(row.peak_fraction)},
          {"checksum", row.checksum}};
}

// 12.3 M
std::string rate(double x) {
  if (!std::isfinite(x)) return "-";
  if (x >= 1e9) return fmt::format("{:.2f} G", x / 1e9);
  if (x >= 1e6) return fmt::format("{:.2f} M", x / 1e6);
  return fmt::format("{:.1f} k", x / 1e3);
}

}  // namespace

std::string to_json(const BenchRow& row) { return object(row).dump(); }

std::string csv_header() {
  std::string line;
  const Json fields = object(BenchRow());
  for (auto field = fields.begin(); field != fields.end(); ++field) {
    if (field != fields.begin()) line += ',';
    line += field.key();
  }
  return line;
}

std::string to_csv(const BenchRow& row) {
  std::string line;
  const Json fields = object(row);
  for (auto field = fields.begin(); field != fields.end(); ++field) {
    if (field != fields.begin()) line += ',';
    if (field->is_string()) {
      line += field->get<std::string>();
    } else if (field->is_number_float()) {
      line += fmt::format("{:.6g}", field->get<double>());
    } else if (!field->is_null()) {
      line += field->dump();
    }
  }
  return line;
}

std::string table_header() {
  return fmt::format("{:<24}{:<11}{:<7}{:<6}{:<9}{:>7}{:>7}{:>14}{:>8}  {:<8}{:>12}{:>8}{:>7}",
                     "environment", "policy", "mode", "scope", "backend", "threads", "stored",
                     "steps/s", "spread", "baseline", "steps/s", "ratio", "peak");
}

std::string to_table(const BenchRow& row) {
  const std::string& what = row.environment.empty() ? row.shape : row.environment;
  const double ratio = row.per_second / row.baseline_per_second;
  return fmt::format(
      "{:<24}{:<11}{:<7}{:<6}{:<9}{:>7}{:>7}{:>14}{:>7.1f}%  {:<8}{:>12}{:>8}{:>7}",
      row.phase.empty() ? what : "  " + row.phase, row.policy.empty() ? row.kernel : row.policy,
      row.mode, row.scope, row.backend, row.threads, row.stored ? "yes" : "no",
      rate(row.per_second), 100 * row.spread, row.baseline.empty() ? "-" : row.baseline,
      rate(row.baseline_per_second), std::isfinite(ratio) ? fmt::format("{:.1f}x", ratio) : "-",
      std::isfinite(row.peak_fraction) ? fmt::format("{:.0f}%", 100 * row.peak_fraction) : "-");
}

}  // namespace gallop

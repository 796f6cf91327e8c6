#include <gallop/host/studies/measured_study.h>

#include <algorithm>

#include <gallop/host/options/nearest.h>
#include <gallop/host/studies/study.h>

namespace gallop {
namespace {

constexpr MeasuredStudy kStudies[] = {
    {"horizon", "Pathwise derivatives over the horizon",
     "How their variance grows with the horizon, and what discounting, a value function behind "
     "some "
     "steps and a Q function do to it."},
    {"outline", "Four ways to a policy's gradient",
     "Finite differences, evolution strategies, likelihood ratio and pathwise derivatives on one "
     "problem over horizon, noise and discontinuity: bias, variance, cost, and which is best "
     "where."}};

}  // namespace

const MeasuredStudy* measured_study_called(const std::string& name) {
  for (const MeasuredStudy& study : kStudies) {
    if (folded_name(name) == study.name) return &study;
  }
  return nullptr;
}

std::vector<std::string> study_names() {
  std::vector<std::string> names = shipped_studies();
  for (const MeasuredStudy& study : kStudies) names.emplace_back(study.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace gallop

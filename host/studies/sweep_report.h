#pragma once

#include <string>
#include <vector>

#include <gallop/host/files/json_value.h>
#include <gallop/host/studies/sweep_run.h>

namespace gallop {

// A line for each setting, in their order: number, generation, the values of the options, score,
// steps, runs given up and failed. Equal sweeps give equal bytes.
std::string sweep_csv(const OptionSweep& sweep, const std::vector<SweepSetting>& settings);
// The same as an object, with the best setting.
JsonValue sweep_json(const OptionSweep& sweep, const std::vector<SweepSetting>& settings);
// The best settings as text for a terminal.
std::string sweep_text(const OptionSweep& sweep, const std::vector<SweepSetting>& settings);
// One HTML page: parallel coordinates of all settings, the scores in their order with the best so
// far, a table of the best ones, the sweep itself.
std::string sweep_report(const OptionSweep& sweep, const std::vector<SweepSetting>& settings);

// An <svg>: an upright axis for each option and for the score, a line for each setting with a
// score; the best tenth stands out, what was given up is dashed. Each line has its values as its
// title.
std::string parallel_coordinates(const OptionSweep& sweep,
                                 const std::vector<SweepSetting>& settings);

}  // namespace gallop

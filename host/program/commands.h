#pragma once

#include <string>
#include <vector>

namespace gallop {

// The commands: each takes what follows its name and returns the exit code.
int run_train(const std::vector<std::string>& arguments, double process_start);
int run_eval(const std::vector<std::string>& arguments);
int run_compare(const std::vector<std::string>& arguments);
int run_export(const std::vector<std::string>& arguments);
int run_study(const std::vector<std::string>& arguments, double process_start);
int run_trace(const std::vector<std::string>& arguments);
int run_render(const std::vector<std::string>& arguments);
int run_list(const std::vector<std::string>& arguments);
int run_optimize(const std::vector<std::string>& arguments);
int run_estimators(const std::vector<std::string>& arguments);
int run_differences(const std::vector<std::string>& arguments);
int run_graph(const std::vector<std::string>& arguments);
int run_outline(const std::vector<std::string>& arguments);  // gallop study outline
int run_horizon(const std::vector<std::string>& arguments);  // gallop study horizon
int run_tetris(const std::vector<std::string>& arguments);
int run_bench(const std::vector<std::string>& arguments);

}  // namespace gallop

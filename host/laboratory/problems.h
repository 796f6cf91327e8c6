// The problems of the laboratory: their options and how they are made.
#pragma once

#include <memory>

#include "host/laboratory/problem.h"

namespace gallop {

std::span<const OptionSpec> lqr_options();
std::span<const OptionSpec> lqr_dean_options();
std::span<const OptionSpec> mdp_options();
std::span<const OptionSpec> bandit_options();
std::span<const OptionSpec> bandit_step_options();

std::unique_ptr<LaboratoryProblem> make_lqr(const Options& options);
std::unique_ptr<LaboratoryProblem> make_lqr_dean(const Options& options);
std::unique_ptr<LaboratoryProblem> make_mdp(const Options& options);
std::unique_ptr<LaboratoryProblem> make_bandit(const Options& options);
std::unique_ptr<LaboratoryProblem> make_bandit_step(const Options& options);

}  // namespace gallop

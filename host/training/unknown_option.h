#pragma once

#include <string>
#include <string_view>

#include <gallop/host/options/option.h>
#include <gallop/host/registry/registry.h>

namespace gallop {

// What to say behind "unknown option 'name'" of a run: what it is called here, or which algorithms
// or environments have it; an empty text where nothing is known. `environment` may be null.
std::string explain_unknown_option(std::string_view name, const Options& options,
                                   const AlgorithmDescriptor& algorithm,
                                   const EnvironmentEntry* environment);

}  // namespace gallop

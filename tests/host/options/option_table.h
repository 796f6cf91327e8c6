// A table with a row of each type, which the tests of options are written on.
#pragma once

#include <gallop/host/options/option.h>

namespace gallop::test {

inline constexpr OptionSpec kTable[] = {
    {"steps", OptionType::integer, "100000", 1, 1e15, nullptr, "steps",
     "environment steps of the run"},
    {"seed", OptionType::integer, "1", -kUnbounded, kUnbounded, nullptr, "", "any integer"},
    {"learning_rate", OptionType::real, "3e-4", 1e-9, 1, nullptr, "", "step size of Adam"},
    {"anneal", OptionType::boolean, "true", 0, 0, nullptr, "", "lower the step size to zero"},
    {"note", OptionType::text, "", 0, 0, nullptr, "", "a text of yours"},
    {"activation", OptionType::choice, "tanh", 0, 0, "tanh, relu,identity", "",
     "between the layers"},
    {"hidden", OptionType::integers, "64,64", 1, 4096, nullptr, "units", "hidden layers"},
    {"environment.gravity", OptionType::real, "9.8", -100, 100, nullptr, "m/s^2", "pull downwards"},
    {"environment.mass", OptionType::real, "0.1", 0, kUnbounded, nullptr, "kg", "mass of the pole"},
};

inline Options options() { return Options(kTable); }

}  // namespace gallop::test

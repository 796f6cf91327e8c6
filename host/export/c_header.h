#pragma once

#include <string>

#include <gallop/host/export/portable_policy.h>

namespace gallop {

// The policy as one header in C99, which C++ takes too, for programs that link nothing of Gallop:
// constants and functions whose names begin with `name`, in single precision, without allocation.
//
//   int  NAME_act(const float *observation);                  discrete actions; [O]
//   void NAME_act(const float *observation, float *action);   continuous ones; [O], [A]
//   int  NAME_act(int state);                                 of a table, or with float *action
//
// They do what `gallop eval` does: normalise, run the network, take the most probable action (the
// first of equals) or the mean, and limit it to the environment's bounds where it has some. The
// arithmetic is the engine's, step by step: with fused multiply-adds (fmaf of math.h, which a
// program may replace by GALLOP_POLICY_FMA) and without other contraction by the compiler the
// action has the engine's bits. Throws a value error for numbers that are not finite, and for a
// name that C does not take.
std::string to_c_header(const PortablePolicy& policy, const std::string& name);

// A name for C out of a path: "runs/p1-best.h" gives "p1_best".
std::string c_name_of(const std::string& path);

}  // namespace gallop

#pragma once

#include <string>

#include <gallop/host/export/portable_policy.h>

namespace gallop {

// The policy as an ONNX model (opset 17, IR version 8): what `gallop eval` does with an
// observation, in float32, for any number of them at once.
//
//   input   observation  float32 [batch, O], as the environment gives it; int64 [batch] for a table
//   output  action       int64 [batch] the most probable one, the first of equals; or float32
//                        [batch, A] the mean, limited to the environment's bounds where it has some
//
// Normalisation and bounds are part of the graph. The metadata has one entry for each member of
// metadata_of, numbers and lists as JSON. Sums are taken in the order that the caller's runtime
// takes, so that last bits differ from the engine's. Throws a value error for numbers that are not
// finite and for a model of 2 GiB or more, which the format cannot hold.
//
// Source: onnx.proto3 and the operators' definitions of ONNX 1.12, https://github.com/onnx/onnx.
std::string to_onnx(const PortablePolicy& policy);

}  // namespace gallop

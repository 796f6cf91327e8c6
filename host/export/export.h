#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <gallop/host/export/portable_policy.h>

namespace gallop {

enum class ExportFormat {
  kOnnx,     // .onnx, onnx.h
  kHeader,   // .h, c_header.h
  kArrays,   // .npz, npz.h
  kTensors,  // .safetensors, policy_file.h
};

// By its name (onnx, c, npz, safetensors), or where that is empty by the ending of the path. Throws
// a value error that names all of them for what is none, and for .pt, which only PyTorch writes,
// says how.
ExportFormat export_format(const std::string& path, std::string_view name = "");

// Puts the file in place whole, over one that is there; folders above it have to be there. Throws a
// value error for a policy that the format cannot hold, an I/O error where it cannot be written.
void export_policy(const PortablePolicy& policy, const std::string& path, ExportFormat format);

}  // namespace gallop

#include <gallop/host/export/export.h>

#include <span>

#include <gallop/host/error.h>
#include <gallop/host/export/c_header.h>
#include <gallop/host/export/npz.h>
#include <gallop/host/export/onnx.h>
#include <gallop/host/export/policy_file.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/safetensors.h>
#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

struct Format {
  ExportFormat format;
  std::string_view name, ending;
};

constexpr Format kFormats[] = {{ExportFormat::kOnnx, "onnx", ".onnx"},
                               {ExportFormat::kHeader, "c", ".h"},
                               {ExportFormat::kArrays, "npz", ".npz"},
                               {ExportFormat::kTensors, "safetensors", ".safetensors"}};

void refuse_torch(std::string_view what) {
  throw value_error(
      in_quotes(what) +
      ": TorchScript is written by PyTorch, which is no part of this program; from Python: "
      "gallop.load_policy(\"RUN\").to_torchscript(\"policy.pt\")");
}

}  // namespace

ExportFormat export_format(const std::string& path, std::string_view name) {
  if (name == "pt" || name == "torchscript") refuse_torch(name);
  for (const Format& f : kFormats) {
    if (name.empty() ? path.ends_with(f.ending) : name == f.name) return f.format;
  }
  if (!name.empty()) {
    throw value_error("format " + in_quotes(name) + "; expected onnx, c, npz or safetensors");
  }
  if (path.ends_with(".pt") || path.ends_with(".pth")) refuse_torch(path);
  throw value_error("the name of " + in_quotes(path) +
                    " says no format; expected one that ends in .onnx, .h, .npz or .safetensors");
}

void export_policy(const PortablePolicy& policy, const std::string& path, ExportFormat format) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  switch (format) {
    case ExportFormat::kOnnx:
      return write_file_atomically(*files, path, to_onnx(policy));
    case ExportFormat::kHeader:
      return write_file_atomically(*files, path, to_c_header(policy, c_name_of(path)));
    case ExportFormat::kArrays:
      return write_file_atomically(*files, path, to_npz(policy));
    case ExportFormat::kTensors:
      return write_file_atomically(*files, path, write_safetensors(to_policy_file(policy)));
  }
  throw internal_error("an export format that is none");
}

}  // namespace gallop

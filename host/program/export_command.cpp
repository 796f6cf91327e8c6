// gallop export: the policy of a run as a file that other programs act by.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include <gallop/host/export/export.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/runs.h>
#include <gallop/host/program/terminal.h>

namespace gallop {
namespace {

constexpr const char* kFormatHelp = R"(
Formats, by the file's ending or by --format:
  .onnx         a graph of opset 17 for any number of observations at once
  .h            one C99 header that needs fmaf() alone, with the engine's bits
  .npz          the numbers as NumPy's arrays
  .safetensors  the policy alone, which 'gallop.load_policy' of Python and
                'gallop_policy_load' of C read
Each takes observations as the environment gives them and has the action that
'gallop eval' takes; normalisation and bounds of actions are part of it. A
TorchScript file is written from Python:
  gallop.load_policy("RUN").to_torchscript("policy.pt")
)";

Command export_command() {
  return {
      .name = "export",
      .summary = "writes the policy of a run as a file for other programs",
      .words = {{text_row("run", "", "the folder of a run, or a .safetensors checkpoint"), "RUN",
                 true}},
      .flags = {{text_row("to", "", "the file, which is replaced where it is there"), "FILE", true},
                {choice_row("format", "auto", "auto,onnx,c,npz,safetensors",
                            "of the file (auto: by its ending)"),
                 "NAME"},
                plugin_flag(),
                {boolean_row("json", false, "print one JSON object")}},
      .more_help = [](const CommandLine&) { return std::string(kFormatHelp); }};
}

}  // namespace

int run_export(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(export_command(), arguments);
  if (!line) return 0;
  leave_at_signals("gallop: stopped; no file was written\n");
  const std::string& path = line->text("to");
  const std::string name = line->text("format");
  const ExportFormat format = export_format(path, name == "auto" ? "" : name);
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  const TrainedPolicy trained = policy_of_word(*backend, "export", line->text("run"));
  const PortablePolicy policy = portable_policy(*backend, trained);
  export_policy(policy, path, format);
  const std::uintmax_t bytes = std::filesystem::file_size(path);
  if (line->flag("json")) {
    JsonValue object;
    for (auto& [key, value] : metadata_of(policy)) object[key] = value;
    object["checkpoint"] = trained.checkpoint;
    object["file"] = path;
    object["bytes"] = bytes;
    std::printf("%s\n", object.text().c_str());
  } else {
    print(fmt::format("{}, {} parameters after {} steps, from {}: {} ({} bytes)\n",
                      policy.about.environment, policy.parameters.size(), policy.about.steps,
                      trained.checkpoint, path, bytes));
  }
  return 0;
}

}  // namespace gallop

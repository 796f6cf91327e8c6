#include <gallop/host/training/session.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <span>

#include <gallop/host/files/json_value.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/registry/generated.h>
#include <gallop/host/runtime/processor.h>

namespace gallop {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  ::gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

// "AMD EPYC 9654", empty where the system does not tell.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

}  // namespace

Provenance provenance_of(const Backend& backend, int threads,
                         const std::vector<std::string>& command) {
  Provenance p;
  p.date = utc_now();
  p.version = kBuildInfo.version;
  p.commit = kBuildInfo.commit;
  p.compiler = kBuildInfo.compiler;
  p.build_type = kBuildInfo.build_type;
  p.device = backend.name();
  p.threads = threads;
  p.processor = utf8_text(processor_name());
  p.instructions = isa_name(processor_isa());
  utsname system = {};
  if (::uname(&system) == 0) {
    p.system = utf8_text(fmt::format("{} {} {}", system.sysname, system.release, system.machine));
    p.host = utf8_text(system.nodename);
  }
  std::error_code unknown;
  p.folder = utf8_text(std::filesystem::current_path(unknown).string());
  for (const std::string& word : command) p.command.push_back(utf8_text(word));
  return p;
}

std::string command_text(const Provenance& provenance) {
  std::string text;
  for (const std::string& word : provenance.command) {
    // A flag is quoted but for the hyphens at its begin, which are plain.
    const std::size_t hyphens = std::min(word.find_first_not_of('-'), word.size());
    const std::string rest = word.substr(hyphens);
    text += (text.empty() ? "" : " ") + word.substr(0, hyphens) +
            (rest.empty() && hyphens > 0 ? "" : shell_quoted(rest));
  }
  return printable(text);
}

std::string provenance_comment(const Provenance& p) {
  return fmt::format("# gallop {} (commit {}, {}, {})\n# {} on {}\n# {}\n", p.version, p.commit,
                     p.compiler, p.build_type, p.date, printable(p.device), command_text(p));
}

void record_session(const RunFolder& folder, const Provenance& p) {
  JsonValue json;
  json["date"] = p.date;
  json["version"] = p.version;
  json["commit"] = p.commit;
  json["compiler"] = p.compiler;
  json["build_type"] = p.build_type;
  json["device"] = p.device;
  json["threads"] = p.threads;
  json["processor"] = p.processor;
  json["instructions"] = p.instructions;
  json["system"] = p.system;
  json["host"] = p.host;
  json["folder"] = p.folder;
  for (const std::string& word : p.command) json["command"].push_back(word);
  const std::string line = json.text() + "\n";
  const File file =
      File::regular(*folder.files(), folder.file("sessions.jsonl"), O_WRONLY | O_CREAT | O_APPEND);
  file.write(std::as_bytes(std::span(line)));
  file.sync();
}

}  // namespace gallop

#include <gallop/host/training/session.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>

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

void record_session(const RunFolder& folder, const Backend& backend, int threads,
                    const std::vector<std::string>& command) {
  JsonValue json;
  json["date"] = utc_now();
  json["version"] = kBuildInfo.version;
  json["compiler"] = kBuildInfo.compiler;
  json["build_type"] = kBuildInfo.build_type;
  json["device"] = backend.name();
  json["threads"] = threads;
  json["processor"] = utf8_text(processor_name());
  json["instructions"] = isa_name(processor_isa());
  utsname system = {};
  if (::uname(&system) == 0) {
    json["system"] =
        utf8_text(fmt::format("{} {} {}", system.sysname, system.release, system.machine));
    json["host"] = utf8_text(system.nodename);
  }
  std::error_code unknown;
  json["folder"] = utf8_text(std::filesystem::current_path(unknown).string());
  for (const std::string& word : command) json["command"].push_back(utf8_text(word));
  const std::string line = json.text() + "\n";
  const File file =
      File::regular(*folder.files(), folder.file("sessions.jsonl"), O_WRONLY | O_CREAT | O_APPEND);
  file.write(std::as_bytes(std::span(line)));
  file.sync();
}

}  // namespace gallop

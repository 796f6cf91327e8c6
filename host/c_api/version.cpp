#include <fmt/format.h>

#include <gallop/host/c_api/handles.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/registry/generated.h>
#include <gallop/host/runtime/processor.h>

namespace gallop::c_api {
namespace {

std::string build_info() {
  JsonValue info;
  info["version"] = kBuildInfo.version;
  info["abi"] = fmt::format("{}.{}", GALLOP_ABI_MAJOR, GALLOP_ABI_MINOR);
  info["compiler"] = kBuildInfo.compiler;
  info["build"] = kBuildInfo.build_type;
  info["cuda"] = kBuildInfo.has_cuda;
  info["isa"] = JsonValue();
  try {
    info["isa"] = isa_name(processor_isa());
  } catch (const Error&) {  // stays null
  }
  return info.text();
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

uint32_t gallop_abi_version(void) { return GALLOP_ABI_VERSION; }

int gallop_check_abi(uint32_t header) {
  return guard([&] {
    const std::uint32_t major = header >> 16, minor = header & 0xffffu;
    if (major == GALLOP_ABI_MAJOR && minor <= GALLOP_ABI_MINOR) return;
    throw value_error(
        fmt::format("the program was compiled with the header of interface {}.{}, and "
                    "libgallop.so has {}.{}; compile it anew, or install {}",
                    major, minor, GALLOP_ABI_MAJOR, GALLOP_ABI_MINOR,
                    header < GALLOP_ABI_VERSION ? "the earlier library" : "the later library"));
  });
}

const char* gallop_version(void) { return kBuildInfo.version; }

const char* gallop_build_info(void) {
  try {
    static const std::string text = build_info();
    return text.c_str();
  } catch (...) {
    return "{}";
  }
}

}  // extern "C"

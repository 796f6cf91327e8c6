#include <gallop/host/registry/plugin.h>

#include <dlfcn.h>

#include <cstring>
#include <filesystem>

#include <gallop/host/error.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/registry/registry.h>

namespace gallop {
namespace {

constexpr const char* kSymbol = "gallop_environment_plugin";

std::string last_failure() {
  const char* text = ::dlerror();
  return text == nullptr ? "no reason is given" : text;
}

void require_same_gallop(const EnvironmentPlugin& plugin, const std::string& path) {
  const bool same_format = plugin.format == kPluginFormat;
  if (same_format && plugin.layout == plugin_layout() &&
      std::strcmp(plugin.version, kBuildInfo.version) == 0) {
    return;
  }
  throw usage_error("plugin " + in_quotes(path) + " was built with the headers of " +
                    (same_format ? std::string("Gallop ") + plugin.version : "another Gallop") +
                    ", and this is " + kBuildInfo.version +
                    (same_format && std::strcmp(plugin.version, kBuildInfo.version) == 0
                         ? " of another build"
                         : "") +
                    "; build it anew against this one");
}

}  // namespace

void load_plugin(const std::string& path) {
  // Without a slash the name would be looked for among the system's libraries.
  const std::string place = path.find('/') == std::string::npos ? "./" + path : path;
  std::error_code ignored;
  if (std::filesystem::is_fifo(place, ignored)) {
    throw usage_error("plugin " + in_quotes(path) +
                      " cannot be loaded: it is a pipe; expected a shared library");
  }
  void* const library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw usage_error("plugin " + in_quotes(path) + " cannot be loaded: " + last_failure());
  }
  const void* const symbol = ::dlsym(library, kSymbol);
  if (symbol == nullptr) {
    throw usage_error(in_quotes(path) + " is no plugin: it exports no " + kSymbol +
                      "; gallop_add_plugin() of the installed CMake package makes one");
  }
  const auto& plugin = *static_cast<const EnvironmentPlugin*>(symbol);
  require_same_gallop(plugin, path);
  for (int i = 0; i < plugin.n_entries; i++) {
    try {
      add_environment(plugin.entries[i]);
    } catch (const Error& error) {
      throw Error(error.code(), "plugin " + in_quotes(path) + ": " + error.what());
    }
  }
}

}  // namespace gallop

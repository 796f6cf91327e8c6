// Options of runs.
#include <gallop/host/c_api/options.h>

#include <cmath>

#include <gallop/host/c_api/handles.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/options/split.h>
#include <gallop/host/training/run_folder.h>

namespace gallop::c_api {
namespace {

// Runs body(handle) of options.
template <class Body>
int with_options(gallop_options* options, const Body& body) {
  return guard([&] {
    require_pointer(options, "options");
    body(*options);
  });
}

template <class Make>
int make_options(gallop_options** options, const Make& make) {
  return guard([&] {
    require_pointer(options, "options, where the handle goes,");
    *options = new gallop_options{make(), {}, {}};
  });
}

const char* name_of(OptionType type) {
  constexpr const char* kNames[] = {"integer", "real",     "boolean",    "text",
                                    "choice",  "integers", "assignments"};
  return kNames[int(type)];
}

JsonValue value_of(const Options& options, const OptionSpec& row) {
  switch (row.type) {
    case OptionType::integer:
      return options.integer(row.name);
    case OptionType::real:
      return options.real(row.name);
    case OptionType::boolean:
      return options.flag(row.name);
    case OptionType::integers:
      return options.integers(row.name);
    default:
      return options.text(row.name);
  }
}

JsonValue json_of(const Options& options) {
  const Options defaults(options.rows());
  JsonValue all = JsonValue::array();
  for (const OptionSpec& row : options.rows()) {
    JsonValue one;
    one["name"] = row.name;
    one["type"] = name_of(row.type);
    one["value"] = value_of(options, row);
    one["default"] = value_of(defaults, row);
    one["origin"] = options.origin(row.name);
    if (std::isfinite(row.min)) one["low"] = row.min;
    if (std::isfinite(row.max)) one["high"] = row.max;
    if (row.choices != nullptr) {
      JsonValue choices = JsonValue::array();
      for (const std::string& choice : split_list(row.choices)) choices.push_back(choice);
      one["choices"] = choices;
    }
    if (row.unit[0] != '\0') one["unit"] = row.unit;
    one["help"] = row.help;
    all.push_back(one);
  }
  return all;
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_options_create(const char* environment, const char* algorithm,
                          gallop_options** options) {
  return make_options(options, [&] {
    return RunOptions(text_of(environment, "the environment's name"),
                      algorithm == nullptr ? kDefaultAlgorithm : algorithm);
  });
}

int gallop_options_from_run(const char* folder, gallop_options** options) {
  return make_options(options, [&] {
    return RunOptions::from_folder(RunFolder::open_to_read(text_of(folder, "the folder")));
  });
}

void gallop_options_destroy(gallop_options* options) { delete options; }

int gallop_options_set(gallop_options* options, const char* name, const char* value) {
  return with_options(options, [&](gallop_options& o) {
    o.options.set(text_of(name, "the option's name"), text_of(value, "the option's value"),
                  kCaller);
  });
}

int gallop_options_apply(gallop_options* options, const char* toml) {
  return with_options(options, [&](gallop_options& o) {
    o.options.apply_config(text_of(toml, "the TOML text"), kCaller);
  });
}

int gallop_options_get_toml(gallop_options* options, const char** toml) {
  return with_options(options, [&](gallop_options& o) {
    require_pointer(toml, "toml, where the address goes,");
    o.toml = o.options.to_toml();
    *toml = o.toml.c_str();
  });
}

int gallop_options_get_json(gallop_options* options, const char** json) {
  return with_options(options, [&](gallop_options& o) {
    require_pointer(json, "json, where the address goes,");
    o.json = json_of(o.options.values()).text();
    *json = o.json.c_str();
  });
}

}  // extern "C"

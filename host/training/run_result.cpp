// The final object of a run, for programs.
#include <fmt/format.h>

#include <gallop/host/files/json_value.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/training/train.h>

namespace gallop {

namespace {

// Whether it is the result of a run that has more steps now.
bool is_of_fewer_steps(const JsonValue& result, const RunOptions& options) {
  const JsonValue *total = result.find("total_steps"), *steps = result.find("steps"),
                  *reached = result.find("reached_stop_return");
  const double now = double(options.values().integer("steps"));
  if (total != nullptr && total->number()) return *total->number() < now;
  // Of an earlier version.
  const bool ended_early = reached != nullptr && reached->text() == "true";
  return !ended_early && steps != nullptr && steps->number() && *steps->number() < now;
}

}  // namespace

std::string extend_run(RunFolder& folder, const RunOptions& stored, const RunOptions& asked,
                       const Provenance& provenance) {
  RunOptions extended = stored;
  const std::string before = stored.values().value_text("steps");
  const std::string after = asked.values().value_text("steps");
  extended.values().set("steps", after, "--steps");
  folder.extend(provenance_comment(provenance) + extended.to_toml());
  const bool anneals = stored.values().has("anneal") && stored.values().flag("anneal");
  return fmt::format("the run is extended from {} to {} steps{}", before, after,
                     anneals
                         ? fmt::format("; what falls linearly over the run (option anneal) goes "
                                       "on as if it had been of {} steps from its begin",
                                       after)
                         : "");
}

std::string result_json(const RunOptions& options, const Provenance& provenance,
                        const std::string& folder, const TrainResult& result,
                        double startup_seconds, double wall_seconds) {
  JsonValue json;
  json["environment"] = spec_of(options.environment()).name;
  json["algorithm"] = options.algorithm().name;
  json["seed"] = options.seed();
  json["device"] = provenance.device;
  json["threads"] = provenance.threads;
  json["mode"] = options.values().text("mode");
  json["finished"] = result.finished;
  json["steps"] = result.steps;
  json["total_steps"] = options.values().integer("steps");
  if (!result.extended.empty()) json["extended"] = result.extended;
  json["iterations"] = result.iterations;
  json["reached_stop_return"] = result.reached_stop_return;
  json["startup_seconds"] = startup_seconds;
  json["train_seconds"] = result.train_seconds;
  json["wall_seconds"] = wall_seconds;
  if (result.finished) {
    json["eval_episodes"] = result.evaluation.returns.size();
    json["eval_return_mean"] = result.evaluation.mean;
    json["eval_return_std"] = result.evaluation.std;
  }
  if (result.best) {
    json["best_eval_return"] = result.best->mean;
    json["best_step"] = result.best->step;
  }
  if (options.resets_nonfinite()) {
    json["nonfinite_instances"] = result.nonfinite_instances;
    json["eval_nonfinite_episodes"] = result.evaluation.nonfinite;
  }
  json["bits"] = result.bits;
  json["run"] = utf8_text(folder);
  json["date"] = provenance.date;
  json["version"] = provenance.version;
  json["commit"] = provenance.commit;
  json["compiler"] = provenance.compiler;
  json["command"] = command_text(provenance);
  return json.text();
}

std::optional<std::string> finished_result(const RunFolder& folder, const RunOptions& options,
                                           const std::function<void(const std::string&)>& warn) {
  std::optional<std::string> text = folder.result();
  if (!text) return std::nullopt;
  std::optional<JsonValue> json = JsonValue::read(*text);
  const JsonValue* mean = json ? json->find("eval_return_mean") : nullptr;
  const JsonValue* bits = json ? json->find("bits") : nullptr;
  if (mean == nullptr || !mean->number() || bits == nullptr || bits->string() == nullptr) {
    if (warn) {
      warn(fmt::format("'{}' is not the result of a run; the run is finished once more",
                       folder.file("result.json")));
    }
    return std::nullopt;
  }
  if (is_of_fewer_steps(*json, options)) return std::nullopt;
  (*json)["run"] = utf8_text(folder.path());  // it may have been moved
  // In ASCII: whatever stands in the file, a terminal may show it.
  return json->text(-1, true);
}

}  // namespace gallop

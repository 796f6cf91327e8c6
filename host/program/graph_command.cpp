// gallop graph: estimates the gradient of an example of a stochastic computation graph, or draws
// it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/graphs/dot.h>
#include <gallop/host/graphs/examples/example.h>
#include <gallop/host/graphs/graph_estimator.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/program/command_line.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/terminal.h>
#include <gallop/host/program/text_layout.h>

namespace gallop {
namespace {

std::vector<TextRow> example_rows() {
  std::vector<TextRow> rows;
  for (const GraphExample& example : graph_examples()) {
    rows.push_back({example.name, example.summary});
  }
  return rows;
}
std::string examples_text() { return "Examples:\n" + two_columns(example_rows(), 26); }

Command graph_command() {
  return {
      .name = "graph",
      .summary =
          "gradient of a stochastic computation graph by its surrogate loss, beside the "
          "exact one",
      .words = {{text_row("name", "", "the example; without one they are listed"), "NAME"}},
      .flags = {{integer_row("samples", 1000000, {.min = 2, .max = 4294967296.0},
                             "of the graph (1000000)"),
                 "N"},
                {seed_row("of the random numbers (1)"), "N"},
                {device_row(), "DEVICE"},
                {threads_row(), "N"},
                {boolean_row("dot", false, "the graph's picture as Graphviz text, nothing else")},
                {boolean_row("surrogate_dot", false,
                             "the surrogate loss's picture as such a text")},
                {boolean_row("json", false, "one JSON object")}},
      .more_help = [](const CommandLine&) { return "\n" + examples_text(); }};
}

// A row of the result: what is estimated, and the exact answer.
struct Row {
  std::string name;
  GraphMean estimate;
  double exact;

  // Standard errors from the exact answer; of an estimate without variance, 0 where they agree to
  // the precision of float.
  double distance() const {
    const double difference = estimate.mean - exact;
    if (estimate.standard_error > 0) return difference / estimate.standard_error;
    return std::abs(difference) <= 1e-5 * std::max(1.0, std::abs(exact)) ? 0.0 : INFINITY;
  }
};

std::vector<Row> rows_of(const CompiledGraph& graph, const GraphExample& example,
                         const GraphEstimate& estimate) {
  std::vector<Row> rows = {{"objective", estimate.objective, example.objective}};
  for (const GraphVariable& parameter : graph.parameters) {
    for (int k = 0; k < parameter.shape.size(); k++) {
      std::string name = "d/d " + parameter.name;
      if (parameter.shape.columns > 1) {
        name += fmt::format("[{}][{}]", k / parameter.shape.columns, k % parameter.shape.columns);
      } else if (parameter.shape.rows > 1) {
        name += fmt::format("[{}]", k);
      }
      const std::size_t at = std::size_t(parameter.first + k);
      rows.push_back({name, estimate.gradient[at], example.gradient[at]});
    }
  }
  return rows;
}

std::string scores_text(const CompiledGraph& graph) {
  std::string text;
  for (const SurrogateTerm& term : graph.scores) {
    const std::size_t n = term.costs.size();
    std::string costs = n <= 3
                            ? fmt::format("{}", fmt::join(term.costs, " + "))
                            : fmt::format("{} + ... + {}", term.costs.front(), term.costs.back());
    if (!term.baseline.empty()) costs += " - " + term.baseline;
    text += fmt::format("  log p({}) held({})\n", term.node, costs);
  }
  return text;
}

std::string table_text(const CompiledGraph& graph, const GraphExample& example,
                       const std::vector<Row>& rows, long samples) {
  std::string text =
      fmt::format("{}: {}\n  {}\n", example.name, example.summary, example.estimator);
  text += graph.scores.empty() ? "Surrogate loss: the costs\n"
                               : "Surrogate loss: the costs, and for each sample that is scored\n" +
                                     scores_text(graph);
  text += fmt::format("\n{:<22}{:>14}{:>12}{:>14}{:>8}\n", fmt::format("{} samples", samples),
                      "mean", "std. error", "exact", "z");
  for (const Row& row : rows) {
    text += fmt::format("{:<22}{:>14.6f}{:>12.2g}{:>14.6f}{:>8.2f}\n", row.name, row.estimate.mean,
                        row.estimate.standard_error, row.exact, row.distance());
  }
  return text + fmt::format("exact: {}\n", example.source);
}

std::string json_text(const GraphExample& example, const std::vector<Row>& rows, long samples,
                      std::int64_t seed) {
  JsonValue all = JsonValue::object();
  all["example"] = example.name;
  all["samples"] = std::int64_t(samples);
  all["seed"] = seed;
  JsonValue results = JsonValue::array();
  for (const Row& row : rows) {
    JsonValue one = JsonValue::object();
    one["name"] = row.name;
    one["mean"] = row.estimate.mean;
    one["standard_error"] = row.estimate.standard_error;
    one["exact"] = row.exact;
    results.push_back(std::move(one));
  }
  all["results"] = std::move(results);
  return all.text() + "\n";
}

}  // namespace

int run_graph(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(graph_command(), arguments);
  if (!line) return 0;
  if (!line->given("name")) {
    print(examples_text());
    return 0;
  }
  const GraphExample example = find_graph_example(line->text("name"));
  Graph graph;
  example.build(graph);
  if (line->flag("dot") || line->flag("surrogate_dot")) {
    if (line->flag("dot")) print(graph_dot(graph));
    if (line->flag("surrogate_dot")) print(surrogate_dot(graph));
    return 0;
  }
  const auto backend = make_backend(line->text("device"), int(line->integer("threads")), say);
  leave_at_signals("gallop: stopped; an estimate is whole or not there\n");
  GraphEstimator estimator(*backend, graph);
  const long samples = line->integer("samples");
  const GraphEstimate estimate =
      estimator.estimate({.samples = samples, .seed = std::uint64_t(line->integer("seed"))});
  const std::vector<Row> rows = rows_of(estimator.compiled(), example, estimate);
  const std::string text = line->flag("json")
                               ? json_text(example, rows, samples, line->integer("seed"))
                               : table_text(estimator.compiled(), example, rows, samples);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace gallop

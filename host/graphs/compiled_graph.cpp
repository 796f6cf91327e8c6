#include <gallop/host/graphs/compiled_graph.h>

#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/graphs/lowering.h>
#include <gallop/host/options/nearest.h>

namespace gallop {
namespace {

template <class Row, class Name>
const Row& find(const std::vector<Row>& rows, const char* what, const std::string& name,
                const Name& name_of) {
  std::vector<std::string> names;
  for (const Row& row : rows) {
    if (name_of(row) == name) return row;
    names.push_back(name_of(row));
  }
  throw usage_error(
      fmt::format("graph: no {} was declared as '{}'{}", what, name, did_you_mean(name, names)));
}

}  // namespace

const GraphVariable& CompiledGraph::parameter(const std::string& name) const {
  return find(parameters, "parameter", name, [](const GraphVariable& v) { return v.name; });
}
const GraphVariable& CompiledGraph::input(const std::string& name) const {
  return find(inputs, "input", name, [](const GraphVariable& v) { return v.name; });
}
const CompiledGraph::Value& CompiledGraph::node(const std::string& name) const {
  return find(nodes, "node", name, [](const Value& v) { return v.is_named ? v.label : ""; });
}

CompiledGraph compile(const Graph& graph) {
  const GraphStructure structure = structure_of(graph);
  Lowering lowering(graph, structure);
  CompiledGraph compiled;
  for (const GraphEntry& entry : graph.entries()) {
    const bool is_parameter = entry.kind == GraphKind::kParameter;
    if (!is_parameter && entry.kind != GraphKind::kInput) continue;
    auto& to = is_parameter ? compiled.parameters : compiled.inputs;
    int& n = is_parameter ? compiled.n_parameters : compiled.input_rows;
    to.push_back({entry.name, entry.shape, n, entry.values});
    n += entry.shape.size();
  }
  for (const GraphScore& score : structure.scores) {
    SurrogateTerm term = {graph.label(score.node), {}, ""};
    for (const int cost : score.costs) term.costs.push_back(graph.label(cost));
    const int baseline = graph.entries()[std::size_t(score.node)].baseline;
    if (baseline >= 0) term.baseline = graph.label(baseline);
    compiled.scores.push_back(std::move(term));
  }
  std::vector<int> outputs = {lowering.objective()};
  for (const int by : lowering.builder().gradient(lowering.surrogate(), lowering.parameters())) {
    outputs.push_back(by);
  }
  compiled.gradient = lowering.builder().program(outputs);
  outputs.clear();
  for (const int node : structure.order) {
    const GraphEntry& entry = graph.entries()[std::size_t(node)];
    compiled.nodes.push_back(
        {graph.label(node), entry.shape, int(outputs.size()), !entry.name.empty()});
    for (const int cell : lowering.cells(node)) outputs.push_back(cell);
  }
  compiled.values = lowering.builder().program(outputs);
  return compiled;
}

}  // namespace gallop

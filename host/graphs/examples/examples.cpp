#include <fmt/format.h>

#include <gallop/host/error.h>
#include <gallop/host/graphs/examples/example.h>
#include <gallop/host/options/nearest.h>

namespace gallop {

std::vector<GraphExample> graph_examples() {
  return {row_1_example(),
          row_2_example(),
          row_3_example(),
          row_4_example(),
          row_5_example(),
          reinforce_example(),
          reinforce_mdp_example(),
          gpomdp_example(),
          gpomdp_mdp_example(),
          bptt_example(),
          svg_example(),
          elbo_score_example(),
          elbo_reparameterised_example(),
          mixed_example()};
}

GraphExample find_graph_example(std::string_view name) {
  std::vector<std::string> names;
  for (const GraphExample& example : graph_examples()) {
    if (folded_name(name) == example.name) return example;
    names.emplace_back(example.name);
  }
  const std::string advice = did_you_mean(name, names);
  throw usage_error(fmt::format(
      "no example of a graph is named '{}'{}", name,
      advice.empty() ? fmt::format("; expected one of {}", fmt::join(names, ", ")) : advice));
}

}  // namespace gallop

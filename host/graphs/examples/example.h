// Graphs of the lecture and of reinforcement learning, with their exact answers. Costs are what is
// minimised: where a problem has rewards, their negative.
#pragma once

#include <string_view>
#include <vector>

#include <gallop/host/graphs/graph.h>

namespace gallop {

struct GraphExample {
  const char* name;
  const char* summary;
  const char* estimator;  // the gradient's estimator as the lecture writes it
  void (*build)(Graph&);
  double objective;              // exact
  std::vector<double> gradient;  // exact, all parameters in the order of their declaration
  const char* source;            // of the exact answers
};

std::vector<GraphExample> graph_examples();
// An unknown name throws a usage error with the nearest ones.
GraphExample find_graph_example(std::string_view name);

// Each in the file of its name, or of what it is about.
GraphExample row_1_example();
GraphExample row_2_example();
GraphExample row_3_example();
GraphExample row_4_example();
GraphExample row_5_example();
GraphExample reinforce_example();
GraphExample reinforce_mdp_example();
GraphExample gpomdp_example();
GraphExample gpomdp_mdp_example();
GraphExample bptt_example();
GraphExample svg_example();
GraphExample elbo_score_example();
GraphExample elbo_reparameterised_example();
GraphExample mixed_example();

}  // namespace gallop

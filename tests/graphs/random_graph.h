// Random graphs: a few parameters, deterministic and stochastic nodes of all kinds, costs,
// baselines of nodes that were declared before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gallop/host/graphs/graph.h>
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {

class RandomGraph {
 public:
  explicit RandomGraph(std::uint64_t number) : number_(number) {}

  // Declares it, and gives the numbers of values of its discrete nodes.
  std::vector<int> build(Graph& g) { return build(g, nullptr); }
  // The same with discrete nodes that have these values, whose probability the cost is multiplied
  // with: the expectation is the sum over all values.
  void build_given(Graph& g, const std::vector<int>& values) { build(g, &values); }

 private:
  static constexpr int kMostDiscrete = 2;

  std::vector<int> build(Graph& g, const std::vector<int>* given) {
    graph_ = &g;
    given_ = given;
    random_ = Random(1000 + number_);
    pool_.clear(), jumpable_.clear(), log_p_.clear(), sizes_.clear();
    const int n_parameters = 1 + random_.below(3);
    for (int k = 0; k < n_parameters; k++) {
      pool_.push_back(g.parameter("p" + std::to_string(k), random_.uniform(-1, 1)));
    }
    pool_.push_back(g.constant({random_.uniform(-1, 1)}));
    noise_ = g.normal("e", 0.0, -0.5);
    const int n_nodes = 4 + random_.below(8);
    for (int k = 0; k < n_nodes; k++) {
      pool_.push_back(random_.chance(0.35) ? stochastic(k) : deterministic());
    }
    const int n_costs = 1 + random_.below(3);
    GraphNode total = 0.0;
    for (int k = 0; k < n_costs; k++) {
      const GraphNode cost = k == 0 ? pool_.back() + any() : tanh(any()) * any();
      total = k == 0 ? cost : total + cost;
      if (given == nullptr) g.cost("c" + std::to_string(k), cost);
    }
    if (given != nullptr) {
      for (const GraphNode& log_p : log_p_) total = total * exp(log_p);
      g.cost("c", total);
    }
    return sizes_;
  }

  GraphNode any() { return pool_[std::size_t(random_.below(int(pool_.size())))]; }

  GraphNode deterministic() {
    const GraphNode a = any(), b = any();
    switch (random_.below(17)) {
      case 0:
        return tanh(a) + b;
      case 1:
        return a - b;
      case 2:
        return a * tanh(b);
      case 3:
        return a / (1.0 + square(b));
      case 4:
        return exp(tanh(a));
      case 5:
        return log(1.5 + square(tanh(a)));
      case 6:
        return sin(a) * cos(b);
      case 7:
        return sqrt(1.0 + square(a));
      case 8:
        return sigmoid(a);
      case 9:
        return softplus(a);
      case 10:
        return min(a, b + noise_);
      case 11:
        return max(a, noise_ - b);
      case 12:
        return abs(a - noise_);
      case 13:
        return element(softmax(stack({a, b, 0.5})), 1);
      case 14:
        return dot(stack({a, 1.0}), stack({b, a}));
      case 15:
        return element(matmul(transpose(stack({tanh(a), b})), stack({b, tanh(b)})), 0);
      default:
        break;
    }
    if (jumpable_.empty()) return tanh(a - b);
    const GraphNode w = jumpable_[std::size_t(random_.below(int(jumpable_.size())))];
    return select(less(w, 0.2), a, tanh(b)) + 0.5 * step(w);
  }

  GraphNode stochastic(int k) {
    Graph& g = *graph_;
    const std::string name = "w" + std::to_string(k);
    const GraphNode a = any(), b = any();
    const int kind = random_.below(5);
    if (kind == 0) return g.uniform(name, tanh(a) - 1.0, tanh(b) + 1.5);
    if (kind == 1) {
      return g.normal(name, tanh(a), 0.3 * tanh(b) - 0.5, GraphPath::kReparameterised);
    }
    const bool baseline = random_.chance(0.5);
    const GraphNode before = any();
    GraphNode w = 0.0;
    if (kind == 2 || int(sizes_.size()) == kMostDiscrete) {
      w = g.normal(name, tanh(a), 0.3 * tanh(b) - 0.5);
    } else if (kind == 3) {
      w = discrete(
          2, [&] { return g.bernoulli(name, a); },
          [&](GraphNode x) { return log_bernoulli(x, a); });
    } else {
      const GraphNode logits = stack({a, tanh(b), 0.1});
      w = discrete(
          3, [&] { return g.categorical(name, logits); },
          [&](GraphNode x) { return log_categorical(x, logits); });
    }
    if (baseline && is_sample(w)) g.baseline(w, before);
    jumpable_.push_back(w);
    return w;
  }
  template <class Sample, class LogP>
  GraphNode discrete(int n, const Sample& sample, const LogP& log_p) {
    sizes_.push_back(n);
    if (given_ == nullptr) return sample();
    const GraphNode x = graph_->constant({double((*given_)[sizes_.size() - 1])});
    log_p_.push_back(log_p(x));
    return x;
  }
  bool is_sample(const GraphNode& w) const {
    return is_stochastic(graph_->entries()[std::size_t(w.id())].kind);
  }

  std::uint64_t number_;
  Graph* graph_ = nullptr;
  const std::vector<int>* given_ = nullptr;
  Random random_{0};
  GraphNode noise_ = 0.0;  // beside corners, which are none in the mean then
  std::vector<GraphNode> pool_, jumpable_, log_p_;
  std::vector<int> sizes_;
};

}  // namespace gallop::testing

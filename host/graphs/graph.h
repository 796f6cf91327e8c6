// Stochastic computation graphs (Schulman, Heess, Weber and Abbeel 2015, arXiv:1506.05254): a
// problem is declared as nodes, deterministic and stochastic ones, over parameters; its objective
// is the expected sum of its cost nodes, and GraphEstimator (host/graphs/graph_estimator.h)
// estimates that and its gradient by the surrogate loss.
//
//   Graph g;
//   const GraphNode theta = g.parameter("theta", 0.7);
//   const GraphNode x = g.normal("x", theta, 0.0);  // mean, log of the standard deviation
//   g.cost("f", square(x));
//
// Nodes are scalars, columns or small matrices; every scalar of them becomes an instruction or
// more, so that graphs are for up to some ten thousand scalars. Declarations throw a value error
// for shapes that do not fit, names given twice and nodes of another graph; a usage error for a
// name that is none. What only the whole graph shows (cycles, baselines that depend on their node,
// derivatives that do not exist) is refused where it is compiled.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gallop {

struct GraphShape {
  int rows = 1, columns = 1;

  int size() const { return rows * columns; }
  bool operator==(const GraphShape&) const = default;
};
std::string shape_text(const GraphShape&);  // "scalar", "3", "2x3"

enum class GraphKind {
  kConstant,
  kParameter,
  kInput,
  kLater,
  kCost,
  kNormal,
  kUniform,
  kBernoulli,
  kCategorical,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kNegate,
  kExp,
  kLog,
  kTanh,
  kSin,
  kCos,
  kSquare,
  kSqrt,
  kAbs,
  kSigmoid,
  kSoftplus,
  kMin,
  kMax,
  kLess,
  kEqual,
  kFloor,
  kSelect,
  kHeld,
  kSum,
  kMatmul,
  kTranspose,
  kSoftmax,
  kLogSoftmax,
  kElement,
  kRow,
  kPick,
  kOneHot,
  kStack,
  kLogNormal,
  kLogBernoulli,
  kLogCategorical,
};

bool is_stochastic(GraphKind kind);
const char* kind_name(GraphKind kind);
// Whether a node of this kind has a derivative by its operand of this number. Those of kHeld are 0
// by declaration.
bool has_derivative(GraphKind kind, int operand);

// How a derivative goes through a stochastic node: by the score of its distribution (likelihood
// ratio), or through a sample that is a function of parameters and of noise that is fixed
// (reparameterised).
enum class GraphPath { kScore, kReparameterised };

class Graph;

// A node of a graph, which has to outlive it; or a number, which becomes a constant of the graph
// that it meets.
class GraphNode {
 public:
  GraphNode(double number) : number_(number) {}  // NOLINT: numbers stand beside nodes

  GraphShape shape() const;
  Graph* graph() const { return graph_; }  // null of a number
  int id() const { return id_; }           // -1 of a number
  double number() const { return number_; }

 private:
  friend class Graph;
  GraphNode(Graph* graph, int id) : graph_(graph), id_(id) {}

  Graph* graph_ = nullptr;
  int id_ = -1;
  double number_ = 0;
};

// What is declared of a node.
struct GraphEntry {
  GraphKind kind;
  std::string name;  // empty where it was given none
  GraphShape shape;
  std::vector<int> operands;   // their numbers
  std::vector<double> values;  // [size] of constants, and of parameters to begin with
  int index = 0;               // of kElement and kRow; values of kOneHot
  GraphPath path = GraphPath::kScore;
  int baseline = -1;  // of stochastic nodes: its number, or -1
};

class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // What the gradient is taken by, with its value to begin with. Matrices are given by rows.
  GraphNode parameter(const std::string& name, double value);
  GraphNode parameter(const std::string& name, const std::vector<double>& column);
  GraphNode parameter(const std::string& name, GraphShape shape, const std::vector<double>& values);
  GraphNode constant(const std::vector<double>& column);
  GraphNode constant(GraphShape shape, const std::vector<double>& values);
  // Data, of its own for each sample.
  GraphNode input(const std::string& name, GraphShape shape = {});
  // A node that is declared before what it is: bind() says that, once.
  GraphNode later(const std::string& name, GraphShape shape = {});
  void bind(GraphNode later, GraphNode value);
  // Names a node, which has none, and gives it back.
  GraphNode define(const std::string& name, GraphNode node);

  // Stochastic nodes. Independent normals of the shape of mean and log_std, which may each be a
  // scalar; numbers uniform in [low, high), whose derivatives go through the sample; 1 with
  // probability sigmoid(logit), else 0, of the logit's shape; and one index k of a column of
  // logits, with probability softmax(logits)[k].
  GraphNode normal(const std::string& name, GraphNode mean, GraphNode log_std,
                   GraphPath path = GraphPath::kScore);
  GraphNode uniform(const std::string& name, GraphNode low, GraphNode high);
  GraphNode bernoulli(const std::string& name, GraphNode logit);
  GraphNode categorical(const std::string& name, GraphNode logits);

  // A scalar that the objective counts.
  GraphNode cost(const std::string& name, GraphNode scalar);
  // A scalar that is subtracted from the costs that a stochastic node's score is multiplied with.
  // It may depend on nothing that depends on the node; it is held constant.
  void baseline(GraphNode stochastic, GraphNode scalar);

  // The node of this name; a usage error with the nearest ones where there is none.
  GraphNode node(std::string_view name);

  const std::vector<GraphEntry>& entries() const { return entries_; }
  // A node's name, or what it is made of: "square(theta)".
  std::string label(int id) const;

  // A node of a kind of operation, after its shape was found; for the functions below.
  GraphNode add(GraphEntry entry);
  // The number of a node of this graph; a number becomes a constant.
  int id_of(const GraphNode& node);

 private:
  int find(std::string_view name) const;
  std::string label(int id, int depth) const;
  GraphNode declare(GraphEntry entry, const std::string& name);
  GraphNode add_values(GraphKind kind, const std::string& name, GraphShape shape,
                       const std::vector<double>& values);

  std::vector<GraphEntry> entries_;
};

// Operations. Of two shapes one may be a scalar, which meets every component. Where a function has
// a corner, the derivative is that of one side: 0 of abs at 0, of the second operand of min and max
// where both are equal.
GraphNode operator+(GraphNode a, GraphNode b);
GraphNode operator-(GraphNode a, GraphNode b);
GraphNode operator*(GraphNode a, GraphNode b);  // by components
GraphNode operator/(GraphNode a, GraphNode b);
GraphNode operator-(GraphNode a);
GraphNode exp(GraphNode a);
GraphNode log(GraphNode a);
GraphNode tanh(GraphNode a);
GraphNode sin(GraphNode a);
GraphNode cos(GraphNode a);
GraphNode square(GraphNode a);
GraphNode sqrt(GraphNode a);
GraphNode abs(GraphNode a);
GraphNode sigmoid(GraphNode a);   // 1 / (1 + exp(-a))
GraphNode softplus(GraphNode a);  // log(1 + exp(a))
GraphNode relu(GraphNode a);      // max(a, 0)
GraphNode min(GraphNode a, GraphNode b);
GraphNode max(GraphNode a, GraphNode b);
// These jump: they have no derivative. 1 where a < b, or a = b, else 0; 1 where a >= 0, else 0; the
// largest integer not above a, for |a| < 2^22.
GraphNode less(GraphNode a, GraphNode b);
GraphNode equal(GraphNode a, GraphNode b);
GraphNode step(GraphNode a);
GraphNode floor(GraphNode a);
// `a` where the condition is not 0, else `b`; no derivative by the condition.
GraphNode select(GraphNode condition, GraphNode a, GraphNode b);
// The node with the derivative 0, by declaration: what depends on parameters through it alone is no
// part of the gradient.
GraphNode held(GraphNode a);
GraphNode sum(GraphNode a);                  // of all components
GraphNode dot(GraphNode a, GraphNode b);     // sum(a * b)
GraphNode matmul(GraphNode a, GraphNode b);  // [n, k] by [k, m]
GraphNode transpose(GraphNode a);            // [n, m] to [m, n]
GraphNode softmax(GraphNode column);
GraphNode log_softmax(GraphNode column);
GraphNode element(GraphNode a, int row, int column = 0);
GraphNode row(GraphNode matrix, int row);  // as a column
// The component of a column, or the row of a matrix as a column, of a sampled index; no derivative
// by the index. An index that is none gives the last one.
GraphNode pick(GraphNode from, GraphNode index);
GraphNode one_hot(GraphNode index, int n);               // a column of n; no derivative
GraphNode stack(const std::vector<GraphNode>& scalars);  // a column
// Logarithms of densities and probabilities, of all components together: those of the stochastic
// nodes. Not differentiable by an index.
GraphNode log_normal(GraphNode x, GraphNode mean, GraphNode log_std);
GraphNode log_bernoulli(GraphNode x, GraphNode logit);
GraphNode log_categorical(GraphNode index, GraphNode logits);
GraphNode logit(GraphNode probability);  // log(p / (1 - p))

}  // namespace gallop

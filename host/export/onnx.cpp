#include <gallop/host/export/onnx.h>

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/logging/protobuf.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

constexpr std::uint64_t kIrVersion = 8, kOpset = 17;
constexpr std::size_t kLargestModel = (std::size_t(1) << 31) - 1;

enum class ElementType : std::uint64_t { kFloat = 1, kInt64 = 7 };

// Fields of onnx.proto3, by message.
namespace field {
enum Model : std::uint32_t {
  kModelIrVersion = 1,
  kProducerName = 2,
  kProducerVersion = 3,
  kGraph = 7,
  kOpsetImport = 8,
  kMetadata = 14
};
enum Opset : std::uint32_t { kOpsetVersion = 2 };
enum Entry : std::uint32_t { kEntryKey = 1, kEntryValue = 2 };
enum GraphField : std::uint32_t {
  kNode = 1,
  kGraphName = 2,
  kInitializer = 5,
  kInput = 11,
  kOutput = 12
};
enum Node : std::uint32_t {
  kNodeInput = 1,
  kNodeOutput = 2,
  kNodeName = 3,
  kOpType = 4,
  kAttribute = 5
};
enum AttributeField : std::uint32_t { kAttributeName = 1, kInteger = 3, kAttributeType = 20 };
enum TensorField : std::uint32_t { kDims = 1, kDataType = 2, kTensorName = 8, kRawData = 9 };
enum Value : std::uint32_t { kValueName = 1, kValueType = 2 };
enum Type : std::uint32_t { kTensorType = 1 };
enum TensorTypeField : std::uint32_t { kElementType = 1, kShape = 2 };
enum ShapeField : std::uint32_t { kDimension = 1 };
enum Dimension : std::uint32_t { kDimensionValue = 1, kDimensionName = 2 };
}  // namespace field

constexpr std::uint64_t kIntegerAttribute = 2;  // AttributeProto.AttributeType.INT

struct IntegerAttribute {
  std::string_view name;
  std::uint64_t value;
};

// A graph whose nodes follow one another, each with one output.
class Graph {
 public:
  explicit Graph(std::string_view name) { graph_.add_bytes(field::kGraphName, name); }

  // Puts a node behind `input` and what stands in `constants`; returns the name of its output.
  std::string add(std::string_view type, const std::string& output,
                  std::initializer_list<std::string> inputs,
                  std::initializer_list<IntegerAttribute> attributes = {}) {
    ProtobufMessage node;
    for (const std::string& input : inputs) node.add_bytes(field::kNodeInput, input);
    node.add_bytes(field::kNodeOutput, output);
    node.add_bytes(field::kNodeName, output);
    node.add_bytes(field::kOpType, type);
    for (const IntegerAttribute& a : attributes) {
      ProtobufMessage attribute;
      attribute.add_bytes(field::kAttributeName, a.name);
      attribute.add_integer(field::kInteger, a.value);
      attribute.add_integer(field::kAttributeType, kIntegerAttribute);
      node.add_message(field::kAttribute, attribute);
    }
    graph_.add_message(field::kNode, node);
    return output;
  }

  // A constant; returns its name.
  std::string constant(const std::string& name, std::span<const float> values,
                       std::initializer_list<int> dims) {
    ProtobufMessage tensor;
    for (const int n : dims) tensor.add_integer(field::kDims, std::uint64_t(n));
    tensor.add_integer(field::kDataType, std::uint64_t(ElementType::kFloat));
    tensor.add_bytes(field::kTensorName, name);
    // Little-endian, as the host is.
    tensor.add_bytes(field::kRawData,
                     {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
    graph_.add_message(field::kInitializer, tensor);
    return name;
  }
  std::string scalar(const std::string& name, float value) {
    return constant(name, std::span(&value, 1), {});
  }

  // [batch] or [batch, n] where n is not 0.
  void input(const std::string& name, ElementType type, int n) {
    graph_.add_message(field::kInput, value(name, type, n));
  }
  void output(const std::string& name, ElementType type, int n) {
    graph_.add_message(field::kOutput, value(name, type, n));
  }

  const ProtobufMessage& message() const { return graph_; }

 private:
  static ProtobufMessage value(const std::string& name, ElementType type, int n) {
    ProtobufMessage shape, batch, tensor, any, value;
    batch.add_bytes(field::kDimensionName, "batch");
    shape.add_message(field::kDimension, batch);
    if (n > 0) {
      ProtobufMessage components;
      components.add_integer(field::kDimensionValue, std::uint64_t(n));
      shape.add_message(field::kDimension, components);
    }
    tensor.add_integer(field::kElementType, std::uint64_t(type));
    tensor.add_message(field::kShape, shape);
    any.add_message(field::kTensorType, tensor);
    value.add_bytes(field::kValueName, name);
    value.add_message(field::kValueType, any);
    return value;
  }

  ProtobufMessage graph_;
};

// clamp((x - mean) * inverse_std, +-limit)
std::string add_normalization(Graph& graph, const PortablePolicy& policy, const std::string& x) {
  if (policy.mean.empty()) return x;
  const int n = int(policy.mean.size());
  const std::string centred =
      graph.add("Sub", "centred", {x, graph.constant("mean", policy.mean, {n})});
  const std::string scaled =
      graph.add("Mul", "scaled", {centred, graph.constant("inverse_std", policy.inverse_std, {n})});
  return graph.add(
      "Clip", "normalised",
      {scaled, graph.scalar("low", -policy.limit), graph.scalar("high", policy.limit)});
}

std::string add_layers(Graph& graph, const PortablePolicy& policy, std::string x) {
  const std::vector<PortableLayer> layers = acting_layers(policy);
  for (std::size_t l = 0; l < layers.size(); l++) {
    const PortableLayer& layer = layers[l];
    const std::string weight =
        graph.constant(fmt::format("weight_{}", l), layer.weight, {layer.n_in, layer.n_out});
    const std::string bias = graph.constant(fmt::format("bias_{}", l), layer.bias, {layer.n_out});
    x = graph.add("Gemm", fmt::format("layer_{}", l), {x, weight, bias});
    const Activation activation = policy.shape.network.hidden;
    if (l + 1 == layers.size() || activation == Activation::kIdentity) continue;
    x = graph.add(activation == Activation::kTanh ? "Tanh" : "Relu", fmt::format("hidden_{}", l),
                  {x});
  }
  return x;
}

// The row of the table, and of it the means alone.
std::string add_table(Graph& graph, const PortablePolicy& policy, const std::string& state) {
  const int n_states = policy.shape.network.width[0], n_out = policy.shape.network.width[1];
  const int kept = policy.shape.n_actions;
  std::vector<float> table;
  for (int s = 0; s < n_states; s++) {
    const float* const row = policy.parameters.data() + long(s) * n_out;
    table.insert(table.end(), row, row + kept);
  }
  return graph.add("Gather", "row", {graph.constant("table", table, {n_states, kept}), state},
                   {{"axis", 0}});
}

void add_action(Graph& graph, const PortablePolicy& policy, std::string x) {
  if (is_discrete(policy.shape.head)) {
    graph.add("ArgMax", "action", {x}, {{"axis", 1}, {"keepdims", 0}, {"select_last_index", 0}});
    return;
  }
  if (const PortableSquash squash = squash_of(policy); !squash.centre.empty()) {
    const int n = policy.shape.n_actions;
    const std::string bent = graph.add("Tanh", "squashed", {x});
    x = graph.add("Mul", "in_range", {bent, graph.constant("half_range", squash.half_range, {n})});
    x = graph.add("Add", "centred_action", {x, graph.constant("centre", squash.centre, {n})});
  }
  if (!has_bounds(policy)) {
    graph.add("Identity", "action", {x});
    return;
  }
  const int n = policy.shape.n_actions;
  std::vector<float> low, high;
  for (const PortableComponent& c : policy.about.action) {
    low.push_back(float(c.low));
    high.push_back(float(c.high));
  }
  x = graph.add("Max", "from_below", {x, graph.constant("action_low", low, {n})});
  graph.add("Min", "action", {x, graph.constant("action_high", high, {n})});
}

void add_metadata(ProtobufMessage& model, const std::string& key, const std::string& value) {
  ProtobufMessage entry;
  entry.add_bytes(field::kEntryKey, key);
  entry.add_bytes(field::kEntryValue, value);
  model.add_message(field::kMetadata, entry);
}

}  // namespace

std::string to_onnx(const PortablePolicy& policy) {
  require_finite_policy(policy);
  const NetworkShape& network = policy.shape.network;
  const bool tabular = network.kind == NetworkKind::kTabular;
  if (policy.parameters.size() * sizeof(float) > kLargestModel) {
    throw value_error(fmt::format(
        "the policy has {} parameters; an ONNX file holds less than 2 GiB: export it as .npz",
        policy.parameters.size()));
  }
  Graph graph("policy");
  graph.input("observation", tabular ? ElementType::kInt64 : ElementType::kFloat,
              tabular ? 0 : network.width[0]);
  const std::string outputs =
      tabular ? add_table(graph, policy, "observation")
              : add_layers(graph, policy, add_normalization(graph, policy, "observation"));
  add_action(graph, policy, outputs);
  const bool discrete = is_discrete(policy.shape.head);
  graph.output("action", discrete ? ElementType::kInt64 : ElementType::kFloat,
               discrete ? 0 : policy.shape.n_actions);

  ProtobufMessage opset, model;
  opset.add_integer(field::kOpsetVersion, kOpset);
  model.add_integer(field::kModelIrVersion, kIrVersion);
  model.add_bytes(field::kProducerName, "gallop");
  model.add_bytes(field::kProducerVersion, kBuildInfo.version);
  model.add_message(field::kGraph, graph.message());
  model.add_message(field::kOpsetImport, opset);
  for (const auto& [name, value] : metadata_of(policy)) {
    add_metadata(model, name, value.string() != nullptr ? *value.string() : value.text());
  }
  return model.text();
}

}  // namespace gallop

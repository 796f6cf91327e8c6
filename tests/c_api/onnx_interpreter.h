// A reader of ONNX files with the operators that exported policies have, in double: what the files
// say, apart from the code that writes them and from any runtime.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gallop::testing {

// Fields of a message in protobuf's wire format, in their order.
struct WireField {
  int number = 0;
  std::uint64_t integer = 0;
  std::string_view bytes;
};

inline std::vector<WireField> wire_fields(std::string_view message) {
  std::vector<WireField> fields;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      if (at >= message.size() || shift > 63) throw std::runtime_error("a cut varint");
      const auto byte = std::uint8_t(message[at++]);
      value |= std::uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const std::uint64_t key = varint();
    WireField field;
    field.number = int(key >> 3);
    if ((key & 7) == 0) {
      field.integer = varint();
    } else if ((key & 7) == 2) {
      const std::uint64_t size = varint();
      if (size > message.size() - at) throw std::runtime_error("a cut field");
      field.bytes = message.substr(at, size);
      at += size;
    } else {
      throw std::runtime_error("a wire type that no exported policy has");
    }
    fields.push_back(field);
  }
  return fields;
}

// Rows of numbers; one row for a vector, which is added to each row of another.
struct Rows {
  std::size_t n = 1, width = 0;
  std::vector<double> values;
  double at(std::size_t i, std::size_t k) const {
    return values[(n == 1 ? 0 : i) * width + (width == 1 ? 0 : k)];
  }
};

class OnnxModel {
 public:
  explicit OnnxModel(std::string bytes) : bytes_(std::move(bytes)) {
    for (const WireField& f : wire_fields(bytes_)) {
      if (f.number == 1) ir_version = f.integer;
      if (f.number == 7) read_graph(f.bytes);
      if (f.number == 8) opset = wire_fields(f.bytes).back().integer;
      if (f.number == 14) {
        const std::vector<WireField> entry = wire_fields(f.bytes);
        metadata[std::string(entry.at(0).bytes)] = entry.at(1).bytes;
      }
    }
  }

  // The actions [n, A] for observations [n, O].
  Rows run(const Rows& observation) const {
    std::map<std::string, Rows> values = constants_;
    values["observation"] = observation;
    for (const Node& node : nodes_) values[node.output] = evaluate(node, values);
    return values.at("action");
  }

  std::uint64_t ir_version = 0, opset = 0;
  std::map<std::string, std::string> metadata;
  std::string input_type, output_type;  // "float [batch, 3]", "int64 [batch]"
  std::vector<std::string> operators;

 private:
  struct Node {
    std::string type, output;
    std::vector<std::string> inputs;
    std::map<std::string, std::int64_t> attributes;
  };

  void read_graph(std::string_view graph) {
    for (const WireField& f : wire_fields(graph)) {
      if (f.number == 1) read_node(f.bytes);
      if (f.number == 5) read_constant(f.bytes);
      if (f.number == 11) input_type = value_type(f.bytes, "observation");
      if (f.number == 12) output_type = value_type(f.bytes, "action");
    }
  }

  void read_node(std::string_view message) {
    Node node;
    for (const WireField& f : wire_fields(message)) {
      if (f.number == 1) node.inputs.emplace_back(f.bytes);
      if (f.number == 2) node.output = f.bytes;
      if (f.number == 4) node.type = f.bytes;
      if (f.number != 5) continue;
      const std::vector<WireField> attribute = wire_fields(f.bytes);
      if (attribute.size() != 3 || attribute[2].number != 20 || attribute[2].integer != 2) {
        throw std::runtime_error("an attribute that is no integer");
      }
      node.attributes[std::string(attribute[0].bytes)] = std::int64_t(attribute[1].integer);
    }
    operators.push_back(node.type);
    nodes_.push_back(node);
  }

  void read_constant(std::string_view message) {
    std::vector<std::size_t> dims;
    std::string name;
    Rows rows;
    for (const WireField& f : wire_fields(message)) {
      if (f.number == 1) dims.push_back(std::size_t(f.integer));
      if (f.number == 2 && f.integer != 1) throw std::runtime_error("a constant of another type");
      if (f.number == 8) name = f.bytes;
      if (f.number != 9) continue;
      for (std::size_t k = 0; k < f.bytes.size(); k += 4) {
        float x;
        std::memcpy(&x, f.bytes.data() + k, 4);
        rows.values.push_back(x);
      }
    }
    rows.width = dims.empty() ? 1 : dims.back();
    rows.n = dims.size() == 2 ? dims[0] : 1;
    if (rows.values.size() != rows.n * rows.width) throw std::runtime_error("a constant's size");
    constants_[name] = rows;
  }

  static std::string value_type(std::string_view message, const std::string& expected) {
    std::string text;
    for (const WireField& f : wire_fields(message)) {
      if (f.number == 1 && f.bytes != expected) throw std::runtime_error("another value's name");
      if (f.number != 2) continue;
      for (const WireField& t : wire_fields(wire_fields(f.bytes).at(0).bytes)) {
        if (t.number == 1) text = t.integer == 1 ? "float [" : "int64 [";
        if (t.number != 2) continue;
        bool first = true;
        for (const WireField& dim : wire_fields(t.bytes)) {
          const WireField size = wire_fields(dim.bytes).at(0);
          text += (first ? "" : ", ") +
                  (size.number == 2 ? std::string(size.bytes) : std::to_string(size.integer));
          first = false;
        }
      }
    }
    return text + "]";
  }

  template <class Operation>
  static Rows each(const Rows& x, const Rows& y, const Operation& operation) {
    Rows made = {x.n, x.width, {}};
    for (std::size_t i = 0; i < x.n; i++) {
      for (std::size_t k = 0; k < x.width; k++) {
        made.values.push_back(operation(x.at(i, k), y.at(i, k)));
      }
    }
    return made;
  }

  static Rows evaluate(const Node& node, const std::map<std::string, Rows>& values) {
    const auto in = [&](std::size_t k) -> const Rows& { return values.at(node.inputs.at(k)); };
    const Rows& x = in(0);
    if (node.type == "Sub") return each(x, in(1), [](double a, double b) { return a - b; });
    if (node.type == "Mul") return each(x, in(1), [](double a, double b) { return a * b; });
    if (node.type == "Add") return each(x, in(1), [](double a, double b) { return a + b; });
    if (node.type == "Max")
      return each(x, in(1), [](double a, double b) { return std::fmax(a, b); });
    if (node.type == "Min")
      return each(x, in(1), [](double a, double b) { return std::fmin(a, b); });
    if (node.type == "Tanh") return each(x, x, [](double a, double) { return std::tanh(a); });
    if (node.type == "Relu") return each(x, x, [](double a, double) { return a < 0 ? 0 : a; });
    if (node.type == "Identity") return x;
    if (node.type == "Clip") {
      const Rows below = each(x, in(1), [](double a, double b) { return std::fmax(a, b); });
      return each(below, in(2), [](double a, double b) { return std::fmin(a, b); });
    }
    if (node.type == "Gemm") return product(x, in(1), in(2));
    if (node.type == "Gather") return gathered(x, in(1));
    if (node.type == "ArgMax" && node.attributes.at("axis") == 1 &&
        node.attributes.at("keepdims") == 0 && node.attributes.at("select_last_index") == 0) {
      return greatest(x);
    }
    throw std::runtime_error("an operator that no exported policy has: " + node.type);
  }

  static Rows product(const Rows& x, const Rows& weight, const Rows& bias) {
    Rows made = {x.n, weight.width, {}};
    for (std::size_t i = 0; i < x.n; i++) {
      for (std::size_t j = 0; j < weight.width; j++) {
        double sum = bias.values.at(j);
        for (std::size_t k = 0; k < x.width; k++) {
          sum += x.at(i, k) * weight.values.at(k * weight.width + j);
        }
        made.values.push_back(sum);
      }
    }
    return made;
  }

  static Rows gathered(const Rows& table, const Rows& index) {
    Rows made = {index.values.size(), table.width, {}};
    for (const double row : index.values) {
      for (std::size_t k = 0; k < table.width; k++) {
        made.values.push_back(table.values.at(std::size_t(row) * table.width + k));
      }
    }
    return made;
  }

  static Rows greatest(const Rows& x) {
    Rows made = {x.n, 1, {}};
    for (std::size_t i = 0; i < x.n; i++) {
      std::size_t best = 0;
      for (std::size_t k = 1; k < x.width; k++) best = x.at(i, k) > x.at(i, best) ? k : best;
      made.values.push_back(double(best));
    }
    return made;
  }

  std::string bytes_;
  std::vector<Node> nodes_;
  std::map<std::string, Rows> constants_;
};

}  // namespace gallop::testing

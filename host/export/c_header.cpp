#include <gallop/host/export/c_header.h>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <span>

#include <gallop/host/error.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {
namespace {

// Replaces every NAME in a text of C by the name that the header is made for, MACRO by the same in
// capitals.
std::string with_name(std::string text, const std::string& name) {
  std::string capitals = name;
  for (char& c : capitals) c = char(std::toupper(std::uint8_t(c)));
  const auto replace = [&](const std::string& what, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
      text.replace(at, what.size(), by);
    }
  };
  replace("NAME", name);
  replace("MACRO", capitals);
  return text;
}

// The shortest text that C reads back as the same float.
std::string c_float(float x) {
  if (std::isinf(x)) throw internal_error("an infinite constant of a C header");
  std::string text = fmt::format("{}", x);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

std::string c_array(const std::string& name, std::span<const float> values) {
  std::string text = fmt::format("static const float NAME_{}[{}] = {{", name, values.size());
  for (std::size_t k = 0; k < values.size(); k++) {
    text += (k == 0 ? "\n    " : k % 6 == 0 ? ",\n    " : ", ") + c_float(values[k]);
  }
  return text + "};\n";
}

constexpr const char* kFma = R"(
#ifndef GALLOP_POLICY_FMA
#include <math.h>
/* x * y + z, rounded once. Where that is slow: (x) * (y) + (z), with other last bits. */
#define GALLOP_POLICY_FMA(x, y, z) fmaf(x, y, z)
#endif
)";

// One chain of fused multiply-adds for each output, in ascending input (kernels/network/forward.h).
constexpr const char* kLayer = R"(
/* out[j] = bias[j] + sum over k of in[k] weight[k][j] */
static inline void NAME_layer(const float *in, int n_in, const float *weight, const float *bias,
                              int n_out, float *out) {
  int j, k;
  for (j = 0; j < n_out; j++) out[j] = bias[j];
  for (k = 0; k < n_in; k++) {
    for (j = 0; j < n_out; j++) out[j] = GALLOP_POLICY_FMA(in[k], weight[k * n_out + j], out[j]);
  }
}
)";

// That of kernels/numerics/math.h, in decimals, for C++11 has no hexadecimal floats.
constexpr const char* kTanh = R"(
static inline float NAME_tanh(float x) {
  float t, p, q;
  x = x < -9.02f ? -9.02f : x > 9.02f ? 9.02f : x;
  t = x * x;
  p = GALLOP_POLICY_FMA(t, 1.33845859e-08f, 2.06357381e-05f);
  p = GALLOP_POLICY_FMA(p, t, 0.00349743222f);
  p = GALLOP_POLICY_FMA(p, t, 0.133826569f);
  p = GALLOP_POLICY_FMA(p, t, 1.0f);
  q = GALLOP_POLICY_FMA(t, 7.79029392e-07f, 0.000328849157f);
  q = GALLOP_POLICY_FMA(q, t, 0.0258842371f);
  q = GALLOP_POLICY_FMA(q, t, 0.467159778f);
  q = GALLOP_POLICY_FMA(q, t, 1.0f);
  return (x * p) * (1.0f / q);
}
)";

constexpr const char* kNormalization = R"(  for (k = 0; k < MACRO_OBSERVATIONS; k++) {
    const float x = (observation[k] - NAME_mean[k]) * NAME_inverse_std[k];
    a[k] = x < -NAME_limit ? -NAME_limit : x > NAME_limit ? NAME_limit : x;
  }
)";

constexpr const char* kMode = R"(  for (k = 1; k < MACRO_ACTIONS; k++) {
    if (output[k] > output[best]) best = k;
  }
  return best;
)";

constexpr const char* kSquash = R"(  for (k = 0; k < MACRO_ACTIONS; k++) {
    const float y = NAME_tanh(output[k]);
    action[k] = GALLOP_POLICY_FMA(NAME_half_range[k], y < -1.0f ? -1.0f : y > 1.0f ? 1.0f : y,
                                  NAME_centre[k]);
  }
)";

std::string comment_of(const PortablePolicy& policy) {
  // "*/" would end the comment.
  std::string data = metadata_text(policy);
  for (std::size_t at = 0; (at = data.find("*/", at)) != std::string::npos;)
    data.insert(at + 1, " ");
  std::string lines;
  for (std::size_t at = 0; at < data.size(); at += 92) lines += " * " + data.substr(at, 92) + "\n";
  return fmt::format("/* A policy{}, made by Gallop {}.\n{} */\n",
                     policy.about.environment.empty() ? "" : " for " + policy.about.environment,
                     kBuildInfo.version, lines);
}

// Limits of each component, in lines of C; where a component has none, no line.
std::string bound_lines(const PortablePolicy& policy) {
  std::string lines;
  for (std::size_t k = 0; k < policy.about.action.size(); k++) {
    const PortableComponent& c = policy.about.action[k];
    if (std::isfinite(c.low)) {
      lines +=
          fmt::format("  if (action[{0}] < {1}) action[{0}] = {1};\n", k, c_float(float(c.low)));
    }
    if (std::isfinite(c.high)) {
      lines +=
          fmt::format("  if (action[{0}] > {1}) action[{0}] = {1};\n", k, c_float(float(c.high)));
    }
  }
  return lines;
}

// What follows the outputs in `output`.
std::string action_lines(const PortablePolicy& policy) {
  if (is_discrete(policy.shape.head)) return kMode;
  if (!squash_of(policy).centre.empty()) return kSquash + bound_lines(policy);
  return "  for (k = 0; k < MACRO_ACTIONS; k++) action[k] = output[k];\n" + bound_lines(policy);
}

std::string signature(const PortablePolicy& policy, const char* input) {
  const bool discrete = is_discrete(policy.shape.head);
  return fmt::format("static inline {} NAME_act({}{}) {{\n", discrete ? "int" : "void", input,
                     discrete ? "" : ", float *action");
}

std::string table_code(const PortablePolicy& policy) {
  const int n_states = policy.shape.network.width[0], n_out = policy.shape.network.width[1];
  return fmt::format("#define MACRO_STATES {}\n#define MACRO_ACTIONS {}\n\n", n_states,
                     policy.shape.n_actions) +
         c_array("table", std::span(policy.parameters).first(std::size_t(n_states) * n_out)) +
         "\n/* The action in a state from 0 to MACRO_STATES - 1. */\n" +
         signature(policy, "int state") +
         fmt::format("  const float *const output = NAME_table + {} * state;\n", n_out) +
         (is_discrete(policy.shape.head) ? "  int k, best = 0;\n" : "  int k;\n") +
         action_lines(policy) + "}\n";
}

std::string network_code(const PortablePolicy& policy) {
  const std::vector<PortableLayer> layers = acting_layers(policy);
  const Activation hidden = policy.shape.network.hidden;
  const bool discrete = is_discrete(policy.shape.head), normalises = !policy.mean.empty();
  const bool bends = layers.size() > 1 && hidden != Activation::kIdentity;
  std::string text = fmt::format("#define MACRO_OBSERVATIONS {}\n#define MACRO_ACTIONS {}\n",
                                 policy.shape.network.width[0], policy.shape.n_actions);
  text += kFma;
  text += '\n';
  if (normalises) {
    text += c_array("mean", policy.mean) + c_array("inverse_std", policy.inverse_std) +
            fmt::format("static const float NAME_limit = {};\n", c_float(policy.limit));
  }
  for (std::size_t l = 0; l < layers.size(); l++) {
    text += c_array(fmt::format("weight_{}", l), layers[l].weight) +
            c_array(fmt::format("bias_{}", l), layers[l].bias);
  }
  const PortableSquash squash = squash_of(policy);
  const bool squashes = !squash.centre.empty();
  if (squashes) text += c_array("half_range", squash.half_range) + c_array("centre", squash.centre);
  text += kLayer;
  if (squashes || (bends && hidden == Activation::kTanh)) text += kTanh;

  int width = policy.shape.network.width[0];
  for (const PortableLayer& layer : layers) width = std::max(width, layer.n_out);
  text += "\n/* The action for an observation [MACRO_OBSERVATIONS]. */\n" +
          signature(policy, "const float *observation") +
          fmt::format("  float a[{0}], b[{0}];\n", width) +
          (discrete ? "  int k, best = 0;\n" : "  int k;\n") + "  const float *output;\n";
  text += normalises ? kNormalization
                     : "  for (k = 0; k < MACRO_OBSERVATIONS; k++) a[k] = observation[k];\n";
  for (std::size_t l = 0; l < layers.size(); l++) {
    const char *from = l % 2 == 0 ? "a" : "b", *to = l % 2 == 0 ? "b" : "a";
    text += fmt::format("  NAME_layer({}, {}, NAME_weight_{}, NAME_bias_{}, {}, {});\n", from,
                        layers[l].n_in, l, l, layers[l].n_out, to);
    if (l + 1 == layers.size() || hidden == Activation::kIdentity) continue;
    const std::string bent = hidden == Activation::kTanh
                                 ? fmt::format("NAME_tanh({}[k])", to)
                                 : fmt::format("{0}[k] < 0.0f ? 0.0f : {0}[k]", to);
    text += fmt::format("  for (k = 0; k < {}; k++) {}[k] = {};\n", layers[l].n_out, to, bent);
  }
  text += fmt::format("  output = {};\n", layers.size() % 2 == 0 ? "a" : "b");
  return text + action_lines(policy) + "}\n";
}

}  // namespace

std::string to_c_header(const PortablePolicy& policy, const std::string& name) {
  require_finite_policy(policy);
  const auto in_name = [](char c) { return std::isalnum(std::uint8_t(c)) || c == '_'; };
  if (name.empty() || std::isdigit(std::uint8_t(name[0])) ||
      !std::all_of(name.begin(), name.end(), in_name)) {
    throw value_error(
        fmt::format("the name of a C policy is '{}'; expected letters, digits and _", name));
  }
  const bool tabular = policy.shape.network.kind == NetworkKind::kTabular;
  return comment_of(policy) + with_name("#ifndef MACRO_POLICY_H\n#define MACRO_POLICY_H\n\n" +
                                            (tabular ? table_code(policy) : network_code(policy)) +
                                            "\n#endif /* MACRO_POLICY_H */\n",
                                        name);
}

std::string c_name_of(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  for (char& c : name) {
    if (!std::isalnum(std::uint8_t(c))) c = '_';
  }
  if (name.empty() || std::isdigit(std::uint8_t(name[0]))) name.insert(0, "policy_");
  return name;
}

}  // namespace gallop

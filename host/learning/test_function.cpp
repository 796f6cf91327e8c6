#include <gallop/host/learning/test_function.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/split.h>
#include <gallop/host/options/utf8.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {
namespace {

constexpr long kMostDimensions = 1 << 24;
constexpr long kMostRotated = 4096;  // components of what is rotated: a matrix of 0.13 GB

double sphere(std::span<const double> x) {
  double sum = 0;
  for (const double c : x) sum += c * c;
  return sum;
}

double ellipsoid(std::span<const double> x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); i++) {
    sum += std::pow(10.0, 6 * double(i) / double(x.size() - 1)) * x[i] * x[i];
  }
  return sum;
}

double cigar(std::span<const double> x) { return x[0] * x[0] + 1e6 * sphere(x.subspan(1)); }

double rosenbrock(std::span<const double> x) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); i++) {
    const double a = x[i] * x[i] - x[i + 1], b = 1 - x[i];
    sum += 100 * a * a + b * b;
  }
  return sum;
}

double rastrigin(std::span<const double> x) {
  constexpr double kTurn = 6.283185307179586;
  double sum = 0;
  for (const double c : x) sum += c * c - 10 * std::cos(kTurn * c) + 10;
  return sum;
}

constexpr const char* kSphere = "sum x_i^2";
constexpr const char* kEllipsoid = "sum 10^(6 i / (D - 1)) x_i^2, i from 0";

constexpr TestFunctionDescriptor kFunctions[] = {
    {"sphere", "", kSphere, 0.5, 1, false, 0, sphere},
    {"ellipsoid", "elli", kEllipsoid, 0.5, 2, false, 0, ellipsoid},
    {"cigar", "", "x_0^2 + 10^6 sum_{i > 0} x_i^2", 0.5, 2, false, 0, cigar},
    {"rosenbrock", "rosen", "sum 100 (x_i^2 - x_{i + 1})^2 + (1 - x_i)^2", 0, 2, false, 0,
     rosenbrock},
    {"rastrigin", "", "sum x_i^2 - 10 cos(2 pi x_i) + 10", 3, 1, false, 0, rastrigin},
    {"rotated_ellipsoid", "rotated", kEllipsoid, 0.5, 2, true, 0, ellipsoid},
    {"noisy_sphere", "noisy", kSphere, 0.5, 1, false, 0.1, sphere}};

// Orthonormal rows: normals of purpose kRandomInitialise, id = row, by Gram and Schmidt, twice.
std::vector<double> random_rotation(std::size_t n, std::uint64_t seed) {
  std::vector<double> rows(n * n);
  for (std::size_t i = 0; i < n; i++) {
    double* const row = rows.data() + i * n;
    Rng<float> rng(seed, kRandomInitialise, std::uint32_t(i), 0u, 0u);
    for (std::size_t k = 0; k < n; k++) row[k] = double(rng.normal());
    for (int pass = 0; pass < 2; pass++) {
      for (std::size_t j = 0; j < i; j++) {
        const double* const other = rows.data() + j * n;
        double dot = 0;
        for (std::size_t k = 0; k < n; k++) dot += row[k] * other[k];
        for (std::size_t k = 0; k < n; k++) row[k] -= dot * other[k];
      }
      const double length = std::sqrt(sphere({row, n}));
      for (std::size_t k = 0; k < n; k++) row[k] /= length;
    }
  }
  return rows;
}

}  // namespace

std::span<const TestFunctionDescriptor> test_functions() { return kFunctions; }

const TestFunctionDescriptor& find_test_function(std::string_view name) {
  std::vector<std::string> names;
  for (const TestFunctionDescriptor& f : kFunctions) {
    std::vector<std::string> own = split_list(f.aliases);
    own.insert(own.begin(), f.name);
    for (std::string& n : own) {
      if (folded_name(n) == folded_name(name)) return f;
      names.push_back(std::move(n));
    }
  }
  std::string known;
  for (const TestFunctionDescriptor& f : kFunctions) {
    known += (known.empty() ? "" : ", ") + std::string(f.name);
  }
  throw usage_error(fmt::format("unknown function {}{}. There are {}", in_quotes(name),
                                did_you_mean(name, names), known));
}

TestFunction::TestFunction(const TestFunctionDescriptor& descriptor, long dimension,
                           const TestFunctionOptions& options)
    : descriptor_(descriptor), dimension_(dimension), options_(options) {
  const long most = options.is_rotated ? kMostRotated : kMostDimensions;
  if (dimension < descriptor.least_dimension || dimension > most) {
    throw value_error(fmt::format("{}{} has a dimension from {} to {}, not {}", descriptor.name,
                                  options.is_rotated ? ", rotated," : "",
                                  descriptor.least_dimension, most, dimension));
  }
  if (options.is_rotated) rotation_ = random_rotation(std::size_t(dimension), options.seed);
}

std::vector<double> TestFunction::start() const {
  const std::size_t n = std::size_t(dimension_);
  std::vector<double> x(n, descriptor_.start);
  if (rotation_.empty()) return x;
  std::vector<double> back(n, 0.0);
  for (std::size_t i = 0; i < n; i++) {
    for (std::size_t k = 0; k < n; k++) back[k] += rotation_[i * n + k] * x[i];
  }
  return back;
}

double TestFunction::value(std::span<const double> x) const {
  const std::size_t n = std::size_t(dimension_);
  if (x.size() != n) {
    throw value_error(fmt::format("a point of {} components for {} in {} dimensions", x.size(),
                                  descriptor_.name, n));
  }
  if (rotation_.empty()) return descriptor_.value(x);
  std::vector<double> turned(n, 0.0);
  for (std::size_t i = 0; i < n; i++) {
    for (std::size_t k = 0; k < n; k++) turned[i] += rotation_[i * n + k] * x[k];
  }
  return descriptor_.value(turned);
}

double TestFunction::noisy_value(std::span<const double> x, std::uint32_t member,
                                 std::uint32_t generation) const {
  const double exact = value(x);
  if (options_.noise == 0) return exact;
  Rng<float> rng(options_.seed, kRandomDynamics, member, generation, 0u);
  return exact + options_.noise * double(rng.normal());
}

}  // namespace gallop

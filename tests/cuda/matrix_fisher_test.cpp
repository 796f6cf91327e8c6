// Fisher products as products of matrices over all samples, against the CPU. The executor
// multiplies in loops, a device by its library.
#include <algorithm>
#include <cmath>

#include "tests/cuda/fisher_case.h"
#ifndef GALLOP_GPU_TEST
#include "tests/cuda/forwarding_device.h"
#endif

namespace gallop::testing {
namespace {

// Of the greatest element. On a device the operands are rounded to the 11 bits of TF32, layer after
// layer, and differences of tangents lose more of them; a wrong operand is an error of the order of
// 1. In loops only the order of the sums differs.
#ifdef GALLOP_GPU_TEST
constexpr double kTolerance = 2e-2;
#else
constexpr double kTolerance = 1e-5;
#endif

// Greatest difference of two products over the greatest element; what follows them is still poison.
double difference(const std::vector<float>& expected, const std::vector<float>& actual) {
  EXPECT_EQ(expected.size(), actual.size());
  const std::size_t n = expected.size() - 3;
  EXPECT_TRUE(untouched(std::vector<float>(actual.begin() + std::ptrdiff_t(n), actual.end())));
  double greatest = 0, apart = 0;
  for (std::size_t k = 0; k < n; k++) {
    greatest = std::max(greatest, std::abs(double(expected[k])));
    const double d = std::abs(double(expected[k]) - double(actual[k]));
    apart = d <= apart ? apart : d;  // a NaN stays
  }
  EXPECT_GT(greatest, 0.0);
  return apart / greatest;
}

double difference_of(const GradientCase& c, Backend& subject) {
  const auto cpu = make_cpu_backend(1);
  return difference(run_product(*cpu, c), run_product(subject, c, 1, FisherPath::kMatrices));
}

void expect_near(const GradientCase& c) {
  SCOPED_TRACE(c.label());
  const auto subject = make_subject();
  EXPECT_LT(difference_of(c, *subject), kTolerance);
}

TEST(MatrixFisher, EveryCountAroundAChunk) {
  for (const long count : {1L, 3L, 127L, 128L, 129L, 513L}) {
    GradientCase c;
    c.count = count;
    c.hidden = {16};
    c.shuffled = count % 2 == 1;
    expect_near(c);
  }
}

TEST(MatrixFisher, EveryHead) {
  for (const Head head : {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork}) {
    for (const int n_actions : {1, 3, 6}) {
      if (head == Head::kCategorical && n_actions == 1) continue;  // its product is 0
      for (const bool normalized : {false, true}) {
        GradientCase c;
        c.head = head;
        c.n_actions = n_actions;
        c.count = 130;
        c.normalized = normalized;
        expect_near(c);
      }
    }
  }
}

TEST(MatrixFisher, EveryActivationAndDepth) {
  for (const Activation activation :
       {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    for (const std::vector<int>& hidden :
         {std::vector<int>{}, std::vector<int>{33}, std::vector<int>{65, 50, 9},
          std::vector<int>{5, 7}, std::vector<int>{16, 72, 70}}) {
      GradientCase c;
      c.activation = activation;
      c.hidden = hidden;
      c.count = 140;
      c.n_actions = 4;
      expect_near(c);
    }
  }
}

TEST(MatrixFisher, EveryOrderOfThreads) {
  in_every_order([] {
    GradientCase c;
    c.head = Head::kGaussian;
    c.hidden = {20, 6, 3};
    c.count = 135;
    expect_near(c);
  });
}

// A network whose fused kernel works in global memory.
TEST(MatrixFisher, WideLayers) {
  GradientCase c;
  c.hidden = {256, 256};
  c.count = 150;
  expect_near(c);
}

TEST(MatrixFisher, TablesTakeTheFusedKernel) {
  GradientCase c;
  c.kind = NetworkKind::kTabular;
  c.hidden = {};
  c.n_inputs = 64;
  c.n_actions = 16;
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (const FisherPath path : {FisherPath::kMatrices, FisherPath::kFaster}) {
    EXPECT_TRUE(same_bits(run_product(*cpu, c), run_product(*subject, c, 1, path)));
  }
}

TEST(MatrixFisher, WhatIsNotWantedIsNotWritten) {
  GradientCase c;
  c.head = Head::kGaussian;
  const auto subject = make_subject();
  for (const FisherPath path : {FisherPath::kMatrices, FisherPath::kFaster}) {
    EXPECT_TRUE(untouched(run_product(*subject, c, 0, path)));
  }
}

// The units of a policy are the caller's: preparing another one does not touch them.
TEST(MatrixFisher, TwoPoliciesSideBySide) {
  GradientCase a, b;
  a.hidden = {12};
  b.hidden = {12};
  b.n_actions = 3;
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  FisherCase first(*subject, a, FisherPath::kMatrices), second(*subject, b, FisherPath::kMatrices);
  EXPECT_LT(difference(run_product(*cpu, a), run_product(*subject, first)), kTolerance);
  EXPECT_LT(difference(run_product(*cpu, b), run_product(*subject, second)), kTolerance);
}

TEST(MatrixFisher, TheSameBitsEveryTime) {
  GradientCase c;
  c.count = 1000;
  const auto one = make_subject(), other = make_subject();
  const std::vector<float> product = run_product(*one, c, 1, FisherPath::kMatrices);
  EXPECT_TRUE(same_bits(product, run_product(*one, c, 1, FisherPath::kMatrices)));
  EXPECT_TRUE(same_bits(product, run_product(*other, c, 1, FisherPath::kMatrices)));
}

TEST(MatrixFisher, WhatIsNotFiniteShows) {
  const auto subject = make_subject();
  GradientCase c;
  c.hidden = {8};
  FisherCase at(*subject, c, FisherPath::kMatrices);
  std::vector<float> vector = parameters_of(at.shape, 23, 1.0f);
  vector[2] = __builtin_nanf("");
  const auto by = uploaded(*subject, vector), product = poisoned<float>(*subject, vector.size());
  at.request.vector = by.data();
  at.request.product = product.data();
  at.fisher.product(at.request);
  for (const float x : product.download()) EXPECT_TRUE(std::isnan(x));
}

#ifndef GALLOP_GPU_TEST

const CudaKernels* honest = nullptr;

// Kernels with an error each: slopes taken as 1, biases left out, the weight of a sample forgotten,
// samples beyond the count taken as wanted.
LaunchStatus no_slope(const SlopeRequest&, const CudaWork&) { return {0, "no_slope"}; }
LaunchStatus no_ones(const MatrixUnitsRequest& r, const CudaWork& on) {
  const LaunchStatus status = honest->matrix_units(r, on);
  const long n = long(chunk_count(r.fisher.samples.count)) * kChunkSamples;
  std::fill_n(r.to + r.fisher.policy.shape.network.width[r.layer] * n, n, 0.0f);
  return status;
}
LaunchStatus no_weight(const MatrixMetricRequest& r, const CudaWork& on) {
  MatrixMetricRequest other = r;
  other.fisher.weight = 1.0f;
  return honest->matrix_metric(other, on);
}
template <class Request>
Request with_all_samples(Request r) {
  r.fisher.samples.count = long(chunk_count(r.fisher.samples.count)) * kChunkSamples;
  return r;
}
LaunchStatus all_samples(const MatrixMetricRequest& r, const CudaWork& on) {
  return honest->matrix_metric(with_all_samples(r), on);
}
LaunchStatus all_ones(const MatrixUnitsRequest& r, const CudaWork& on) {
  return honest->matrix_units(with_all_samples(r), on);
}

class PlantedDevice : public ForwardingDevice {
 public:
  explicit PlantedDevice(const std::function<void(CudaKernels&)>& plant) {
    honest = &ForwardingDevice::kernels();
    kernels_ = *honest;
    plant(kernels_);
  }
  const CudaKernels& kernels() const override { return kernels_; }

 private:
  CudaKernels kernels_;
};

TEST(MatrixFisher, PlantedErrorsAreFound) {
  const std::pair<const char*, std::function<void(CudaKernels&)>> plants[] = {
      {"slope", [](CudaKernels& k) { k.scale_by_slope = no_slope; }},
      {"ones", [](CudaKernels& k) { k.matrix_units = no_ones; }},
      {"weight", [](CudaKernels& k) { k.matrix_metric = no_weight; }},
      {"count",
       [](CudaKernels& k) {
         k.matrix_metric = all_samples;
         k.matrix_units = all_ones;
       }},
  };
  for (const auto& [name, plant] : plants) {
    const auto subject = make_kernel_backend(std::make_unique<PlantedDevice>(plant));
    GradientCase c;
    c.hidden = {8};
    EXPECT_GT(difference_of(c, *subject), 100 * kTolerance) << name;
  }
}

#endif

}  // namespace
}  // namespace gallop::testing

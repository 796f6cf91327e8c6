// Operations that a device records and repeats: what they read, when they are recorded anew, and
// that they leave the bits of operations that ran one by one.
#include <gallop/host/error.h>
#include <gallop/host/learning/algorithm.h>
#include <gallop/host/training/run_options.h>
#include "tests/cuda/gradient_case.h"

#ifndef GALLOP_GPU_TEST
#include "tests/cuda/counting_device.h"
#endif

namespace gallop::testing {
namespace {

// y += factor x, recorded.
struct Doubling {
  Backend& backend;
  DeviceArray<float> x, y;
  std::unique_ptr<Recording> recording;

  explicit Doubling(Backend& on)
      : backend(on), x(uploaded<float>(on, {1, 2, 3})), y(uploaded<float>(on, {0, 0, 0})) {}
  std::vector<float> run(float factor = 2.0f) {
    backend.run([&] { backend.add_scaled({y.data(), factor, x.data(), 3}); }, recording);
    return y.download();
  }
};

TEST(Recording, ARepetitionReadsWhatIsThereNow) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (Backend* backend : {cpu.get(), subject.get()}) {
    Doubling doubling(*backend);
    EXPECT_EQ(doubling.run(), (std::vector<float>{2, 4, 6}));
    EXPECT_EQ(doubling.run(), (std::vector<float>{4, 8, 12}));
    doubling.x.upload({10, 0, -3});
    EXPECT_EQ(doubling.run(), (std::vector<float>{24, 8, 6}));
    doubling.y.upload({0, 0, 0});
    EXPECT_EQ(doubling.run(), (std::vector<float>{20, 0, -6}));
    EXPECT_EQ(doubling.run(4.0f), (std::vector<float>{60, 0, -18}));
  }
}

#ifndef GALLOP_GPU_TEST

void expect_counts(const CountingDevice::Counts& counts, int captures, int launches) {
  EXPECT_EQ(counts.captures, captures);
  EXPECT_EQ(counts.launches, launches);
}

TEST(Recording, IsMadeTheSecondTimeAndAnewForAnotherNumber) {
  CountingDevice::Counts counts;
  const auto backend = make_kernel_backend(std::make_unique<CountingDevice>(counts));
  Doubling doubling(*backend);
  doubling.run();
  expect_counts(counts, 0, 0);
  doubling.run();
  expect_counts(counts, 1, 1);
  doubling.run();
  expect_counts(counts, 1, 2);
  doubling.run(3.0f);
  expect_counts(counts, 1, 2);
  doubling.run(3.0f);
  EXPECT_EQ(doubling.run(3.0f), (std::vector<float>{15, 30, 45}));
  expect_counts(counts, 2, 4);
  // Operations are told apart where their requests are alike: a copy of three floats, and one of
  // other three.
  const auto other = uploaded<float>(*backend, {4, 5, 6});
  std::unique_ptr<Recording> recording;
  const auto copy_from = [&](const float* from) {
    backend->run([&] { backend->copy({doubling.y.data(), from, 3}); }, recording);
    return doubling.y.download();
  };
  for (int k = 0; k < 3; k++) {
    EXPECT_EQ(copy_from(doubling.x.data()), (std::vector<float>{1, 2, 3}));
  }
  EXPECT_EQ(copy_from(other.data()), (std::vector<float>{4, 5, 6}));
  EXPECT_EQ(copy_from(other.data()), (std::vector<float>{4, 5, 6}));
}

// The value gradient's partial sums stand in scratch, which a greater request replaces.
TEST(Recording, IsMadeAnewWhereItsScratchWasReplaced) {
  CountingDevice::Counts counts;
  const auto backend = make_kernel_backend(std::make_unique<CountingDevice>(counts));
  GradientCase small, great;
  small.count = 150;
  great.count = 3000;
  small.hidden = great.hidden = {8};
  const CaseSamples few(*backend, small), many(*backend, great);
  const PolicyShape shape = shape_of(small, 1);
  const auto parameters = uploaded(*backend, parameters_of(shape, 19, 1.0f));
  const auto gradient = poisoned<float>(*backend, parameter_count(shape) + 1);
  const auto run = [&](const Samples& samples) {
    ValueGradientRequest r = {};
    r.shape = shape.network;
    r.parameters = parameters.data();
    r.samples = samples;
    r.weight = 0.5f;
    r.gradient = gradient.data();
    backend->value_gradient(r);
  };
  std::unique_ptr<Recording> recording;
  const auto recorded = [&] {
    backend->run([&] { run(few.samples); }, recording);
    return gradient.download();
  };
  const std::vector<float> first = recorded();
  EXPECT_TRUE(same_bits(first, recorded()));
  expect_counts(counts, 1, 1);
  run(many.samples);
  EXPECT_FALSE(same_bits(first, gradient.download()));
  EXPECT_TRUE(same_bits(first, recorded()));
  expect_counts(counts, 1, 1);
  EXPECT_TRUE(same_bits(first, recorded()));
  expect_counts(counts, 2, 2);
}

// Whatever is no operation would not be repeated.
TEST(Recording, RefusesWhatIsNoOperation) {
  CountingDevice::Counts counts;
  const auto backend = make_kernel_backend(std::make_unique<CountingDevice>(counts));
  const auto x = uploaded<float>(*backend, {3, 4});
  float two[2] = {};
  const std::function<void()> others[] = {
      [&] { norm(*backend, x.data(), 2); },
      [&] { backend->to_host(two, x.data(), sizeof(two)); },
      [&] { backend->to_device(x.data(), two, sizeof(two)); },
      [&] { backend->clear(x.data(), sizeof(two)); },
      [&] { backend->copy_bytes(x.data(), x.data(), sizeof(two)); },
      [&] { backend->release(backend->allocate(8)); },
      [&] { backend->result_memory(8); },
      [&] { backend->seconds([] {}); },
  };
  for (const auto& other : others) {
    std::unique_ptr<Recording> recording;
    EXPECT_THROW(backend->run(other, recording), Error);
    EXPECT_THROW(backend->run([&] { backend->run(other, recording); }, recording), Error);
    EXPECT_EQ(recording, nullptr);
  }
  EXPECT_EQ(norm(*backend, x.data(), 2), 5.0);  // nothing is left of it
  expect_counts(counts, 0, 0);
}

// Five iterations on the CPU and on the counting device, which end with the same metrics.
void expect_repeated(const std::string& algorithm, const std::vector<std::string>& assignments,
                     CountingDevice::Counts& counts) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_kernel_backend(std::make_unique<CountingDevice>(counts));
  RunOptions options("pendulum", algorithm);
  for (const char* small : {"n_envs=16", "n_steps=20", "hidden=16,8"}) {
    options.set_assignment(small, "test");
  }
  for (const std::string& assignment : assignments) options.set_assignment(assignment, "test");
  const auto learn = [&](Backend& backend) {
    const std::unique_ptr<Algorithm> learner = options.algorithm().create(
        {backend, options.environment(), options.values(), options.seed(), options.configure()});
    std::vector<Metrics> metrics;
    for (int k = 0; k < 5; k++) metrics.push_back(learner->iterate());
    return metrics;
  };
  const std::vector<Metrics> expected = learn(*cpu), actual = learn(*subject);
  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t k = 0; k < expected.size(); k++) {
    for (std::size_t m = 0; m < expected[k].size(); m++) {
      const double a = expected[k][m].second, b = actual[k][m].second;
      EXPECT_TRUE(a == b || (a != a && b != b)) << expected[k][m].first << " " << k;
    }
  }
}

// The whole update of the policy is one graph from the time that the scratch is large enough, and
// so is a pass of the value network's fit.
TEST(Recording, TheUpdateOfATrustRegionIsRepeated) {
  CountingDevice::Counts counts;
  expect_repeated("trpo", {"value_epochs=1", "value_minibatch=100"}, counts);
  EXPECT_EQ(counts.captures, 2);
  EXPECT_GE(counts.launches, 7);
}

TEST(Recording, ThePassesOfPpoAreRepeated) {
  CountingDevice::Counts counts;
  expect_repeated("ppo", {"epochs=3", "minibatch=150"}, counts);
  EXPECT_EQ(counts.captures, 1);
  EXPECT_EQ(counts.launches, 14);  // all passes but the first
}

// A number in the requests that changes is part of the key: beta of the adapted penalty.
TEST(Recording, ThePassesOfAPenaltyAreRecordedAnewWithItsWeight) {
  CountingDevice::Counts counts;
  expect_repeated("trpo_penalty", {"epochs=4", "minibatch=150", "value_epochs=1", "delta=1e-6"},
                  counts);
  EXPECT_GT(counts.captures, 3);
  EXPECT_GT(counts.launches, counts.captures);
}

#endif

}  // namespace
}  // namespace gallop::testing

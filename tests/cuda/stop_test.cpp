// Operations that are left on request: those that may take long, and no others.
#include <gallop/host/error.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/runtime/stop.h>
#include "tests/cuda/gradient_case.h"

namespace gallop::testing {
namespace {

bool is_left(const std::function<void()>& operation) {
  try {
    operation();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::interrupted) << error.what();
    return true;
  }
  return false;
}

// The gradient of a value network, which is long, and a sum of vectors, which is not.
struct Operations {
  Backend& backend;
  GradientCase given;
  CaseSamples samples;
  PolicyShape shape;
  DeviceArray<float> parameters, gradient;

  explicit Operations(Backend& on)
      : backend(on),
        given(small_case()),
        samples(on, given),
        shape(shape_of(given, 1)),
        parameters(uploaded(on, parameters_of(shape, 19, 1.0f))),
        gradient(on, parameter_count(shape) + 1) {}

  static GradientCase small_case() {
    GradientCase small;
    small.count = 150;
    small.hidden = {8};
    return small;
  }
  void long_one() {
    ValueGradientRequest r = {};
    r.shape = shape.network;
    r.parameters = parameters.data();
    r.samples = samples.samples;
    r.weight = 0.5f;
    r.gradient = gradient.data();
    backend.value_gradient(r);
  }
  void short_one() { backend.add_scaled({gradient.data(), 1.0f, parameters.data(), 3}); }
};

void expect_left(Backend& backend) {
  Operations operations(backend);
  const auto long_one = [&] { operations.long_one(); };
  const auto short_one = [&] { operations.short_one(); };
  std::unique_ptr<Recording> long_recording, short_recording;
  const auto repeat_long = [&] { backend.run(long_one, long_recording); };
  const auto repeat_short = [&] { backend.run(short_one, short_recording); };
  for (int k = 0; k < 3; k++) {
    repeat_long();
    repeat_short();
  }
  EnvironmentOptions options;
  options.n_envs = 4;
  Environments environments(backend, find_environment("cartpole"), options);
  environments.reset();
  Trajectory out = {};
  out.n_steps = 8;
  out.n_envs = 4;
  const auto roll_out = [&] {
    environments.rollout(ActionSource::kUniform, PolicyView{}, false, out);
  };
  bool requested = true;
  {
    const StopScope scope(backend, [&] { return requested; });
    for (const bool now : {true, false, true}) {
      requested = now;
      EXPECT_EQ(is_left(long_one), now);
      EXPECT_EQ(is_left(repeat_long), now);
      EXPECT_EQ(is_left(roll_out), now);
      EXPECT_FALSE(is_left(short_one));
      EXPECT_FALSE(is_left(repeat_short));
    }
  }
  EXPECT_FALSE(is_left(long_one));  // nobody looks any more
  EXPECT_FALSE(is_left(roll_out));
}

TEST(Stop, LongOperationsAreLeftOnRequestAndNoOthers) {
  expect_left(*make_cpu_backend(1));
  expect_left(*make_subject());
}

}  // namespace
}  // namespace gallop::testing

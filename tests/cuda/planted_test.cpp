// The comparisons of these tests, on a device with planted errors: each has to be found. Kernels
// are replaced in the table, which a real device does not let a test do.
#ifndef GALLOP_GPU_TEST

#include <gallop/kernels/gradients/fisher.h>
#include "tests/cuda/forwarding_device.h"
#include "tests/cuda/gradient_case.h"

namespace gallop::testing {
namespace {

const CudaKernels* honest = nullptr;
const CudaEnvironmentTable* honest_environment = nullptr;

// Leaves out the last instance of the batch.
LaunchStatus gae_of_all_but_one(const GaeRequest& r, const CudaWork& on) {
  const float last = r.advantage[long(r.n_steps) * r.n_envs - 1];
  const LaunchStatus status = honest->gae(r, on);
  r.advantage[long(r.n_steps) * r.n_envs - 1] = last;
  return status;
}
// Takes samples in their own order instead of the minibatch's.
LaunchStatus gradient_without_order(const ValueGradientRequest& r, const CudaWork& on) {
  ValueGradientRequest other = r;
  other.samples.order = nullptr;
  return honest->value_gradient(other, on);
}
// Leaves out the last chunk, as if the number of blocks were rounded down.
LaunchStatus product_without_the_last_chunk(const FisherRequest& r, const CudaWork& on) {
  FisherRequest fewer = r;
  fewer.samples.count = long(chunk_count(r.samples.count) - 1) * kChunkSamples;
  return honest->fisher_product(fewer, on);
}
// Goes on although the solver has come to its end.
LaunchStatus step_without_end(const ConjugateGradientRequest& r, const CudaWork& on) {
  r.state->running = 1;
  return honest->conjugate_gradient_step(r, on);
}
// Adds to what is there, as if all memory began as zero.
LaunchStatus copy_that_adds(const CopyRequest& r, const CudaWork& on) {
  return honest->add_scaled({r.to, 1.0f, r.from, r.n}, on);
}
LaunchStatus rollout_one_step_short(const RolloutRequest& r, const CudaWork& on) {
  RolloutRequest shorter = r;
  shorter.out.n_steps--;
  return honest_environment->rollout(shorter, on);
}

// The executor's device with these kernels in place of its own.
class PlantedDevice : public ForwardingDevice {
 public:
  explicit PlantedDevice(const EnvironmentEntry& entry) {
    honest = &ForwardingDevice::kernels();
    honest_environment = &ForwardingDevice::environment(entry);
    kernels_ = *honest;
    kernels_.gae = gae_of_all_but_one;
    kernels_.value_gradient = gradient_without_order;
    kernels_.fisher_product = product_without_the_last_chunk;
    kernels_.conjugate_gradient_step = step_without_end;
    environment_ = *honest_environment;
    environment_.rollout = rollout_one_step_short;
  }
  const CudaKernels& kernels() const override { return kernels_; }
  const CudaEnvironmentTable& environment(const EnvironmentEntry&) const override {
    return environment_;
  }

 private:
  CudaKernels kernels_;
  CudaEnvironmentTable environment_;
};

std::unique_ptr<Backend> planted_backend() {
  return make_kernel_backend(std::make_unique<PlantedDevice>(entry_of_type("CartPole")));
}

class DeviceThatAdds : public ForwardingDevice {
 public:
  explicit DeviceThatAdds(DeviceMemory memory) : ForwardingDevice(memory) {
    honest = &ForwardingDevice::kernels();
    kernels_ = *honest;
    kernels_.copy = copy_that_adds;
  }
  const CudaKernels& kernels() const override { return kernels_; }

 private:
  CudaKernels kernels_;
};

TEST(Planted, ARolloutThatStopsEarlyIsFound) {
  const auto cpu = make_cpu_backend(1), planted = planted_backend();
  RolloutCase rollout;
  rollout.n_envs = 9;
  rollout.n_steps = 4;
  const RolloutResult expected = run_rollout(*cpu, rollout);
  const RolloutResult actual = run_rollout(*planted, rollout);
  EXPECT_FALSE(same_bits(expected.reward, actual.reward));
  EXPECT_FALSE(same_bits(expected.observation, actual.observation));
  EXPECT_FALSE(same_bits(expected.state, actual.state));
}

TEST(Planted, AnInstanceLeftOutIsFound) {
  const auto run = [](Backend& backend) {
    const RecordedBatch batch(backend, {});
    const std::size_t n = std::size_t(batch.shape.n_steps) * batch.shape.n_envs;
    const auto advantage = poisoned<float>(backend, n);
    GaeRequest r = {};
    r.n_steps = batch.shape.n_steps;
    r.n_envs = batch.shape.n_envs;
    r.gamma = r.lambda = r.reward_scale = 1.0f;
    r.reward = batch.reward.data();
    r.terminated = batch.terminated.data();
    r.truncated = batch.truncated.data();
    r.value = batch.value.data();
    r.final_value = batch.final_value.data();
    r.advantage = advantage.data();
    backend.gae(r);
    return advantage.download();
  };
  const auto cpu = make_cpu_backend(1), planted = planted_backend();
  EXPECT_FALSE(same_bits(run(*cpu), run(*planted)));
}

TEST(Planted, AChunkThatIsLeftOutOfAProductIsFound) {
  const auto run = [](Backend& backend) {
    GradientCase c;
    c.hidden = {8};
    const CaseSamples from(backend, c);
    const PolicyShape shape = shape_of(c, c.n_actions);
    const auto parameters = uploaded(backend, parameters_of(shape, 17, 1.0f));
    DeviceArray<float> units(backend, std::size_t(chunk_count(c.count)) * unit_floats(shape));
    const auto product = poisoned<float>(backend, std::size_t(parameter_count(shape)));
    FisherRequest r = {};
    r.policy = {shape, parameters.data(), {}};
    r.samples = from.samples;
    r.weight = 1.0f;
    r.units = units.data();
    r.unit_stride = unit_floats(shape);
    r.vector = parameters.data();
    r.product = product.data();
    backend.fisher_prepare(r);
    backend.fisher_product(r);
    return product.download();
  };
  const auto cpu = make_cpu_backend(1), planted = planted_backend();
  EXPECT_FALSE(same_bits(run(*cpu), run(*planted)));
}

TEST(Planted, ASolverThatDoesNotStopIsFound) {
  const auto run = [](Backend& backend) {
    std::vector<DeviceArray<float>> v;
    for (int k = 0; k < 6; k++) v.push_back(uploaded<float>(backend, {1, 2}));
    DeviceArray<ConjugateGradientState> state(backend, 1);
    const ConjugateGradientRequest r = {2,           v[0].data(), v[1].data(), v[2].data(),
                                        v[3].data(), v[4].data(), v[5].data(), 0.0,
                                        0.0,         1,           state.data()};
    backend.conjugate_gradient_begin(r);
    for (int k = 0; k < 2; k++) {
      backend.copy({v[5].data(), v[4].data(), 2});
      backend.add_scaled({v[5].data(), 0.5f, v[0].data(), 1});  // no multiple of the identity
      backend.conjugate_gradient_step(r);
    }
    ConjugateGradientState after;
    state.download(&after, 1);
    return after.iterations;
  };
  const auto cpu = make_cpu_backend(1), planted = planted_backend();
  EXPECT_EQ(run(*cpu), 1);
  EXPECT_NE(run(*planted), 1);
}

TEST(Planted, AReadOfUnwrittenMemoryIsFoundByThePoisonAlone) {
  const auto run = [](Backend& backend) {
    const auto from = uploaded<float>(backend, {1, 2, 3});
    const DeviceArray<float> to(backend, 3);
    backend.copy({to.data(), from.data(), 3});
    return to.download();
  };
  const auto adding = [](DeviceMemory memory) {
    return make_kernel_backend(std::make_unique<DeviceThatAdds>(memory));
  };
  const auto cpu = make_cpu_backend(1);
  EXPECT_TRUE(same_bits(run(*cpu), run(*adding(DeviceMemory::kZero))));
  EXPECT_FALSE(same_bits(run(*cpu), run(*adding(DeviceMemory::kPoison))));
}

TEST(Planted, AnOrderThatIsIgnoredIsFound) {
  const auto run = [](Backend& backend) {
    const RecordedBatch batch(backend, {});
    const auto order = uploaded<std::uint32_t>(backend, {5, 17, 3, 40, 2});
    PolicyShape shape = {};
    shape.network.n_layers = 1;
    shape.network.width[0] = 4;
    shape.network.width[1] = 1;
    shape.head = Head::kDeterministic;
    const auto parameters = uploaded(backend, parameters_of(shape, 1, 1.0f));
    ValueGradientRequest r = {};
    r.shape = shape.network;
    r.parameters = parameters.data();
    r.samples = batch.samples(order.data(), 5);
    r.weight = 0.2f;
    const auto gradient = poisoned<float>(backend, 6);
    r.gradient = gradient.data();
    backend.value_gradient(r);
    return gradient.download();
  };
  const auto cpu = make_cpu_backend(1), planted = planted_backend();
  EXPECT_FALSE(same_bits(run(*cpu), run(*planted)));
}

}  // namespace
}  // namespace gallop::testing

#endif

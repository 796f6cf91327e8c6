// A batch restored from its bytes goes on bit for bit, and what is no such bytes is refused whole.
#include "tests/c_api/c_calls.h"
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

constexpr const char* kNames[] = {"cartpole", "pendulum", "mdp", "lqr"};

std::string bytes_of(gallop_batch* batch) {
  const void* data = nullptr;
  std::size_t bytes = 0;
  EXPECT_OK(gallop_batch_snapshot(batch, &data, &bytes));
  return {static_cast<const char*>(data), bytes};
}

int restore(gallop_batch* batch, const std::string& bytes) {
  return gallop_batch_restore(batch, bytes.data(), bytes.size());
}

// Bits of `count` steps whose actions are the same for the same `seed`.
std::string play(gallop_batch* batch, int count, std::uint64_t seed) {
  const gallop_batch_info info = info_of(batch);
  CStep step(info);
  CArray<float> action({info.n_envs, info.action_rows});
  const gallop_array view = action.view();
  Random random{seed};
  std::string bits;
  for (int t = 0; t < count; t++) {
    for (float& x : action.values) {
      x = info.action_kind == GALLOP_DISCRETE ? float(random.below(info.action_size))
                                              : float(random.uniform(-1, 1));
    }
    EXPECT_OK(gallop_batch_step(batch, &view, &step.output));
    bits += step.bits();
  }
  return bits;
}

TEST(CSnapshot, ABatchGoesOnBitForBit) {
  const CBackend backend = c_backend(1), other_backend = c_backend(2);
  for (const char* name : kNames) {
    for (const int mode : {GALLOP_NEXT_STEP, GALLOP_SAME_STEP, GALLOP_DISABLED}) {
      gallop_batch_options options = batch_options(65, 5, mode);
      options.time_limit = 31;
      const CBatch batch = c_batch(backend.get(), name, options);
      ASSERT_OK(gallop_batch_reset(batch.get()));
      play(batch.get(), 50, 1);
      const std::string bytes = bytes_of(batch.get());
      const std::string after = play(batch.get(), 50, 2);
      // In place, and in another batch with other seeds, limits and threads.
      ASSERT_OK(restore(batch.get(), bytes));
      EXPECT_EQ(bytes_of(batch.get()), bytes);
      EXPECT_EQ(play(batch.get(), 50, 2), after) << name;
      options.seed = 77;
      options.time_limit = 0;
      options.id_offset = 9;
      const CBatch other = c_batch(other_backend.get(), name, options);
      ASSERT_OK(restore(other.get(), bytes));
      EXPECT_EQ(bytes_of(other.get()), bytes);
      EXPECT_EQ(play(other.get(), 50, 2), after) << name;
    }
  }
}

TEST(CSnapshot, HoldsParametersSeedsAndWhatHasNotBegun) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(3, 5));
  ASSERT_OK(gallop_batch_set_parameter(batch.get(), "gravity", 5));
  const std::string before = bytes_of(batch.get());
  const std::vector<float> lengths = {0.4f, 0.5f, 0.6f};
  const std::vector<std::uint64_t> seeds = {3, 1, 4};
  ASSERT_OK(gallop_batch_set_parameters(batch.get(), "half_length", lengths.data(), 3));
  ASSERT_OK(gallop_batch_reset_seeds(batch.get(), seeds.data(), nullptr, 3));
  const std::string begun = bytes_of(batch.get());
  const std::string after = play(batch.get(), 40, 1);

  const CBatch other = c_batch(backend.get(), "cartpole", batch_options(3, 6));
  ASSERT_OK(restore(other.get(), begun));
  EXPECT_EQ(play(other.get(), 40, 1), after);
  ASSERT_OK(restore(other.get(), before));
  EXPECT_EQ(info_of(other.get()).started, 0);
  EXPECT_EQ(info_of(other.get()).seed, 5u);
  float gravity[3];
  ASSERT_OK(gallop_batch_get_parameters(other.get(), "gravity", gravity, 3));
  EXPECT_EQ(gravity[2], 5.0f);
}

TEST(CSnapshot, KeepsTheirPlaces) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(3));
  ASSERT_OK(gallop_batch_reset(batch.get()));
  gallop_batch_buffers before = {}, after = {};
  before.size = after.size = sizeof before;
  ASSERT_OK(gallop_batch_get_buffers(batch.get(), &before));
  ASSERT_OK(restore(batch.get(), bytes_of(batch.get())));
  ASSERT_OK(gallop_batch_get_buffers(batch.get(), &after));
  EXPECT_EQ(std::memcmp(&before, &after, sizeof before), 0);
}

TEST(CSnapshot, OthersAreRefusedAndNothingChanges) {
  const CBackend backend = c_backend(1);
  const CBatch batch = c_batch(backend.get(), "cartpole", batch_options(3));
  ASSERT_OK(gallop_batch_reset(batch.get()));
  play(batch.get(), 5, 1);
  const std::string bytes = bytes_of(batch.get());
  const auto other = [&](const char* name, const gallop_batch_options& options) {
    const CBatch made = c_batch(backend.get(), name, options);
    EXPECT_OK(gallop_batch_reset(made.get()));
    return bytes_of(made.get());
  };
  EXPECT_FAILS(restore(batch.get(), other("pendulum", batch_options(3))), GALLOP_CHECKPOINT,
               "pendulum");
  EXPECT_FAILS(restore(batch.get(), other("cartpole", batch_options(4))), GALLOP_CHECKPOINT,
               "number of instances is 4");
  EXPECT_FAILS(restore(batch.get(), other("cartpole", batch_options(3, 0, GALLOP_SAME_STEP))),
               GALLOP_CHECKPOINT, "reset mode");
  EXPECT_FAILS(restore(batch.get(), ""), GALLOP_CHECKPOINT, "snapshot");
  // Any changed byte, and any cut, shows.
  Random random{2};
  for (int k = 0; k < 500; k++) {
    std::string damaged = bytes;
    if (k % 5 == 0) {
      damaged.resize(std::size_t(random.below(int(bytes.size()))));
    } else {
      damaged[std::size_t(random.below(int(bytes.size())))] ^= char(1 << random.below(8));
    }
    ASSERT_EQ(restore(batch.get(), damaged), GALLOP_CHECKPOINT) << k;
  }
  EXPECT_EQ(bytes_of(batch.get()), bytes);
}

}  // namespace
}  // namespace gallop::testing

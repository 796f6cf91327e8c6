#pragma once

#include <cstdint>
#include <vector>

#include <gallop/host/runtime/backend.h>

namespace gallop {

class Environments;
class TensorFile;

// A batch of transitions in the backend's memory. The inputs of a Q network of observation and
// action stand in one array each: the first O rows are the observations alone.
struct ReplayBatch {
  long count;               // B
  float* input;             // [O + A, B]
  const float* reward;      // [B]
  const float* terminated;  // [B] 1 or 0; episodes cut off by a time limit did not terminate
  float* next_input;        // [O + A, B], whose actions are whatever was written there
};

// The last transitions of an environment, of whatever policy, and batches drawn from them uniformly
// with replacement (kernels/replay/replay.h). All memory is the backend's, which outlives it.
class ReplayBuffer {
 public:
  ReplayBuffer() = default;
  // Of `capacity` transitions, for batches of `batch_size`. Throws a value error for a capacity
  // below 1 or above kMostReplayed, and, before any is taken, for more memory than there is.
  ReplayBuffer(Backend& backend, const Environments& environments, long capacity, long batch_size,
               std::uint64_t seed);
  ReplayBuffer(Backend& backend, int observation_rows, int action_rows, long capacity,
               long batch_size, std::uint64_t seed);

  long capacity() const { return ring_.capacity; }
  long size() const { return size_; }                 // transitions that there are
  std::uint64_t written() const { return written_; }  // so far
  int observation_rows() const { return ring_.observation_rows; }
  int action_rows() const { return ring_.action_rows; }
  const ReplayBatch& batch() const { return batch_; }
  // What numbers noise of the batch that was drawn last (kernels/off_policy/sample_actions.h).
  const ReplayState* state() const { return state_.data(); }

  // Writes all transitions of a recorded rollout, or those of the numbers `kept` (t N + n). Throws
  // a value error for more than the buffer's capacity.
  void write(const Trajectory& rollout);
  void write(const Trajectory& rollout, const std::vector<std::uint32_t>& kept);
  // Draws the next batch. May be recorded (Backend::run). Throws an internal error while the buffer
  // is empty.
  void draw() const;

  // All transitions with their order, and the number of batches: tensors under "replay/". Waits.
  void save(TensorFile& file) const;
  // Of at most `most` transitions that were ever written.
  void load(const TensorFile& file, std::uint64_t most);

 private:
  void write(const Trajectory& rollout, const std::uint32_t* order, long count);

  Backend* backend_ = nullptr;
  std::uint64_t seed_ = 0;
  long size_ = 0;
  std::uint64_t written_ = 0;
  DeviceArray<float> rows_;
  DeviceArray<ReplayState> state_;    // [1]
  DeviceArray<std::uint32_t> order_;  // of transitions that are written
  DeviceArray<float> input_, reward_, terminated_, next_input_;
  ReplayRing ring_ = {};
  ReplayBatch batch_ = {};
};

}  // namespace gallop

#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <gallop/host/files/checkpoint_store.h>

namespace gallop::test {

// States of an imagined run, one a step, that can be told apart.
inline TensorFile state(uint64_t step) {
  TensorFile file;
  std::vector<float> weights(64, 0.5f * static_cast<float>(step));
  file.put<float>("w", {64}, weights);
  return file;
}

inline std::string name(uint64_t step) { return CheckpointStore::file_name(step); }

inline void expect_state(const LoadResult& result, uint64_t step) {
  ASSERT_TRUE(result.checkpoint.has_value());
  EXPECT_EQ(result.checkpoint->step, step);
  EXPECT_EQ(result.checkpoint->file.tensor("w").bytes, state(step).tensor("w").bytes);
}

}  // namespace gallop::test

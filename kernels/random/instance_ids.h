// Global ids of instances: what their random numbers are drawn by, whatever batch, thread or device
// they are on. Instances of one id draw the same numbers in the same episode.
#pragma once

#include <gallop/kernels/numerics/scalar.h>

namespace gallop {

struct InstanceIds {
  std::uint32_t offset;  // instance i has the id offset + i,
  const std::uint32_t*
      id;  // [n, and readable up to the next multiple of 16] or, if not null, id[i]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Those of the register of instances from number i on.
template <class F>
GALLOP_HD Word<F> ids_from(const InstanceIds& ids, int i) {
  if (ids.id != nullptr) return load_words(ids.id + i, kLanesOf<F>, Word<F>());
  return consecutive_words<F>(ids.offset + std::uint32_t(i));
}
// Those of the instances with the numbers `at`.
template <class F>
GALLOP_HD Word<F> ids_at(const InstanceIds& ids, Int<F> at) {
  if (ids.id != nullptr) return gather_words(ids.id, at);
  return Word<F>(ids.offset) + to_word(at);
}
// The ids of the instances from number `begin` on.
GALLOP_HD InstanceIds part_of(const InstanceIds& ids, int begin) {
  return {ids.offset + std::uint32_t(begin), ids.id == nullptr ? nullptr : ids.id + begin};
}

}  // namespace gallop::inline GALLOP_ISA

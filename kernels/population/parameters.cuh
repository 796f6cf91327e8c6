// Parameters of a member on a device, four a thread.
#pragma once

#include <gallop/kernels/policy/population.h>

namespace gallop::inline GALLOP_ISA {

// Blocks of four parameters of a row.
GALLOP_HD long parameter_blocks(const Population& p) { return (p.n_parameters + 3) / 4; }

// Parameters 4 block to 4 block + 3 of a member, of those that there are, to its row.
__device__ __forceinline__ void write_parameters(const Population& p, int member, long block,
                                                 float* row) {
  float eps[4] = {};
  if (p.members == nullptr) perturbations(p, pair_of(p, member), block, eps);
  const long first = 4 * block;
  // What most blocks are; checks and addresses of single elements take as much as their normals.
  if (p.members == nullptr && p.sigma == nullptr && first + 4 <= p.n_parameters) {
    const float sigma = signed_sigma(p, is_mirror(p, member), first);
    const float* const center = p.center + first;
    GALLOP_UNROLL(4)
    for (int c = 0; c < 4; c++) row[first + c] = fmadd(sigma, eps[c], center[c]);
    return;
  }
  GALLOP_UNROLL(4)
  for (int c = 0; c < 4; c++) {
    const long k = 4 * block + c;
    if (k >= p.n_parameters) break;
    row[k] = p.members != nullptr
                 ? p.members[long(member) * p.n_parameters + k]
                 : fmadd(signed_sigma(p, is_mirror(p, member), k), eps[c], p.center[k]);
  }
}

}  // namespace gallop::inline GALLOP_ISA

// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random
// Numbers: As Easy as 1, 2, 3" (SC 2011). A pure function of (counter, key): no state anywhere.
#pragma once

#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

// Counter words may be lanes; the key is one per call. W is Word<F>.
template <class W>
struct PhiloxBlock {
  W word[4];
};

template <class W>
GALLOP_HD PhiloxBlock<W> philox(W c0, W c1, W c2, W c3, std::uint32_t k0, std::uint32_t k1) {
  GALLOP_UNROLL(10)
  for (int round = 0; round < 10; round++) {
    W high0, low0, high1, low1;
    multiply_wide(c0, 0xD2511F53u, high0, low0);
    multiply_wide(c2, 0xCD9E8D57u, high1, low1);
    c0 = high1 ^ c1 ^ W(k0);
    c1 = low1;
    c2 = high0 ^ c3 ^ W(k1);
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

}  // namespace gallop::inline GALLOP_ISA

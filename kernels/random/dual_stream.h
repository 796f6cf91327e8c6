// Random numbers beside derivatives: those of B, which nothing is derived by. Noise is fixed by its
// counters; what is made of it is not (the reparameterisation of a stochastic step).
#pragma once

#include <gallop/kernels/numerics/dual.h>
#include <gallop/kernels/random/stream.h>

namespace gallop::inline GALLOP_ISA {

template <class B, int K>
struct Rng<Dual<B, K>> : Rng<B> {
  using Rng<B>::Rng;
  GALLOP_HD Dual<B, K> uniform() { return Rng<B>::uniform(); }
  GALLOP_HD Dual<B, K> uniform(Dual<B, K> low, Dual<B, K> high) {
    return fmadd(uniform(), high - low, low);
  }
  GALLOP_HD Dual<B, K> normal() { return Rng<B>::normal(); }
};

}  // namespace gallop::inline GALLOP_ISA

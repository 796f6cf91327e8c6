// Many policies of one shape around a centre, none of which has to stand in memory: any parameter
// of any member is a pure function of its numbers, so there is no table of noise, and it has the
// same bits wherever it is made (Salimans et al. 2017, arXiv:1703.03864, whose workers exchange
// seeds).
//
//   theta[k] = center[k] + s sigma[k] eps(pair, k)
//
// Member m has the id first_member + m. With mirrored pairs s = +1 for even ids and -1 for odd
// ones, and pair = id / 2; else s = 1 and pair = id. eps is standard normal: purpose
// kRandomPerturbation, counter (pair, generation, k / 4, 0), whose words 0 and 1 give the elements
// k % 4 = 0 and 1, words 2 and 3 the other two.
//
// With a rank r > 0 the weights of each layer take a perturbation of low rank instead (EGGROLL,
// arXiv:2511.16652): eps[i, j] = r^(-1/2) sum over q of A[i, q] B[q, j], with A [inputs, r] and
// B [r, outputs] standard normal, counter (pair, generation, number / 4, 1), where the factors of
// all layers are numbered one after the other; biases and a head's parameters stay as they are
// above.
#pragma once

#include <gallop/kernels/policy/shape.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {

struct Population {
  PolicyShape shape;  // of policies, and of low rank; else it may be empty
  Normalization normalization;
  int n_members;      // P
  int mirrored;       // 1: ids 2 i and 2 i + 1 are a pair
  long n_parameters;  // D < 2^32
  const float*
      members;  // [P, D], or null for perturbations of the centre; the rest is not read then
  const float* center;  // [D]
  const float* sigma;   // [D], or null for sigma_all
  float sigma_all;
  int rank;  // of the perturbations of a layer; 0: full
  std::uint64_t seed;
  std::uint32_t generation, first_member;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD std::uint32_t member_id(const Population& p, int member) {
  return p.first_member + std::uint32_t(member);
}
GALLOP_HD std::uint32_t pair_of(const Population& p, int member) {
  const std::uint32_t id = member_id(p, member);
  return p.mirrored != 0 ? id / 2 : id;
}
GALLOP_HD bool is_mirror(const Population& p, int member) {
  return p.mirrored != 0 && member_id(p, member) % 2 == 1;
}

// What is wrong with a population, or null. Of a population of policies, its shape as well.
GALLOP_HD const char* population_refusal(const Population& p) {
  if (p.n_members < 1) return "a population without members; expected at least 1";
  if (p.n_parameters < 1 || p.n_parameters > 0x7fffffff) {
    return "the members of a population have from 1 to 2^31 - 1 parameters";
  }
  if (p.members != nullptr) return nullptr;
  if (p.rank < 0) return "the rank of perturbations is negative; expected 0 (full) or more";
  if (p.mirrored != 0 && (p.n_members % 2 != 0 || p.first_member % 2 != 0)) {
    return "mirrored members come in pairs; expected an even number of them, from an even id on";
  }
  return nullptr;
}

// Which draws of Philox's counter are taken.
constexpr std::uint32_t kElementDraw = 0, kFactorDraw = 1;

// Normals 4 block to 4 block + 3 of a pair, in lanes over pairs or blocks.
template <class F>
GALLOP_HD void perturbation_block(const Population& p, Word<F> pair, Word<F> block,
                                  std::uint32_t draw, F (&z)[4]) {
  const PhiloxBlock<Word<F>> words =
      philox<Word<F>>(pair, Word<F>(p.generation), block, Word<F>(draw), key_low(p.seed),
                      key_high(p.seed, kRandomPerturbation));
  to_normals<F>(words.word[0], words.word[1], z[0], z[1]);
  to_normals<F>(words.word[2], words.word[3], z[2], z[3]);
}

// One of them.
GALLOP_HD float perturbation_normal(const Population& p, std::uint32_t pair, long number,
                                    std::uint32_t draw) {
  float z[4];
  perturbation_block<float>(p, pair, std::uint32_t(number / 4), draw, z);
  const int at = int(number % 4);
  return at == 0 ? z[0] : at == 1 ? z[1] : at == 2 ? z[2] : z[3];
}

// Matrices of the network, of each of which perturbations of low rank are made.
struct LayerFactors {
  int n_in, n_out;
  long weight;  // number of its first weight among the parameters
  long first;   // number of its first factor: A [n_in, r], then B [r, n_out]
};
GALLOP_HD LayerFactors layer_factors(const Population& p, int layer) {
  const NetworkShape& network = p.shape.network;
  LayerFactors at = {network.width[0], network.width[1], 0, 0};
  for (int l = 1; l <= layer; l++) {
    at.first += long(p.rank) * (at.n_in + at.n_out);
    at.n_in = network.width[l];
    at.n_out = network.width[l + 1];
  }
  at.weight = layer_offset(network, layer);
  return at;
}
// Factors of all layers.
GALLOP_HD long factor_count(const Population& p) {
  long count = 0;
  for (int l = 0; l < p.shape.network.n_layers; l++) {
    count += long(p.rank) * (p.shape.network.width[l] + p.shape.network.width[l + 1]);
  }
  return count;
}
GALLOP_HD float rank_scale(const Population& p) { return reciprocal(sqrt(float(p.rank))); }

// eps(pair, k) of a population of any rank, alone.
GALLOP_HD float perturbation(const Population& p, std::uint32_t pair, long k) {
  for (int l = 0; p.rank > 0 && l < p.shape.network.n_layers; l++) {
    const LayerFactors at = layer_factors(p, l);
    const long weight = k - at.weight;
    if (weight < 0 || weight >= long(at.n_in) * at.n_out) continue;
    // A division of 64 bits is a subroutine on a device.
    const long row = unsigned(weight) / unsigned(at.n_out);
    const long column = unsigned(weight) % unsigned(at.n_out);
    float sum = 0.0f;
    for (int q = 0; q < p.rank; q++) {
      const long a = at.first + row * p.rank + q;
      const long b = at.first + long(at.n_in) * p.rank + long(q) * at.n_out + column;
      sum = fmadd(perturbation_normal(p, pair, a, kFactorDraw),
                  perturbation_normal(p, pair, b, kFactorDraw), sum);
    }
    return sum * rank_scale(p);
  }
  return perturbation_normal(p, pair, k, kElementDraw);
}

// Elements 4 block to 4 block + 3 of eps, for one thread of a device.
GALLOP_HD void perturbations(const Population& p, std::uint32_t pair, long block, float (&eps)[4]) {
  if (p.rank == 0) {
    perturbation_block<float>(p, pair, std::uint32_t(block), kElementDraw, eps);
    return;
  }
  for (int c = 0; c < 4; c++) eps[c] = perturbation(p, pair, 4 * block + c);
}

// sigma[k] with the sign of a member.
GALLOP_HD float signed_sigma(const Population& p, bool mirror, long k) {
  const float sigma = p.sigma != nullptr ? p.sigma[k] : p.sigma_all;
  return mirror ? -sigma : sigma;
}

}  // namespace gallop::inline GALLOP_ISA

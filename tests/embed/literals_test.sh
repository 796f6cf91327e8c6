#!/usr/bin/env bash
# literals_test.sh <build>: what an environment may not do with an F does not compile, for lanes, for
# scalars and for CUDA, by any compiler that is here, and the compiler is given the words to say so.
# What it may do compiles.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:?the build folder}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Lines of a step; F's at hand: push, rest, s.position, s.velocity.
cat >"$work/refused" <<'END'
s.position = 0.9 * s.position;
s.position = s.position * 2.0f;
s.position = s.position + 1;
s.position = 1.0 / s.position;
s.position = s.position * 0.9L;
s.position = s.position * true;
s.position = -(0.5 * s.position);
s.position = select(s.position > 0.5, push, rest);
s.position = select(0 == s.position, push, rest);
s.position = select(push > rest, 1.0, 0.0);
s.position = select(push > rest, push, 0.0f);
s.position = min(s.position, 1.0);
s.position = max(0, s.position);
s.position = fmadd(0.5, push, rest);
s.position = std::sin(s.position);
s.position = ::exp(s.position);
s.position = fabsf(s.position);
s.position = std::pow(s.position, 2);
s.position = std::max(push, rest);
s.position = std::clamp(push, rest, s.position);
s.position = sin(2 * s.position);
s.position = pow(s.position, 2);
s.position = gallop::pow(2.0, s.position);
s.position = atan2(s.position, 1.0f);
F x = 0.1; s.position = x;
F x = 0; s.position = x;
F x[2] = {0.5, 1}; s.position = x[0];
s.position = 0.5;
s.position *= 0.5;
s.position /= 2;
s.position -= 1.0f;
s.position++;
--s.position;
const int n = 3; s.position = s.position * n;
const double k = 0.3; s.position = k * s.position;
constexpr float kStep = 0.02f; s.position += kStep * s.velocity;
s.position = kTimeLimit * s.position;
s.position = scaled(s.position, 3.0);
s.position = literal<F>();
s.position = F(plain(s.position));
const auto half = [](F x) { return 0.5 * x; }; s.position = half(s.position);
s.position = push > rest ? push : rest;
if (push > rest) s.position = rest;
if (!push) s.position = rest;
while (s.position > rest) s.position -= rest;
s.position = select(push > rest && push > s.velocity, push, rest);
s.position = select(push > rest || push > s.velocity, push, rest);
s.position = s.position * (push > rest);
const Mask<F> never = false; s.position = select(never, push, rest);
const double x = s.position; s.position = real<F>(x);
const float x = s.position; s.position = F(x);
const int i = int(s.position); s.position = F(i);
s.position = real<F>(s.position);
s.position = s.position * to_int(push);
s.position = to_real(to_int(push) * 0.5);
const float table[] = {1, 2}; s.position = F(table[to_int(push)]);
s.position = rng.uniform(-1.0, 1.0);
if (rng.uniform() < 0.5) s.position = rest;
END
cat >"$work/taken" <<'END'
s.position = real<F>(0.9) * s.position; s.position /= rest; s.position = +push; s.position += -rest;
s.position = select((push > rest) | !(rest > push), push, rest);
s.position = select(mask_of<F>(true), push, rest); s.position = select(kTimeLimit > 3, push, rest);
const Int<F> i = to_int(push); s.position = select(i == 1, push, to_real(i * Int<F>(3) + 2 - i / 2));
F x[2] = {}; F y{}; s.position = F(0.5) * x[1] + y; if (any(push > rest)) s.position = min(push, rest);
const double k = 2 * 0.5; for (int i = 0; i < 3; i++) s.position = s.position * real<F>(k * i);
s.position = sin(push) + gallop::cos(push) + exp(rest) + log(rest) + tanh(rest) + sqrt(abs(rest));
s.position = pow(push, real<F>(1.5)) + gallop::atan2(push, rest);
s.position = floor(push) + reciprocal(push) + rng.uniform() + rng.uniform(push, rest) + rng.normal();
const float table[] = {1, 2}; s.position = gather(table, to_int(push) & Int<F>(1)) + F(table[1]);
END

# environment <line>: the example's environment with the line in its step.
environment() {
  awk -v line="$1" '
    /#pragma once/ { print; print "#include <algorithm>\n#include <cmath>"; next }
    /struct Parameters/ {
      print "  static GALLOP_HD F literal() { return 0.5; }"
      print "  template <class F>\n  static GALLOP_HD F scaled(F x, double k) { return x * k; }"
      print "  static GALLOP_HD float plain(float x) { return x * 0.5f; }"
      print "  template <class F>"
    }
    /const Mask<F> escaped/ { print "    " line }
    { sub(/Rng<F>&\) \{/, "Rng<F>\\& rng) {"); print }' \
    "$root/examples/embed/spring.h"
}

compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
flags=(-std=c++20 -ffp-contract=off -fsyntax-only -w -I "$build/include")
bad=0
# expect <refused or taken> <line> <name of the compilation> <command>...
expect() {
  local wanted=$1 line=$2 name=$3 got=taken
  shift 3
  if ! "$@" >"$work/log" 2>&1 </dev/null; then got=refused; fi
  if [[ $got != "$wanted" ]]; then
    echo "$name: $got, but expected $wanted: $line"
    if [[ $got == refused ]]; then head -n 20 "$work/log"; fi
    bad=1
  elif [[ $got == refused ]] && ! grep -q 'error.*real<F>' "$work/log"; then
    echo "$name: refused without naming real<F>: $line"
    head -n 20 "$work/log"
    bad=1
  fi
}

# The contract, parsed once for each compiler.
printf '%s\n' '#include <algorithm>' '#include <cmath>' '#include <gallop/kernels/environment/contract.h>' \
  >"$work/contract.h"
"$compiler" "${flags[@]/-fsyntax-only/-xc++-header}" "$work/contract.h" -o "$work/contract.h.gch" || exit 1
if command -v clang++ >/dev/null; then
  clang++ "${flags[@]/-fsyntax-only/-xc++-header}" "$work/contract.h" -o "$work/contract.pch" || exit 1
fi

count=0
for wanted in refused taken; do
  while IFS= read -r line; do
    count=$((count + 1))
    environment "$line" >"$work/spring.h"
    if ! grep -qF -- "$line" "$work/spring.h"; then
      echo "the line is not in the environment: $line"
      exit 1
    fi
    echo '#include "spring.h"' >"$work/check.cpp"
    expect "$wanted" "$line" "$compiler, scalar" "$compiler" "${flags[@]}" -include "$work/contract.h" "$work/check.cpp"
    if command -v clang++ >/dev/null; then
      expect "$wanted" "$line" "clang++, scalar" clang++ "${flags[@]}" -include-pch "$work/contract.pch" "$work/check.cpp"
    fi
  done <"$work/$wanted"
done

# As the build compiles it: units of lanes, of one instance at a time, and of CUDA.
unit() {
  environment "$1" >"$work/spring.h"
  printf '#include "spring.h"\n#include <gallop/kernels/tables/%s>\n%s(Spring)\n' \
    environment_table_impl.h GALLOP_INSTANTIATE_CPU >"$work/unit.cpp"
  printf '#include "spring.h"\n#include <gallop/kernels/tables/%s>\n%s(Spring)\n' \
    cuda_environment_table_impl.cuh GALLOP_INSTANTIATE_CUDA >"$work/unit.cu"
}
nvcc=$(PATH=$PATH:/usr/local/cuda/bin command -v nvcc)
while read -r wanted line; do
  unit "$line"
  for isa in "scalar" "v3 -mavx2 -mfma"; do
    expect "$wanted" "$line" "unit $isa" "$compiler" "${flags[@]}" -DGALLOP_ISA=isa_$isa "$work/unit.cpp"
  done
  if [[ -n $nvcc && $wanted == refused ]]; then
    expect "$wanted" "$line" "unit cuda" "$nvcc" -std=c++20 -arch=sm_90 --fmad=false -I "$build/include" \
      --expt-relaxed-constexpr -DGALLOP_ISA=isa_cuda -cuda -o "$work/unit.ii" "$work/unit.cu"
  fi
done <<END
refused s.position = 0.9 * s.position;
refused s.position = push > rest ? push : rest;
taken $(sed 's/.*/{ & }/' "$work/taken" | tr '\n' ' ')
END
echo "$count lines met the compilers"
exit "$bad"

#!/usr/bin/env bash
# check_bits.sh [root] [levels]: builds tests/bits/*.cpp with g++ and clang++, at each optimisation
# level ("-O0 -O3" by default), for scalar, AVX2 and AVX-512, and compares what the programs print.
# A source that says "check_bits: from -O1 on" is built at -O1 where the others are at -O0.
# All must print the same hashes: the arithmetic is one function of its inputs, whoever compiles it.
set -uo pipefail
root=${1:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)}
read -r -a levels <<<"${2:--O0 -O3}"
cd -- "$root" || exit 1

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# The build's own lists of flags are the only source of them.
isa_flags() {
  cmake -DCMAKE_SYSTEM_PROCESSOR=x86_64 "-DISA=$1" -P "$work/flags.cmake" 2>&1
}
cat >"$work/flags.cmake" <<EOF
include("$root/cmake/GallopIsa.cmake")
list(JOIN GALLOP_ISA_FLAGS_\${ISA} " " text)
message("\${GALLOP_NUMERIC_FLAGS} \${text}")
EOF

shopt -s nullglob
sources=(tests/bits/*.cpp)
if ((${#sources[@]} == 0)); then
  echo "check_bits: there is no tests/bits/*.cpp in $root" >&2
  exit 1
fi
isas=(scalar v3)
if grep -qw avx512dq /proc/cpuinfo; then
  isas+=(v4)
else
  echo "check_bits: this processor has no AVX-512; v4 is left out"
fi
for compiler in g++ clang++; do
  if ! command -v "$compiler" >/dev/null; then
    echo "check_bits: $compiler is not installed" >&2
    exit 1
  fi
done

build_and_run() {
  local compiler=$1 level=$2 isa=$3 name=$1$2-$3 flags source own_level objects=()
  read -r -a flags <<<"$(isa_flags "$isa")"
  flags+=(-std=c++20 -Wno-psabi -I . "-DGALLOP_ISA=isa_$isa")
  mkdir -p -- "$work/$name.objects" || return 1
  for source in "${sources[@]}"; do
    own_level=$level
    if [[ $level == -O0 ]] && grep -q 'check_bits: from -O1 on' "$source"; then own_level=-O1; fi
    objects+=("$work/$name.objects/$(basename -- "$source").o")
    "$compiler" "$own_level" "${flags[@]}" -c "$source" -o "${objects[-1]}" || return 1
  done >"$work/$name.log" 2>&1
  "$compiler" "${objects[@]}" -o "$work/$name" -pthread >>"$work/$name.log" 2>&1 &&
    "$work/$name" >"$work/$name.txt" 2>>"$work/$name.log"
}

bad=0
names=()
for compiler in g++ clang++; do
  for level in "${levels[@]}"; do
    for isa in "${isas[@]}"; do
      build_and_run "$compiler" "$level" "$isa" &
      names+=("$compiler$level-$isa")
      while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n; done
    done
  done
done
wait

reference=$work/${names[0]}.txt
for name in "${names[@]}"; do
  if [[ ! -s $work/$name.txt ]]; then
    echo "check_bits: $name did not build, or printed nothing:" >&2
    tail -n 20 "$work/$name.log" >&2
    bad=1
  elif ! diff "$reference" "$work/$name.txt" >&2; then
    echo "check_bits: $name differs from ${names[0]}" >&2
    bad=1
  fi
done
if ((bad == 0)); then
  echo "check_bits: ${#names[@]} builds print the same $(wc -l <"$reference") lines"
fi
exit "$bad"

#!/usr/bin/env bash
# check_bits.sh [root] [levels]: builds tests/bits/*.cpp with g++ and clang++, at each optimisation
# level ("-O0 -O3" by default), for scalar, AVX2 and AVX-512, and compares what the programs print.
# A source that says "check_bits: one level" is built once for each compiler and instruction set: at the
# last level by g++, as the program is, and at -O1 by clang++.
# All must print the same hashes: the arithmetic is one function of its inputs, whoever compiles it.
set -uo pipefail
root=${1:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)}
read -r -a levels <<<"${2:--O0 -O3}"
cd -- "$root" || exit 1

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

mkdir -- "$work/include" && ln -s -- "$PWD" "$work/include/gallop" || exit 1

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

# level_of <compiler> <level> <source>
level_of() {
  if ! grep -q 'check_bits: one level' "$3"; then
    echo "$2"
  elif [[ $1 == g++ ]]; then
    echo "${levels[-1]}"
  else
    echo -O1
  fi
}
# object_of, compile <compiler> <level> <isa> <source>
object_of() { printf '%s/%s%s-%s.%s.o' "$work" "$1" "$2" "$3" "$(basename -- "$4")"; }
compile() {
  local flags
  read -r -a flags <<<"$(isa_flags "$3")"
  flags+=(-std=c++20 -Wno-psabi -I . -I "$work/include" "-DGALLOP_ISA=isa_$3")
  "$1" "$2" "${flags[@]}" -c "$4" -o "$(object_of "$@")" >>"$work/$1-$3.log" 2>&1
}
# link_and_run <compiler> <level> <isa>
link_and_run() {
  local compiler=$1 level=$2 isa=$3 name=$1$2-$3 source objects=()
  for source in "${sources[@]}"; do
    objects+=("$(object_of "$compiler" "$(level_of "$compiler" "$level" "$source")" "$isa" "$source")")
  done
  "$compiler" "${objects[@]}" -o "$work/$name" -pthread >>"$work/$compiler-$isa.log" 2>&1 &&
    "$work/$name" >"$work/$name.txt" 2>>"$work/$compiler-$isa.log"
}

bad=0
names=()
declare -A compiled=()
for compiler in g++ clang++; do
  for source in "${sources[@]}"; do
    for level in "${levels[@]}"; do
      own_level=$(level_of "$compiler" "$level" "$source")
      for isa in "${isas[@]}"; do
        object=$(object_of "$compiler" "$own_level" "$isa" "$source")
        if [[ -n ${compiled[$object]:-} ]]; then continue; fi
        compiled[$object]=1
        compile "$compiler" "$own_level" "$isa" "$source" &
        while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n; done
      done
    done
  done
done
wait
for compiler in g++ clang++; do
  for level in "${levels[@]}"; do
    for isa in "${isas[@]}"; do
      link_and_run "$compiler" "$level" "$isa" &
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
    tail -n 20 "$work/${name/-O[0-3]/}.log" >&2
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

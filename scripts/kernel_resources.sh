#!/usr/bin/env bash
# kernel_resources.sh [build]: reads what the assembler reported while a CUDA build was made
# (scripts/nvcc_with_report.sh), and prints one CSV row for each kernel of compute capability 9.0:
# unit, kernel, registers, bytes of stack frame, spill stores, spill loads, static shared memory and
# machine code. docs/kernel_resources.csv keeps the output (docs/kernel_resources.md says how to read
# it). Fails where a kernel of a fused rollout spills, or one that keeps a chunk of samples in shared
# memory. Rollouts of long steps (mode 3) and those that record states, which serve all modes, are
# excepted: articulated bodies live in local memory anyway, as do the arrays of lqr, whose sizes come at
# run time; those of mode fast with 256 units, which spill a dozen words of 255 registers; and up to ten
# words of block and register rollouts, around the call that draws an episode's parameters, where any are.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd -- "${1:-$root/build/cuda}" && pwd) || exit 1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

ninja -C "$build" -t commands gallop | grep -oE ' -o [^ ]+\.cu\.o( |$)' | awk '{ print $2 }' |
  LC_ALL=C sort -u >"$work/objects"
if [[ ! -s $work/objects ]]; then
  echo "kernel_resources: $build has no .cu file; configure it with --preset cuda" >&2
  exit 1
fi

# The section .text.<kernel> of a cubin holds its machine code; readelf warns of the sections that it
# does not know.
code_sizes() {
  local kernel bytes
  readelf -SW "$1" 2>/dev/null |
    sed -nE 's/.* \.text\.([^ ]+) +PROGBITS +[0-9a-f]+ +[0-9a-f]+ +([0-9a-f]+) .*/\1 \2/p' |
    while read -r kernel bytes; do echo "$kernel $((16#$bytes))"; done
}

while IFS= read -r object; do
  unit=$(basename -- "$object" .cu.o)
  if [[ $object != /* ]]; then object=$build/$object; fi
  if [[ ! -s $object.ptxas || ! -s $object.cubin ]]; then
    echo "kernel_resources: $object.ptxas or .cubin is missing; build the target gallop first" >&2
    exit 1
  fi
  cp -- "$object.ptxas" "$work/$unit.txt"
  code_sizes "$object.cubin" >"$work/$unit.code"
done <"$work/objects"

echo "unit,kernel,registers,stack_bytes,spill_store_bytes,spill_load_bytes,shared_bytes,code_bytes"
for report in "$work"/*.txt; do
  unit=$(basename -- "$report" .txt)
  if ! grep -q 'Used [0-9]* registers' "$report"; then
    echo "kernel_resources: $unit did not compile, or holds no kernel:" >&2
    tail -n 20 "$report" >&2
    exit 1
  fi
  awk -v unit="$unit" -v codes="$work/$unit.code" '
    BEGIN { while ((getline line < codes) > 0) { split(line, part, " "); code[part[1]] = part[2] } }
    /Compiling entry function/ {
      wanted = /\x27sm_90a?\x27/
      mangled = $0
      sub(/^[^\x27]*\x27/, "", mangled)
      sub(/\x27 for .*$/, "", mangled)
      demangle = "c++filt " mangled
      demangle | getline kernel
      close(demangle)
      sub(/^void /, "", kernel)
      gsub(/gallop::|isa_cuda::/, "", kernel)
      while (match(kernel, /\([A-Za-z0-9_]+\)-?[0-9]/)) {  # an enumerator: (ResetMode)1
        cast = substr(kernel, RSTART, RLENGTH)
        sub(/^\([A-Za-z0-9_]+\)/, "", cast)
        kernel = substr(kernel, 1, RSTART - 1) cast substr(kernel, RSTART + RLENGTH)
      }
      sub(/\(.*$/, "", kernel)
      gsub(/, /, " ", kernel)
    }
    /bytes stack frame/ { stack = $1; stores = $5; loads = $9 }
    wanted && /Used [0-9]+ registers/ {
      shared = 0
      if (match($0, /[0-9]+ bytes smem/)) shared = substr($0, RSTART) + 0
      for (i = 1; i < NF; i++) if ($i == "Used") registers = $(i + 1)
      printf "%s,%s,%d,%d,%d,%d,%d,%s\n", unit, kernel, registers, stack, stores, loads, shared,
             code[mangled]
    }' <"$report"
done >"$work/rows"
if [[ ! -s $work/rows ]]; then
  echo "kernel_resources: $build has no kernel for compute capability 9.0" >&2
  exit 1
fi
grep -v ',cub::' "$work/rows" | LC_ALL=C sort  # CUB's own depend on the toolkit
if (($(wc -l <"$work/rows") < $(cat "$work"/*.txt | grep -cE "Compiling entry .*'sm_90a?'"))); then
  echo "kernel_resources: rows are missing" >&2
  exit 1
fi
if awk -F, '$2 ~ /rollout|(gradient|fisher_.*|divergence)_kernel<true( [01])?>|tensor_values/ &&
             $2 !~ / 3( [01])?>|state_rollout|tensor_rollout_kernel<[A-Za-z]* 256 |register_rollout_kernel<Lqr [012] 0>/ && $5 + $6 > ($2 ~ /(block|register)_rollout/ ? 40 : 0) { print "kernel_resources: spills: " $0; bad = 1 }
            END { exit !bad }' "$work/rows" >&2; then
  exit 1
fi

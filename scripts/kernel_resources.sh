#!/usr/bin/env bash
# kernel_resources.sh [build]: compiles every .cu file of a configured CUDA build once more, to a cubin
# for compute capability 9.0 with the assembler's report on, and prints one CSV row for each kernel:
# unit, kernel, registers, bytes of stack frame, spill stores, spill loads, static shared memory and
# machine code. docs/kernel_resources.csv keeps the output (docs/kernel_resources.md says how to read
# it). Fails where a kernel of a fused rollout spills, or one that keeps a chunk of samples in shared
# memory. Rollouts of long steps (mode 3) are excepted: articulated bodies live in local memory anyway.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=${1:-$root/build/cuda}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# The compile commands of the .cu files, one a line; ninja prints them without running them.
ninja -C "$build" -t commands gallop | grep -E ' -x cu | -c [^ ]*\.cu ' >"$work/commands"
if [[ ! -s $work/commands ]]; then
  echo "kernel_resources: $build has no .cu file; configure it with --preset cuda" >&2
  exit 1
fi

compile() {
  local command=$1 name=$2
  command=$(sed -E "s# -o [^ ]+# -o '$work/$name.cubin'#; s# -MF [^ ]+# -MF '$work/$name.d'#" \
    <<<"$command")
  command=$(sed -E "s#\"?--generate-code=[^ ]+#-arch=sm_90#g; s# -c # -cubin #" <<<"$command")
  (cd -- "$build" && bash -c "$command -Xptxas=-v") >"$work/$name.txt" 2>&1 || return
  # The section .text.<kernel> of the cubin holds its machine code; readelf warns of the sections that
  # it does not know.
  local kernel bytes
  readelf -SW "$work/$name.cubin" 2>/dev/null |
    sed -nE 's/.* \.text\.([^ ]+) +PROGBITS +[0-9a-f]+ +[0-9a-f]+ +([0-9a-f]+) .*/\1 \2/p' |
    while read -r kernel bytes; do echo "$kernel $((16#$bytes))"; done >"$work/$name.code"
}

while IFS= read -r command; do
  unit=$(grep -oE '[^ /]+\.cu( |$)' <<<"$command" | head -n 1)
  unit=${unit%.cu*}
  compile "$command" "$unit" &
  while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n; done
done <"$work/commands"
wait

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
    /Used [0-9]+ registers/ {
      shared = 0
      if (match($0, /[0-9]+ bytes smem/)) shared = substr($0, RSTART) + 0
      for (i = 1; i < NF; i++) if ($i == "Used") registers = $(i + 1)
      printf "%s,%s,%d,%d,%d,%d,%d,%s\n", unit, kernel, registers, stack, stores, loads, shared,
             code[mangled]
    }' <"$report"
done >"$work/rows"
grep -v ',cub::' "$work/rows" | LC_ALL=C sort  # CUB's own depend on the toolkit
if (($(wc -l <"$work/rows") < $(cat "$work"/*.txt | grep -c 'Used [0-9]* registers'))); then
  echo "kernel_resources: rows are missing" >&2
  exit 1
fi
if awk -F, '$2 ~ /rollout|(gradient|fisher_.*|divergence)_kernel<true>/ && $2 !~ / 3( [01])?>/ && $5 + $6 > 0 { print "kernel_resources: spills: " $0; bad = 1 }
            END { exit !bad }' "$work/rows" >&2; then
  exit 1
fi

#!/usr/bin/env bash
# nvcc_with_report.sh nvcc ...: compiles a .cu file and keeps, beside the object, what
# scripts/kernel_resources.sh and scripts/kernel_facts.py read: the assembler's report of registers,
# stack and spills as <object>.ptxas, and for compute capability 9.0, or the first there is, its
# machine code as <object>.cubin and the PTX that it read as <object>.ptx. The build starts it in
# place of nvcc; all other messages pass through.
set -uo pipefail
object=""
arguments=("$@")
for ((i = 0; i + 1 < $#; i++)); do
  if [[ ${arguments[i]} == -o ]]; then object=${arguments[i + 1]}; fi
done
if [[ -z $object ]]; then
  exec "$@"
fi
kept=$object.kept
trap 'rm -rf -- "$kept"' EXIT
mkdir -p -- "$kept" || exit 1
rm -f -- "$object.cubin" "$object.ptx"
status=0
"$@" -Xptxas=-v --keep --keep-dir "$kept" 2>"$object.ptxas" || status=$?
grep -vE '^ptxas info|bytes stack frame,.*spill' "$object.ptxas" >&2
shopt -s nullglob
for cubin in "$kept"/*sm_90*.cubin "$kept"/*.cubin; do
  if [[ ! -e $object.cubin ]]; then mv -- "$cubin" "$object.cubin"; fi
done
for ptx in "$kept"/*compute_90*.ptx "$kept"/*.ptx; do
  if [[ ! -e $object.ptx ]]; then mv -- "$ptx" "$object.ptx"; fi
done
exit "$status"

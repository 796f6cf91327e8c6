#!/usr/bin/env bash
# nvcc_with_report.sh nvcc ...: compiles a .cu file and keeps, beside the object, what
# scripts/kernel_resources.sh reads: the assembler's report of registers, stack and spills as
# <object>.ptxas, and its machine code for compute capability 9.0 as <object>.cubin. The build starts
# it in place of nvcc; all other messages pass through.
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
rm -f -- "$object.cubin"
status=0
"$@" -Xptxas=-v --keep --keep-dir "$kept" 2>"$object.ptxas" || status=$?
grep -vE '^ptxas info|bytes stack frame,.*spill' "$object.ptxas" >&2
shopt -s nullglob
for cubin in "$kept"/*sm_90*.cubin "$kept"/*.cubin; do
  if [[ ! -e $object.cubin ]]; then mv -- "$cubin" "$object.cubin"; fi
done
exit "$status"

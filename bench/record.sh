#!/usr/bin/env bash
# record.sh PROGRAM FOLDER [PYTHON]: measures this machine and writes the tables that are committed:
# rollout-v4.csv and rollout-v3.csv (where the processor has the instructions) and, with a PYTHON
# that has bench/peers/requirements.txt, peers.csv; each line with the commit and the processor.
# Let nothing else run meanwhile.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
(($# == 2 || $# == 3)) || { echo "usage: bench/record.sh PROGRAM FOLDER [PYTHON]" >&2; exit 2; }
program=$(realpath -- "$1")
folder=$2
python=${3:-}
commit=$(git -C "$root" rev-parse --short=12 HEAD)
[[ -z $(git -C "$root" status --porcelain --untracked-files=no -- kernels sims bench) ]] ||
  commit+=-modified
processor=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | sed -n 1p)
mkdir -p -- "$folder"

# The measured table with two columns more.
finish() {
  awk -v commit="$commit" -v processor="$processor" \
    'NR == 1 { print $0 ",commit,processor"; next } { print $0 "," commit "," processor }' \
    "$1" >"$2"
  rm -- "$1"
}

for isa in v4 v3; do
  if [[ $isa == v4 ]] && ! grep -qw avx512dq /proc/cpuinfo; then continue; fi
  GALLOP_ISA=$isa "$program" bench rollout --csv "$folder/measured"
  finish "$folder/measured" "$folder/rollout-$isa.csv"
done
if [[ -n $python ]]; then
  "$python" "$root/bench/peers/run.py" "$program" --csv "$folder/measured"
  finish "$folder/measured" "$folder/peers.csv"
fi

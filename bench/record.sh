#!/usr/bin/env bash
# record.sh PROGRAM FOLDER [PYTHON]: measures this machine and writes the tables that are committed:
# {rollout,fisher,gae,trpo,ppo}-v4.csv and -v3.csv (where the processor has the instructions) and, with a
# PYTHON that has the peers, peers.csv (bench/peers/requirements.txt), peers-trpo.csv
# (requirements-trpo.txt) and peers-rltools.csv (requirements-rltools.txt and OpenBLAS), whichever it
# has; each line with the commit and the processor. SUITES names the suites to measure, by default
# "rollout fisher gae trpo ppo".
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
  for suite in ${SUITES:-rollout fisher gae trpo ppo}; do
    GALLOP_ISA=$isa "$program" bench "$suite" --csv "$folder/measured"
    finish "$folder/measured" "$folder/$suite-$isa.csv"
  done
done
# peers MODULE SCRIPT TABLE: where the Python has the module.
peers() {
  "$python" -c "import $1" 2>/dev/null || { echo "record.sh: $python has no $1; no $3" >&2; return; }
  "$python" "$root/bench/peers/$2" "$program" --csv "$folder/measured"
  finish "$folder/measured" "$folder/$3"
}
if [[ -n $python ]]; then
  peers envpool run.py peers.csv
  peers sb3_contrib trpo.py peers-trpo.csv
  peers rltools rltools_ppo.py peers-rltools.csv
fi

#!/usr/bin/env bash
# check_build_times.sh [root] [build]: the longest compilations of a build folder, from ninja's own
# log. Fails where a file took more than 60 s: it stands in the way of parallel builds.
set -uo pipefail
root=${1:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)}
build=${2:-$root/build/release}
limit_s=60
if [[ ! -s $build/.ninja_log ]]; then
  echo "check_build_times: $build has no .ninja_log; build first" >&2
  exit 1
fi
# Columns: start and end in ms, time stamp, output, hash. A later line replaces an earlier one.
awk -F '\t' -v limit="$limit_s" '
  NF >= 4 && $4 ~ /\.o$/ { seconds[$4] = ($2 - $1) / 1000 }
  END {
    for (unit in seconds) {
      n++
      total += seconds[unit]
      if (seconds[unit] > limit) {
        printf "check_build_times: %s took %.0f s, more than %d\n", unit, seconds[unit], limit
        bad = 1
      }
      printf "%8.1f s  %s\n", seconds[unit], unit | "sort -rn | head -n 8"
    }
    close("sort -rn | head -n 8")
    printf "check_build_times: %d files, %.0f s of compilation\n", n, total
    exit bad || n == 0
  }' "$build/.ninja_log"

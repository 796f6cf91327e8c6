#!/usr/bin/env bash
# check_includes.sh [root]: reads the include graph of Gallop's own files. Fails where an include
# points against the rooms' arrows, does not name a file from the root, or closes a cycle.
#
#   kernels -> kernels                  host -> kernels, host
#   sims -> kernels, sims               algorithms -> kernels, host, algorithms
#   bench, tests, python, examples -> all
#   host/program is where everything meets: it may include bench as well.
set -uo pipefail
root=${1:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)}
cd -- "$root" || exit 1

rooms=()
for room in kernels sims host algorithms bench tests python; do
  if [[ -d $room ]]; then rooms+=("$room"); fi
done
if ((${#rooms[@]} == 0)); then
  echo "check_includes: no source folders in $root" >&2
  exit 1
fi

find "${rooms[@]}" -type f \
  \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' -o -name '*.inc' \) -print0 |
  sort -z |
  xargs -0 -r grep -HEo '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">]+[">]' |
  awk -F: '
  BEGIN {
    allowed["kernels"] = " kernels "
    allowed["sims"] = " kernels sims "
    allowed["host"] = " kernels host "
    allowed["host/program"] = " kernels host bench "
    allowed["algorithms"] = " kernels host algorithms "
    everything = " kernels sims host algorithms bench tests python "
    allowed["bench"] = allowed["tests"] = allowed["python"] = everything
  }
  function complain(text) { print "check_includes: " text > "/dev/stderr"; bad++ }
  function room_of(path) {
    if (path ~ /^host\/program\//) return "host/program"
    return substr(path, 1, index(path, "/") - 1)
  }
  {
    file = $1
    line = $0
    sub(/^[^:]*:/, "", line)
    quoted = line ~ /"/
    gsub(/^[^"<]*["<]|[">].*$/, "", line)
    target = line
    sub(/\/.*/, "", target)
    ours = index(everything, " " target " ") && line ~ /\//
    if (!quoted && !ours) next
    edges++
    if (!ours || (getline unused < line) < 0) {
      complain(file " includes \"" line "\", which is no file named from the root")
      next
    }
    close(line)
    if (!index(allowed[room_of(file)], " " target " "))
      complain(file " (" room_of(file) ") must not include " line " (" target ")")
    targets[file] = targets[file] " " line
  }
  # Depth-first search: colour 1 is on the path, 2 is done.
  function visit(file, path,   list, n, i) {
    if (colour[file] == 2) return
    if (colour[file] == 1) { complain("cycle: " path); return }
    colour[file] = 1
    n = split(targets[file], list, " ")
    for (i = 1; i <= n; i++) visit(list[i], path " -> " list[i])
    colour[file] = 2
  }
  END {
    for (file in targets) visit(file, file)
    if (!edges) complain("no include was found")
    if (bad) exit 1
    print "check_includes: " edges " includes point the right way"
  }'

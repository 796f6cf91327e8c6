#!/usr/bin/env bash
# check_includes.sh [root]: reads the include graph of Gallop's own files. Fails where an include
# points against the rooms' arrows, does not name a file from the root (<gallop/...> in installed
# rooms), points to a folder below its own in scripts/folders.txt, or closes a cycle of files.
#
#   kernels -> kernels                  host -> kernels, host
#   sims -> kernels, sims               algorithms -> kernels, host, algorithms
#   bench, tests, python, examples -> all
#   host/program is where everything meets: it may include bench as well. host/laboratory includes
#   sims, which its problems are.
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
    while ((getline line < "scripts/folders.txt") > 0)
      if (line !~ /^#/ && line != "") rank[line] = ++ranks
    if (!ranks) complain("scripts/folders.txt names no folder")
    allowed["kernels"] = " kernels "
    allowed["sims"] = " kernels sims "
    allowed["host"] = " kernels host "
    allowed["host/program"] = " kernels host bench "
    allowed["host/laboratory"] = " kernels sims host "
    allowed["algorithms"] = " kernels host algorithms "
    everything = " kernels sims host algorithms bench tests python "
    allowed["bench"] = allowed["tests"] = allowed["python"] = everything
  }
  function complain(text) { print "check_includes: " text > "/dev/stderr"; bad++ }
  function room_of(path) {
    if (path ~ /^host\/program\//) return "host/program"
    if (path ~ /^host\/laboratory\//) return "host/laboratory"
    return substr(path, 1, index(path, "/") - 1)
  }
  function folder_of(path) {
    sub(/\/[^\/]*$/, "", path)
    return path
  }
  # Whether a folder of those that have a rank may include another; tests may include all.
  function check_rank(file, line,   from, to) {
    from = folder_of(file)
    to = folder_of(line)
    if (from ~ /^(tests|python)(\/|$)/ || from == to) return
    if (!(from in rank)) complain(file ": its folder has no line in scripts/folders.txt")
    else if (!(to in rank)) complain(line ": its folder has no line in scripts/folders.txt")
    else if (rank[to] > rank[from])
      complain(file " must not include " line ": " to " comes after " from " in scripts/folders.txt")
  }
  {
    file = $1
    line = $0
    sub(/^[^:]*:/, "", line)
    quoted = line ~ /"/
    gsub(/^[^"<]*["<]|[">].*$/, "", line)
    public = sub(/^gallop\//, "", line)
    target = line
    sub(/\/.*/, "", target)
    ours = index(everything, " " target " ") && line ~ /\//
    if (!quoted && !public) next
    edges++
    installed = index(" kernels sims host algorithms ", " " target " ")
    if (!ours || !public != !installed || (getline unused < line) < 0) {
      complain(file " includes " line ", which is no file named from the root: " \
               "<gallop/...> for kernels, sims, host and algorithms, \"...\" for the rest")
      next
    }
    close(line)
    if (!index(allowed[room_of(file)], " " target " "))
      complain(file " (" room_of(file) ") must not include " line " (" target ")")
    check_rank(file, line)
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

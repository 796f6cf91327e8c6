#!/usr/bin/env bash
# readme_test.sh <build>: what the documents say is so. Every command of the README that runs the
# program is run, in order, in a folder of its own; its table of exit codes is the one of
# host/error.h; every relative link of every document leads to a file.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:?the build folder}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work" || exit 1
failures=0

complain() {
  echo "$*"
  failures=$((failures + 1))
}

# `./gallop test` is what runs this; benchmarks take minutes and have tests of their own.
mapfile -t commands < <(awk '/^```/ { inside = /^```sh/ } inside' "$root/README.md" |
  grep '^\./gallop ' | grep -vE '^\./gallop (test|bench)' | sed 's/ *#.*//')
if ((${#commands[@]} < 5)); then complain "only ${#commands[@]} commands found in README.md"; fi
for command in "${commands[@]}"; do
  if ! bash -c "'$build/bin/gallop' ${command#./gallop }" >"$work/log" 2>&1 </dev/null; then
    complain "failed: $command"
    tail -n 20 "$work/log"
  fi
done
for file in config.toml metrics.csv metrics.jsonl report.html result.json checkpoints; do
  if [[ ! -e runs/p1/$file ]]; then complain "the README's run folder has no $file"; fi
done

codes=$(sed -n 's/^  [a-z_]* = \([0-9]*\),.*/\1/p' "$root/host/error.h")
if (($(wc -w <<<"$codes") < 8)); then complain "only these exit codes in host/error.h: $codes"; fi
for code in $codes; do
  if ! grep -qE "^\| ([0-9]+, )*$code(, [0-9]+)* \|" "$root/README.md"; then
    complain "README.md does not explain exit code $code"
  fi
done

links=0
while IFS=: read -r document target; do
  links=$((links + 1))
  target=${target#*](}
  target=${target%)}
  if [[ ! -e $root/$(dirname -- "$document")/${target%%#*} ]]; then
    complain "$document links to $target, which is not there"
  fi
done < <(cd -- "$root" && for document in ./*.md docs/*.md; do
  sed '/^ *```/,/^ *```/d' "$document" | grep -oE '\]\([^):]+\)' | sed "s|^|$document:|"
done)
if ((links < 10)); then complain "only $links links found"; fi

echo "${#commands[@]} commands, $(wc -w <<<"$codes") exit codes, $links links, $failures failures"
((failures == 0))

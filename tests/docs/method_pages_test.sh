#!/usr/bin/env bash
# method_pages_test.sh <build>: the committed pages of methods are what the heads of the files, the
# tables of options and the shipped configurations give; every head has title, equation, source and
# a paragraph "Verified:" naming tests that are there. Planted faults are found.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:?the build folder}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0

complain() {
  echo "$*"
  failures=$((failures + 1))
}

if ! python3 "$root/scripts/make_method_pages.py" --check --gallop "$build/bin/gallop" \
  >"$work/log" 2>&1; then
  complain "the pages of docs/methods are not those of the sources:"
  cat "$work/log"
fi

# The same script on a copy with one fault.
copy=$work/copy
mkdir -p "$copy/docs" "$copy/kernels"
cp -r "$root/algorithms" "$root/configs" "$root/scripts" "$root/tests" "$copy/"
cp -r "$root/docs/methods" "$copy/docs/"
cp -r "$root/kernels/estimators" "$root/kernels/gradients" "$copy/kernels/"
check() { python3 "$copy/scripts/make_method_pages.py" --check --gallop "$build/bin/gallop"; }
if ! check >"$work/log" 2>&1; then
  complain "a copy of the tree is not accepted:"
  cat "$work/log"
fi
planted() {
  local what=$1 file=$2 edit=$3 expected=$4
  cp "$copy/$file" "$work/original"
  sed -i "$edit" "$copy/$file"
  if cmp -s "$copy/$file" "$work/original"; then complain "$what: the fault was not planted"; fi
  if check >"$work/log" 2>&1; then complain "$what is not found"; fi
  if ! grep -qF "$expected" "$work/log"; then
    complain "$what is found without the words '$expected':"
    cat "$work/log"
  fi
  cp "$work/original" "$copy/$file"
}
planted "a page that was edited" docs/methods/trpo.md '1s/$/ edited/' "docs/methods/trpo.md is not"
planted "a missing test" algorithms/ppo.cpp 's|tests/learning/adam_test.cpp|tests/learning/eve_test.cpp|' \
  "names the test tests/learning/eve_test.cpp"
planted "a head without 'Verified:'" algorithms/npg.cpp 's|^// Verified:|// Tested:|' \
  "algorithms/npg.cpp has no paragraph 'Verified:'"
planted "a head without an equation" algorithms/trpo.cpp 's|^//   |// |' "has no equation"

for page in trpo vpg; do
  if ! grep -q '^## Corrected from the lecture' "$root/docs/methods/$page.md"; then
    complain "docs/methods/$page.md has no corrections"
  fi
done
echo "$(find "$root/docs/methods" -name '*.md' | wc -l) pages, $failures failures"
((failures == 0))

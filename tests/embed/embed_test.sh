#!/usr/bin/env bash
# embed_test.sh <build>: installs the build, copies examples/embed to a place of its own, builds it
# there against the installation alone, and runs it: both rollouts agree, and the library prints
# nothing. A header without an environment is refused.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:?the build folder}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

quietly() {
  if ! "$@" >"$work/log" 2>&1 </dev/null; then
    printf 'failed: %s\n' "$*"
    tail -n 40 "$work/log"
    exit 1
  fi
}

quietly cmake --install "$build" --prefix "$work/prefix"
if grep -rn -- "$root" "$work/prefix/lib/cmake" "$work"/prefix/lib/*/cmake 2>/dev/null; then
  echo "the installed package names the source tree"
  exit 1
fi
cp -r "$root/examples/embed" "$work/an example"
quietly cmake -S "$work/an example" -B "$work/build" -G Ninja "-DCMAKE_PREFIX_PATH=$work/prefix"
quietly cmake --build "$work/build"

"$work/build/embed" >"$work/output" 2>"$work/errors" </dev/null
code=$?
cat "$work/output"
own=$(sed -n 's/^own controller: mean return //p' "$work/output")
fused=$(sed -n 's/^fused policy:   mean return //p' "$work/output")
if ((code != 0)) || [[ -s $work/errors || $(wc -l <"$work/output") != 2 ]]; then
  echo "exit code $code; expected 0, two lines of output and no errors:"
  cat "$work/errors"
  exit 1
fi
if [[ ! $own =~ ^-[0-9]+\.[0-9]+$ || $own != "$fused" ]]; then
  echo "the two rollouts differ, or gave no cost: '$own', '$fused'"
  exit 1
fi

sed -i '/^GALLOP_ENVIRONMENT/d' "$work/an example/spring.h"
if cmake -S "$work/an example" -B "$work/build" >"$work/log" 2>&1 ||
  ! grep -q "has no line" "$work/log"; then
  echo "a header without GALLOP_ENVIRONMENT was taken"
  exit 1
fi

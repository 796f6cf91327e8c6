#!/usr/bin/env bash
# embed_test.sh <build>: installs the build, copies examples/embed to a place of its own, builds it
# there against the installation alone, and runs it: both rollouts agree, and the library prints
# nothing. Training on its environment gives the same bits from C++ and by the plugin, resumed or not.
# A header without an environment is refused.
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

# What the program does not name it does not hold.
if grep -q CartPole "$work/build/embed"; then
  echo "a program of one environment holds others: $(stat -c %s "$work/build/embed") bytes"
  exit 1
fi
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

# A problem as a graph, in a project without an environment.
cp -r "$root/examples/graph" "$work/a graph"
quietly cmake -S "$work/a graph" -B "$work/graph" -G Ninja "-DCMAKE_PREFIX_PATH=$work/prefix"
quietly cmake --build "$work/graph"
quietly "$work/graph/shop"
if ! grep -qE '^stock (3\.9|4\.0)' "$work/log" || ! grep -qE '^profit 3\.(0|1)' "$work/log"; then
  echo "the shop learned something else:"
  cat "$work/log"
  exit 1
fi

plugin=$work/build/libspring.so gallop=$work/prefix/bin/gallop
quietly "$work/build/train_spring" "$work/by cpp" 20000
bits=$(sed -n 's/^bits //p' "$work/log")
options=(--learning-rate 0.003 --value-learning-rate 0.003 --gamma 0.95)
json_bits() { sed -n 's/.*"bits":"\([0-9a-f]*\)".*/\1/p' "$work/log"; }
quietly "$gallop" train spring "--plugin=$plugin" "${options[@]}" --steps 20000 \
  --checkpoint-interval 1 --json --out "$work/by plugin"
if [[ ! $bits =~ ^[0-9a-f]{16}$ || $(json_bits) != "$bits" ]]; then
  echo "training by the plugin gave the bits '$(json_bits)', from C++ '$bits'"
  exit 1
fi
rm "$work/by plugin/result.json" "$(ls -d "$work/by plugin/checkpoints"/* | tail -n 1)"
quietly "$gallop" train --resume "$work/by plugin" --plugin "$plugin" --json
if [[ $(json_bits) != "$bits" ]]; then
  echo "the resumed training gave the bits '$(json_bits)', the whole one '$bits'"
  exit 1
fi
quietly "$gallop" eval "$work/by cpp" --plugin "$plugin"
# It says that it is smooth: its derivatives come with it.
quietly "$gallop" train spring --plugin "$plugin" --algorithm bptt --steps 6400 --json \
  --out "$work/by derivatives"
quietly "$gallop" list spring --plugin "$plugin"

# refused <text> <command>...: the command ends with the code of wrong usage and says the text.
refused() {
  local text=$1 code
  shift
  "$@" >"$work/log" 2>&1 </dev/null
  code=$?
  if ((code != 2)) || ! grep -qF -- "$text" "$work/log"; then
    printf 'exit code %d; expected 2 and "%s": %s\n' "$code" "$text" "$*"
    cat "$work/log"
    exit 1
  fi
}
refused "cannot be loaded" "$gallop" train spring --plugin "$work/nothing.so"
refused "--plugin" "$gallop" eval "$work/by cpp"
refused "needs a value" "$gallop" train spring --plugin
sed 's/"spring"/"cartpole"/' "$work/an example/spring.h" >"$work/an example/taken.h"
echo 'gallop_add_plugin(taken.h)' >>"$work/an example/CMakeLists.txt"
quietly cmake --build "$work/build" --target gallop_plugin_taken
refused "the name 'cartpole'" "$gallop" list --plugin "$work/build/libtaken.so"
echo 'int none;' >"$work/none.cpp"
quietly g++ -shared -fPIC -o "$work/none.so" "$work/none.cpp"
refused "is no plugin" "$gallop" list --plugin "$work/none.so"
# A plugin of another version, as its text says.
version=$("$gallop" version | cut -d' ' -f2)
sed "s/$version\x00/9.9.9\x00/" "$plugin" >"$work/other.so"
refused "9.9.9" "$gallop" list --plugin "$work/other.so"

sed -i '/^GALLOP_ENVIRONMENT/d' "$work/an example/spring.h"
if cmake -S "$work/an example" -B "$work/build" >"$work/log" 2>&1 ||
  ! grep -q "has no line" "$work/log"; then
  echo "a header without GALLOP_ENVIRONMENT was taken"
  exit 1
fi

#!/usr/bin/env bash
# The bootstrap ./gallop over a tiny project of its own, in a path with spaces: builds, passes the
# arguments on, does nothing when nothing changed, builds again when a source did, takes turns,
# refuses clearly. Real packages are never touched: GALLOP_SKIP_PACKAGES, or a fake dpkg and apt.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
tree="$work/a tree"
checks=0
failures=0
unset CXX CXXFLAGS GALLOP_CUDA GALLOP_WERROR GALLOP_CPUINFO
export GALLOP_SKIP_PACKAGES=1

expect() {
  local what=$1
  shift
  checks=$((checks + 1))
  if ! "$@"; then
    failures=$((failures + 1))
    printf 'FAILED: %s\n' "$what"
    printf '  output: %s\n  errors: %s\n  code: %s\n' "$output" "$errors" "$code"
  fi
}
run() {
  output=$("$@" 2>"$work/errors" </dev/null)
  code=$?
  errors=$(<"$work/errors")
}
program() {
  cat >"$tree/host/program/main.cpp" <<EOF
#include <cstdio>
int main(int count, char** arguments) {
  std::puts("$1");
  for (int i = 1; i < count; i++) std::printf("[%s]", arguments[i]);
  return 42;
}
EOF
}

mkdir -p "$tree/host/program" "$tree/elsewhere" "$work/bin"
cp "$root/gallop" "$tree/"
cat >"$tree/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.25)
project(tiny LANGUAGES CXX)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
add_executable(gallop_program host/program/main.cpp)
set_target_properties(gallop_program PROPERTIES OUTPUT_NAME gallop)
EOF
gallop="$tree/gallop"

program first
run "$gallop" train "two words" '*'
expect "builds, passes arguments and the exit code on" \
  test "$code $output" = "42 first"$'\n'"[train][two words][*]"
expect "says that it builds" grep -q "building in" <<<"$errors"

before=$(stat -c %Y%Z "$tree/build/release/build.ninja" "$tree/build/release/build.log")
cd "$tree/elsewhere" || exit 1
run ../gallop list
expect "runs from another folder" test "$output" = "first"$'\n'"[list]"
expect "is quiet when nothing changed" test -z "$errors"
expect "does nothing when nothing changed" test "$before" = \
  "$(stat -c %Y%Z "$tree/build/release/build.ninja" "$tree/build/release/build.log")"
ln -s "$gallop" "$work/link"
run "$work/link" list
expect "runs through a symbolic link" test "$code" = 42

program second
pids=()
for i in 1 2 3 4; do
  "$gallop" "$i" >"$work/parallel.$i" 2>/dev/null </dev/null &
  pids+=($!)
done
wait "${pids[@]}"
for i in 1 2 3 4; do
  output=$(<"$work/parallel.$i")
  expect "parallel call $i sees the new program" test "$output" = "second"$'\n'"[$i]"
done

echo 'int main() { return planted_fault; }' >"$tree/host/program/main.cpp"
run "$gallop" list
expect "a failed build has code 1 and no output" test "$code$output" = 1
expect "a failed build shows its fault" grep -q planted_fault <<<"$errors"
run "$gallop" list
expect "a failed build stays failed" test "$code" = 1
program third
run "$gallop" list
expect "recovers from a failed build" test "$output" = "third"$'\n'"[list]"

mv "$tree" "$work/moved tree"
run "$work/moved tree/gallop" list
expect "builds anew in a moved tree" test "$output" = "third"$'\n'"[list]"
mv "$work/moved tree" "$tree"

# In a terminal, but not in CI, a build shows how far it is; a terminal that cannot rewrite its line
# gets no escapes.
in_terminal() {
  rm -rf -- "$tree/build"
  run env --unset=CI "TERM=$1" script -qec "stty cols 40; '$gallop' list" /dev/null
}
if command -v script >/dev/null; then
  in_terminal xterm
  expect "shows progress" grep -q "gallop: building 1 of 2 (main.cpp)" <<<"$output"
  expect "rewrites its line" grep -q $'\r.*\033\\[K' <<<"$output"
  expect "passes the exit code on" test "$code" = 42
  in_terminal dumb
  expect "sends no escapes to a dumb terminal" test -z "$(grep $'\033' <<<"$output")"
fi

# The laboratory is built once it is asked for, and stays.
built_laboratory() { sed -n 's/^GALLOP_LABORATORY:[A-Z]*=//p' "$tree/build/release/CMakeCache.txt"; }
rm -rf -- "$tree/build"
run "$gallop" study outline
expect "has the laboratory at 'study outline'" test "$(built_laboratory)$code" = ON42
rm -rf -- "$tree/build"
run "$gallop" train cartpole
expect "builds no laboratory for a training" test "$(built_laboratory)$code" = OFF42
for words in "estimators lqr" list; do
  # shellcheck disable=SC2086
  run "$gallop" $words
  expect "has the laboratory at '$words'" test "$(built_laboratory)$code" = ON42
done
run env GALLOP_LABORATORY=maybe "$gallop" list
expect "refuses a malformed GALLOP_LABORATORY" test "$code" = 3

# Environments are built once a command names them, and stay.
built_sims() { sed -n 's/^GALLOP_SIMS:[A-Z]*=//p' "$tree/build/release/CMakeCache.txt"; }
mkdir -p "$tree/sims" "$work/run/checkpoints"
printf '  kName = "strider";\n  kAliases = "Strider-v5,Strider-v4";\n' >"$tree/sims/strider.h"
printf '  kName = "swing_up";\n' >"$tree/sims/swing.h"
printf 'environment = "strider"\n' >"$work/run/config.toml"
: >"$work/run/checkpoints/x.safetensors"
while IFS='|' read -r words wanted; do
  rm -rf "$tree/build"
  # shellcheck disable=SC2086
  run "$gallop" $words
  expect "builds what '$words' needs" test "$(built_sims)" = "$wanted"
done <<EOF
list|cartpole
train cartpole|cartpole
train striders|cartpole
eval $work|cartpole
train Strider-v4|cartpole;strider
eval $work/run|cartpole;strider
eval $work/run/checkpoints/x.safetensors|cartpole;strider
train --init-from $work/run swing_up|cartpole;strider;swing
bench rollout|
EOF
rm -rf "$tree/build"
run "$gallop" train strider
run "$gallop" list
expect "what was built stays" test "$(built_sims)$code" = "cartpole;strider42"
run "$gallop" train swing_up
expect "what is named is added" test "$(built_sims)$code" = "cartpole;strider;swing42"
run env "GALLOP_SIMS=a b" "$gallop" list
expect "refuses a malformed GALLOP_SIMS" test "$code" = 3
rm -rf "$tree/sims"

echo "flags : sse4_2 avx fma" >"$work/cpuinfo"
run env GALLOP_CPUINFO="$work/cpuinfo" "$gallop" list
expect "refuses a processor without AVX2" test "$code$output" = 6
expect "names what the processor lacks" grep -q "AVX2 and FMA" <<<"$errors"
run env GALLOP_CUDA=maybe "$gallop" list
expect "refuses a malformed GALLOP_CUDA" test "$code" = 3

# Package installation, with a dpkg that knows of no package and an apt-get that notes its calls.
printf '#!/bin/sh\nexit 1\n' >"$work/bin/dpkg-query"
printf '#!/bin/sh\necho "$@" >>"%s/apt"\n' "$work" >"$work/bin/apt-get"
# shellcheck disable=SC2016
printf '#!/bin/sh\nif [ "$1" = -n ]; then exit 1; fi\nexec "$@"\n' >"$work/bin/sudo"
chmod +x "$work/bin/"*
program fourth
run env PATH="$work/bin:$PATH" GALLOP_SKIP_PACKAGES=0 "$gallop" list
if ((EUID == 0)) && grep -qE '^ID=(debian|ubuntu)$' /etc/os-release; then
  expect "says what it installs" grep -q "installing with apt-get: .*libfmt-dev" <<<"$errors"
  expect "installs it" grep -q "install .*libfmt-dev" "$work/apt"
  expect "leaves alone the tools that are there" test -z "$(grep -w cmake "$work/apt")"
  expect "goes on to the program" test "$output" = "fourth"$'\n'"[list]"
else
  expect "names the packages that it cannot install" grep -q "missing: .*libfmt-dev" <<<"$errors"
fi

printf '%d checks, %d failures\n' "$checks" "$failures"
((failures == 0 && checks >= 18))

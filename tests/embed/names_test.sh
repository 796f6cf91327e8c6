#!/usr/bin/env bash
# names_test.sh <build>: the build refuses two environments or two algorithms of one name or alias,
# naming both files, a header in sims/ that it would skip without a word, and what has no name to read.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
bad=0

cat >"$work/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(names LANGUAGES NONE)
include($root/cmake/GallopEnvironment.cmake)
include($root/cmake/GallopRegistry.cmake)
set(PROJECT_SOURCE_DIR \${CMAKE_CURRENT_SOURCE_DIR}/tree)
set(GALLOP_HAVE_CUDA OFF)
_gallop_environment_array(environments \${PROJECT_BINARY_DIR}/units)
_gallop_algorithm_array(algorithms)
_gallop_optimizer_array(optimizers)
message(STATUS "all names differ")
END

fresh() {
  rm -rf -- "$work/tree" "$work/build"
  mkdir -p "$work/tree"
  cp -r "$root/sims" "$root/algorithms" "$work/tree"
}
# expect <text>...: the configuration fails and says all of these, or, without any, succeeds.
expect() {
  local text log status=0
  log=$(cmake -S "$work" -B "$work/build" "-DGALLOP_SIMS=${sims:-}" 2>&1 </dev/null) || status=$?
  log=$(tr -s ' \n' ' ' <<<"$log")
  if (((status == 0) != ($# == 0))); then
    echo "exit code $status where '$*' was expected: $log"
    bad=1
  fi
  for text in "$@"; do
    if [[ $log != *"$text"* ]]; then
      echo "'$text' is not in: $log"
      bad=1
    fi
  done
}

for sims in "" quick; do
  fresh
  expect
  cp "$work/tree/sims/cartpole.h" "$work/tree/sims/my_pole.h"
  expect "environment 'cartpole'" sims/my_pole.h sims/cartpole.h
  sed -i 's/"cartpole"/"my_pole"/' "$work/tree/sims/my_pole.h"
  expect "environment 'CartPole-v1'" sims/my_pole.h sims/cartpole.h
  sed -i 's/"CartPole-v1"/"pole"/' "$work/tree/sims/my_pole.h"
  expect "GALLOP_ENVIRONMENT(CartPole) stands in" sims/my_pole.h sims/cartpole.h
  # By what a command line would take for the same.
  sed -i 's/"pole"/"pole, Hopper_V5"/; s/(CartPole)/(MyPole)/' "$work/tree/sims/my_pole.h"
  expect "is the name or an alias of one in" sims/my_pole.h sims/hopper.h
  sed -i 's/, Hopper_V5//' "$work/tree/sims/my_pole.h"
  expect
  sed -i '/^GALLOP_ENVIRONMENT/d' "$work/tree/sims/my_pole.h"
  expect sims/my_pole.h "no line GALLOP_ENVIRONMENT(Type)"
done
fresh
sed -i '/kAliases/d' "$work/tree/sims/mdp.h"
expect sims/mdp.h "0 lines 'static constexpr const char* kAliases"

fresh
cp "$work/tree/algorithms/vpg.cpp" "$work/tree/algorithms/mine.cpp"
sed -i 's/"vpg",/"mine",/' "$work/tree/algorithms/mine.cpp"
expect "algorithm '" algorithms/mine.cpp algorithms/vpg.cpp
sed -i 's/"vanilla_policy_gradient,gpomdp",/"",/' "$work/tree/algorithms/mine.cpp"
expect
sed -i 's/AlgorithmDescriptor kDescriptor/auto kDescriptor/' "$work/tree/algorithms/mine.cpp"
expect algorithms/mine.cpp "0 descriptors"

# Optimizers are algorithms too, in a folder of their own.
fresh
cp "$work/tree/algorithms/black_box/cem.cpp" "$work/tree/algorithms/black_box/mine.cpp"
expect "algorithm 'cem'" black_box/mine.cpp black_box/cem.cpp
fresh
mv "$work/tree/algorithms/black_box/cem.cpp" "$work/tree/algorithms/cem.cpp"
expect algorithms/cem.cpp "GALLOP_OPTIMIZER(Type), which is not looked for" algorithms/black_box/
fresh
mv "$work/tree/algorithms/vpg.cpp" "$work/tree/algorithms/black_box/vpg.cpp"
expect algorithms/black_box/vpg.cpp "GALLOP_ALGORITHM(Type), which is not looked for"
exit "$bad"

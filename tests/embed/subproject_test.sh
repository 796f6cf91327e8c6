#!/usr/bin/env bash
# subproject_test.sh <build>: a project that fetches Gallop by its sources configures, compiles an
# environment of its own for every instruction set of this build, and is asked for nothing else: no
# CUDA without a device, no program, no tests, nothing to install, no build type of ours.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:?the build folder}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
bad=0
expect() {
  if ! "${@:2}"; then
    echo "failed: $1"
    bad=1
  fi
}

mkdir "$work/project"
cp "$root/examples/embed/spring.h" "$root/examples/embed/main.cpp" "$work/project"
cat >"$work/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(own LANGUAGES CXX)
include(FetchContent)
FetchContent_Declare(gallop SOURCE_DIR $root)
FetchContent_MakeAvailable(gallop)
gallop_add_environment(spring.h)
add_executable(own main.cpp)
target_link_libraries(own PRIVATE gallop_environment_spring)
install(TARGETS own)
END
isas=$(sed -n 's/^GALLOP_ISAS:[A-Z]*=//p' "$build/CMakeCache.txt")
if ! cmake -S "$work/project" -B "$work/build" -G Ninja "-DGALLOP_ISAS=$isas" -DGALLOP_SIMS=quick \
  >"$work/log" 2>&1 </dev/null; then
  tail -n 30 "$work/log"
  exit 1
fi
if [[ ! -e /dev/nvidia0 && ! -e /dev/dxg ]]; then
  expect "without a device there is no CUDA" grep -q "CUDA backend: OFF" "$work/log"
fi
expect "the build type is the project's" grep -q '^CMAKE_BUILD_TYPE:[A-Z]*=$' "$work/build/CMakeCache.txt"
ninja -C "$work/build" -t query all >"$work/all"
expect "the project's own program is built" grep -q ' own$' "$work/all"
expect "ours is not" test -z "$(grep -E 'bin/gallop$|gallop_program$|_test$' "$work/all")"
expect "what is installed is the project's alone" test -z \
  "$(find "$work/build/_deps/gallop-build" -name 'gallopConfig*.cmake')"

objects=()
for isa in ${isas//;/ } single; do objects+=("gallop_environment_spring_$isa"); done
if ! cmake --build "$work/build" --target "${objects[@]}" >"$work/log" 2>&1 </dev/null; then
  tail -n 30 "$work/log"
  exit 1
fi
count=$(find "$work/build" -name 'Spring_*.cpp.o' | wc -l)
expect "${#objects[@]} units are compiled, not $count" test "$count" = "${#objects[@]}"
exit "$bad"

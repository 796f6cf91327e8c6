#!/usr/bin/env bash
# c_api_test.sh <build>: what a C program has of an installation. libgallop.so exports gallop_* and
# nothing else, under the version of its interface, and all that the header declares; the header compiles
# as strict C99 and C++11; pkg-config finds it wherever the installation stands; examples/c/rollout.c has
# the bits of the C++ library; and a program takes in a plugin.
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

quietly cmake --install "$build" --prefix "$work/first"
mv "$work/first" "$work/an installation"
prefix="$work/an installation"
library=$(find "$prefix" -name libgallop.so)
header=$prefix/include/gallop/gallop.h
major=$(sed -n 's/^#define GALLOP_ABI_MAJOR //p' "$header")

# Names.
nm -D --defined-only "$library" | awk '{print $NF}' | sort >"$work/all"
grep -v -E "^(gallop_[a-z_]+@@GALLOP_$major|GALLOP_$major)$" "$work/all" >"$work/others"
if [[ -s $work/others ]]; then
  echo "libgallop.so exports other names than gallop_*:"
  head "$work/others"
  exit 1
fi
sed -n "s/@@GALLOP_$major//p" "$work/all" >"$work/exported"
g++ -std=c++11 -E -P -x c++ "$header" | tr '\n' ' ' | grep -oE 'gallop_[a-z_]+\(' | tr -d '(' |
  sort -u >"$work/declared"
if [[ $(wc -l <"$work/declared") -lt 40 ]] || ! diff "$work/declared" "$work/exported"; then
  echo "the header declares what the library does not export, or the other way round"
  exit 1
fi
soname=$(readelf -d "$library" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
if [[ $soname != "libgallop.so.$major" || ! -e $(dirname "$library")/$soname ]]; then
  echo "the library's soname is '$soname'; expected libgallop.so.$major, and a file of that name"
  exit 1
fi

# The header by itself.
printf '#include <gallop/gallop.h>\nint main(void) { return 0; }\n' >"$work/main.c"
quietly gcc -std=c99 -pedantic -Wall -Wextra -Werror "-I$prefix/include" -fsyntax-only "$work/main.c"
quietly g++ -std=c++11 -pedantic -Wall -Wextra -Werror "-I$prefix/include" -fsyntax-only -x c++ "$work/main.c"

# The example, with what pkg-config says.
PKG_CONFIG_PATH=$(dirname "$library")/pkgconfig
export PKG_CONFIG_PATH
quietly pkg-config --exists gallop
version=$(pkg-config --modversion gallop)
[[ $("$prefix/bin/gallop" version | cut -d' ' -f2) == "$version" ]] || {
  echo "pkg-config says version $version"
  exit 1
}
eval "flags=($(pkg-config --cflags --libs gallop))"
quietly gcc -std=c99 -pedantic -Wall -Wextra -Werror -O2 "$root/examples/c/rollout.c" "${flags[@]}" \
  "-Wl,-rpath,$(dirname "$library")" -lm -o "$work/rollout"
if ! "$work/rollout" >"$work/by c" 2>"$work/errors" </dev/null || [[ -s $work/errors ]]; then
  echo "examples/c/rollout.c failed:"
  cat "$work/errors"
  exit 1
fi
mkdir "$work/cpp"
cp "$root/tests/c_api/program/rollout.cpp" "$root/examples/embed/spring.h" "$work/cpp"
cat >"$work/cpp/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(rollout LANGUAGES CXX)
find_package(gallop REQUIRED)
add_executable(rollout rollout.cpp)
target_link_libraries(rollout PRIVATE gallop::gallop)
gallop_add_plugin(spring.h)
END
quietly cmake -S "$work/cpp" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=$prefix"
quietly cmake --build "$work/build"
"$work/build/rollout" >"$work/by cpp" </dev/null || exit 1
cat "$work/by c"
if [[ $(wc -l <"$work/by c") != 2 ]] || ! diff "$work/by c" "$work/by cpp" ||
  [[ $(sed -n 's/.*mean return //p' "$work/by c" | sort -u | wc -l) != 1 ]]; then
  echo "the C program, the C++ program and the two rollouts of each do not agree"
  exit 1
fi

# A plugin: its environment is there by its name, and has the bits of the program's.
cat >"$work/plugin.c" <<'END'
#include <gallop/gallop.h>
#include <stdio.h>
int main(int argc, char **argv) {
  gallop_backend *backend = NULL;
  gallop_batch *batch = NULL;
  gallop_options *options = NULL;
  gallop_result result = {.size = sizeof result};
  int before = 0, status;
  if (argc != 3) return 9;
  status = gallop_backend_create(NULL, &backend);
  if (status == 0) before = gallop_batch_create(backend, "spring", NULL, &batch);
  if (before != GALLOP_USAGE) return 8;
  if (status == 0) status = gallop_load_plugin(argv[1]);
  if (status == 0) status = gallop_batch_create(backend, "spring", NULL, &batch);
  if (status == 0) status = gallop_options_create("spring", "ppo", &options);
  if (status == 0) status = gallop_options_set(options, "steps", "10000");
  if (status == 0) status = gallop_train(backend, options, argv[2], NULL, &result);
  if (status != 0) fprintf(stderr, "%s\n", gallop_last_error());
  printf("%s\n", result.bits);
  gallop_options_destroy(options);
  gallop_batch_destroy(batch);
  gallop_backend_destroy(backend);
  return status;
}
END
quietly gcc -std=c99 -pedantic -Wall -Wextra -Werror "$work/plugin.c" "${flags[@]}" \
  "-Wl,-rpath,$(dirname "$library")" -o "$work/plugin"
bits=$("$work/plugin" "$work/build/libspring.so" "$work/by c run" </dev/null) || exit 1
quietly "$prefix/bin/gallop" train spring --plugin "$work/build/libspring.so" --steps 10000 --json \
  --out "$work/by program"
own=$(sed -n 's/.*"bits":"\([0-9a-f]*\)".*/\1/p' "$work/log")
if [[ ! $bits =~ ^[0-9a-f]{16}$ || $bits != "$own" ]]; then
  echo "training by the plugin gave the bits '$bits' from C, '$own' from the program"
  exit 1
fi
for file in config.toml result.json report.html metrics.csv; do
  [[ -s "$work/by c run/$file" ]] || {
    echo "the run folder of the C program lacks $file"
    exit 1
  }
done

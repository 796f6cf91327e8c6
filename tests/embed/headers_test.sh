#!/usr/bin/env bash
# headers_test.sh <build>: every header that is installed compiles alone, and a copy of each shipped
# environment in a tree of its own does with -Wall -Wextra -Werror, under g++ and, where it is here,
# clang++; beside a project's own host/error.h and kernels/, which are not taken for ours.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:?the build folder}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

if ! cmake --install "$build" --prefix "$work/prefix" >"$work/log" 2>&1 </dev/null; then
  tail -n 20 "$work/log"
  exit 1
fi
include=$work/prefix/include
# What a project of its own may have at the places of ours.
mkdir -p "$work/own/host" "$work/own/kernels/numerics"
for header in host/error.h kernels/numerics/math.h; do
  echo '#error "a header of the surrounding project was taken for one of Gallop"' >"$work/own/$header"
done
if (($(find "$include" -mindepth 1 -maxdepth 1 | wc -l) != 1)) || [[ ! -d $include/gallop ]]; then
  echo "headers are installed beside include/gallop: $(ls "$include")"
  exit 1
fi

flags=(-std=c++20 -ffp-contract=off -mavx2 -mfma -fsyntax-only -Wall -Wextra -Werror -Wno-psabi
  -DGALLOP_ISA=isa_v3 -I "$work/own" -I "$include")
# check <compiler> <file>: prints what the compiler says against the file.
check() {
  local only=()
  if [[ $1 == clang++ ]]; then only=(-Wno-pragma-once-outside-header); fi
  if ! "$1" "${flags[@]}" "${only[@]}" -x c++ "$2" >"$2.$1.log" 2>&1 </dev/null; then
    printf '%s, %s:\n%s\n' "${2#"$work/"}" "$1" "$(head -n 12 "$2.$1.log")"
    return 1
  fi
}
mkdir -p "$work/alone" "$work/copies"
cd -- "$work" || exit 1
count=0
while IFS= read -r header; do
  name=alone/${header//\//_}.cpp
  # Twice: it keeps itself from being taken twice.
  printf '#include <gallop/%s>\n#include <gallop/%s>\n' "$header" "$header" >"$name"
  count=$((count + 1))
done < <(cd -- "$include/gallop" && find . -name '*.h' | sed 's#^\./##' | sort)
for sim in "$include"/gallop/sims/*.h; do
  cp "$sim" "copies/${sim##*/}"
  printf '#include "%s"\n' "${sim##*/}" >"copies/${sim##*/}.cpp"
  # As a unit of a user's own tree compiles it; articulated bodies would take minutes.
  if grep -qE '^#include <gallop/(kernels/bodies|sims/(models|robots))/' "$sim"; then continue; fi
  echo '#include <gallop/kernels/tables/environment_table_impl.h>' >>"copies/${sim##*/}.cpp"
  sed -n 's/^GALLOP_ENVIRONMENT\((.*)\).*/GALLOP_INSTANTIATE_CPU\1/p' "$sim" >>"copies/${sim##*/}.cpp"
done

compilers=(g++)
if command -v clang++ >/dev/null; then compilers+=(clang++); fi
export -f check
export work
flags_text=$(declare -p flags)
export flags_text
status=0
# What needs the headers before it is the same for every compiler: clang++ takes them all in one unit.
mkdir -p together
cat alone/*.cpp >together/all.cpp
for compiler in "${compilers[@]}"; do
  folders=(alone copies)
  if [[ $compiler == clang++ ]]; then folders=(together copies); fi
  find "${folders[@]}" -name '*.cpp' -print0 |
    xargs -0 -P "$(nproc)" -I {} bash -c 'eval "$flags_text"; check "$0" "$1"' "$compiler" {} || status=1
done
echo "$count headers and $(find copies -name '*.cpp' | wc -l) environments met ${compilers[*]}"
((count > 100)) || status=1
exit "$status"

#!/usr/bin/env bash
# check_format.sh [root]: every C++ and CUDA file is laid out as clang-format 14 does it. Other
# versions of the formatter differ in places, so only that one judges.
set -uo pipefail
root=${1:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)}
cd -- "$root" || exit 1

formatter=""
for candidate in clang-format-14 clang-format; do
  if "$candidate" --version 2>/dev/null | grep -q 'version 14\.'; then
    formatter=$candidate
    break
  fi
done
if [[ -z $formatter ]]; then
  echo "check_format: clang-format 14 is not installed (apt-get install clang-format-14)" >&2
  exit 1
fi

mapfile -d '' files < <(find kernels sims host algorithms bench tests python examples -type f \
  \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' -o -name '*.inc' \) -print0 \
  2>/dev/null)
if ((${#files[@]} == 0)); then
  echo "check_format: no file to check in $root" >&2
  exit 1
fi
"$formatter" --dry-run -Werror "${files[@]}" || exit 1
echo "check_format: ${#files[@]} files are formatted"

#!/usr/bin/env bash
# Packs the programs of a CUDA build, so that scripts/gpu_check.sh runs them on another machine:
#
#   scripts/gpu_pack.sh [build] [archive]      build/cuda and build/gpu.tar.xz by default
#
# The archive holds the six programs without their symbols, the libraries they need but for those of
# the C library, and the commit. A newer C library than this machine's does on the other one, no older.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
(($# <= 2)) || { echo "usage: scripts/gpu_pack.sh [build] [archive]" >&2; exit 2; }
build=${1:-build/cuda}
archive=${2:-build/gpu.tar.xz}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir -p "$work/bin" "$work/lib"
for program in gallop gallop-bench gallop_gpu_bits gallop_gpu_math gallop_gpu_planted gallop_gpu_test gallop_gpu_trust_region; do
  [[ -x $build/bin/$program ]] || {
    echo "gpu_pack: $build has no bin/$program; build the targets gallop_program, gallop_bench_program and gallop_gpu_*" >&2
    exit 2
  }
  strip -o "$work/bin/$program" "$build/bin/$program"
  ldd "$build/bin/$program" | awk '$2 == "=>" && $3 ~ "^/" {print $3}' |
    { grep -vE '/(libc|libm|libpthread|libdl|librt)\.so' || true; } | xargs -r cp -Lt "$work/lib"
done
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
[[ -z $(git status --porcelain --untracked-files=no -- . ':!bench/results' 2>/dev/null) ]] || commit+=-modified
echo "$commit" >"$work/commit"
# The programs share their kernels: a window as wide as one of them finds that out.
tar -C "$work" -c bin commit lib | xz -9 >"$archive"
printf 'gpu_pack: %s, %d KiB, commit %s\n' "$archive" "$(($(stat -c %s "$archive") / 1024))" "$commit"

#!/usr/bin/env bash
# Proves and measures the CUDA backend on a machine with a GPU, within ten minutes:
#
#   scripts/gpu_check.sh [build]     a CUDA build, carried here or built here; by default
#                                    build/cuda-portable, else build/cuda, else one that it makes
#
# In this order: planted errors, which have to be found; the GPU tests; hashes of the CPU against the
# GPU's; compute-sanitizer on small shapes; benchmarks. Everything lands in
# bench/results/<device>/: bits.csv, bench.csv and bench.jsonl, trust_region.csv, check.csv and
# machine.json.
#
# The library of mode fast has to be there too: libcublas.so.13, or libcublas.so, where the loader finds it.
#
# Exit codes: 0 all passed, 1 something failed, 2 wrong use or no build, 7 no GPU on this machine.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
started=$SECONDS
limit_s=${GALLOP_GPU_CHECK_SECONDS:-590}

fail_early() {
  echo "gpu_check: $2" >&2
  exit "$1"
}

(($# <= 1)) || fail_early 2 "usage: scripts/gpu_check.sh [build]"
command -v nvidia-smi >/dev/null || fail_early 7 "no GPU: nvidia-smi is not installed; nothing was checked"
query() { nvidia-smi --id=0 --query-gpu="$1" --format=csv,noheader,nounits; }
device=$(query name) || fail_early 7 "no GPU: nvidia-smi finds no device; nothing was checked"

find_build() {
  local candidate
  for candidate in "$@" build/cuda-portable build/cuda; do
    if [[ -x $candidate/bin/gallop_gpu_test ]]; then
      echo "$candidate"
      return
    fi
  done
  return 1
}
if ! build=$(find_build "$@"); then
  (($# == 0)) || fail_early 2 "$1 has no bin/gallop_gpu_test; build the target gallop_tests there"
  command -v nvcc >/dev/null || fail_early 2 "no CUDA build was carried here, and there is no nvcc to make one"
  { cmake --preset cuda && cmake --build --preset cuda --target gallop_tests gallop_program; } ||
    fail_early 1 "the build failed"
  build=build/cuda
fi

commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
if [[ -n $(git status --porcelain --untracked-files=no 2>/dev/null) ]]; then commit+=-modified; fi
folder=bench/results/$(tr ' /' '__' <<<"$device")
mkdir -p -- "$folder" || fail_early 1 "cannot make $folder"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
passed=0
failed=0
echo "check,result,seconds,commit" >"$folder/check.csv"

# check <name> <command>...: runs it within what is left of the time, and shows the end of its output
# where it fails.
check() {
  local name=$1 start=$SECONDS left=$((limit_s - (SECONDS - started))) result
  shift
  if ((left > 5)) && timeout "$left" bash -c '"$@"' check "$@" >"$work/$name.log" 2>&1 </dev/null; then
    result=passed
    passed=$((passed + 1))
  else
    result=FAILED
    failed=$((failed + 1))
    if ((left <= 5)); then echo "no time was left" >"$work/$name.log"; fi
    tail -n 40 -- "$work/$name.log"
  fi
  printf '%s: %s (%d s)\n' "$name" "$result" "$((SECONDS - start))"
  printf '%s,%s,%d,%s\n' "$name" "$result" "$((SECONDS - start))" "$commit" >>"$folder/check.csv"
}

# must_fail <status> <text> <command>...: the command fails with this status and says this.
must_fail() {
  local wanted=$1 text=$2 status=0 output
  shift 2
  output=$("$@" 2>&1) || status=$?
  if ((status != wanted)) || ! grep -qE -- "$text" <<<"$output"; then
    printf 'expected status %d and "%s", got %d and:\n%s\n' "$wanted" "$text" "$status" "$output"
    return 1
  fi
}

machine() {
  python3 - "$folder/machine.json" "$device" "$commit" <<'PY' 2>/dev/null || {
import json, platform, subprocess, sys
fields = ["driver_version", "clocks.sm", "clocks.mem", "clocks.max.sm", "clocks.max.mem",
          "power.limit", "memory.total", "temperature.gpu", "persistence_mode"]
values = subprocess.run(["nvidia-smi", "--id=0", "--query-gpu=" + ",".join(fields),
                         "--format=csv,noheader,nounits"], capture_output=True, text=True,
                        check=True).stdout.strip().split(", ")
with open(sys.argv[1], "w") as out:
    json.dump({"device": sys.argv[2], "commit": sys.argv[3], "processor": platform.processor(),
               **dict(zip(fields, values))}, out, indent=2)
    out.write("\n")
PY
    printf '{"device": "%s", "commit": "%s", "driver_version": "%s", "clocks.sm": "%s", "clocks.mem": "%s"}\n' \
      "$device" "$commit" "$(query driver_version)" "$(query clocks.sm)" "$(query clocks.mem)" \
      >"$folder/machine.json"
  }
}

bits() { "$build/bin/gallop_gpu_bits" "$commit" >"$folder/bits.csv"; }
enough_bits() {
  local rows
  rows=$(($(wc -l <"$folder/bits.csv") - 1))
  echo "$rows rows"
  ((rows >= 50))
}

# Every kernel once, on shapes that a sanitizer takes seconds for.
small='EveryEnvironment.*:Step.*:Gae.ScanInEveryOrderOfThreads:Returns.*:Standardize.*:Shuffle.*'
small+=':Gradient.EveryOrderOfThreads:Gradient.TablesAndNetworksBeyondSharedMemory:Adam.*'
small+=':Fisher.EveryOrderOfThreads:Fisher.TablesAndNetworksBeyondSharedMemory:Solver.EveryOrder*'
small+=':LineSearch.*:Recording.ARepetition*:Moments.OfZerosAndOfWhatIsNotFinite:Rollout.EveryOrderOfThreads'
sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
# A planted error may also hang: each run has its own limit.
sanitize() { timeout 120 "$sanitizer" --tool "$1" --error-exitcode 9 --print-limit 20 "${@:2}"; }

bench() {
  "$build/bin/gallop" bench rollout --device cuda --json >"$folder/bench.jsonl" || return 1
  python3 - "$folder/bench.jsonl" "$folder/bench.csv" "$commit" <<'PY'
import csv, json, sys
rows = [json.loads(line) for line in open(sys.argv[1]) if line.strip()]
if not rows:
    sys.exit("the benchmark printed no row")
with open(sys.argv[2], "w", newline="") as out:
    writer = csv.DictWriter(out, list(rows[0]) + ["commit"], extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, "commit": sys.argv[3]})
PY
}

trust_region() {
  "$build/bin/gallop_gpu_trust_region" "$commit" >"$folder/trust_region.csv" &&
    (($(wc -l <"$folder/trust_region.csv") == 17))
}
# The target stands in docs/benchmarks.md; a slower product is no failure of this check.
show_products() {
  awk -F, '$1 == "fisher_product" && $5 == 50000 {
    printf "fisher_product %s %s %s: %.1f us (target 60), %s of the float32 bound\n", $2, $3, $4, $6 * 1e6, $9
  }' "$folder/trust_region.csv"
}

# The checks run in shells of their own, so that the clock can stop them.
export build folder commit sanitizer
export -f must_fail bits enough_bits sanitize bench trust_region

echo "$device, commit $commit, build $build"
machine
check planted-bits must_fail 1 'differ' "$build/bin/gallop_gpu_bits" --plant "$commit"
check tests "$build/bin/gallop_gpu_test" --gtest_brief=1
check bits bits
check bits-rows enough_bits
if [[ -x $sanitizer ]]; then
  for tool in memcheck racecheck initcheck synccheck; do
    check "planted-$tool" must_fail 9 'ERROR SUMMARY: [1-9]|[1-9][0-9]* (error|hazard)' \
      sanitize "$tool" "$build/bin/gallop_gpu_planted" "$tool"
    # Between cuBLAS's kernels only memcheck looks: what else they do is not ours.
    filter=$small
    if [[ $tool == memcheck ]]; then filter+=:MatrixFisher.EveryOrderOfThreads; fi
    check "$tool" sanitize "$tool" "$build/bin/gallop_gpu_test" --gtest_brief=1 --gtest_filter="$filter"
  done
else
  check compute-sanitizer test -x "$sanitizer"
fi
check bench bench
check trust-region trust_region
show_products
machine
echo "$passed passed, $failed failed; results in $folder"
((failed == 0))

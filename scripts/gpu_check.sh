#!/usr/bin/env bash
# Proves and measures the CUDA backend on a machine with a GPU, within ten minutes:
#
#   scripts/gpu_check.sh [build]     a CUDA build: a folder, or an archive from scripts/gpu_pack.sh; by
#                                    default build/gpu.tar.xz or build/cuda, else one that it makes
#
# In this order: planted errors, which have to be found; the GPU tests, once more in poisoned memory;
# the CPU's bits against the GPU's, of functions on all floats and of runs; compute-sanitizer on small
# shapes; benchmarks; a profile of the main kernels, where ncu is there and may read the device's
# counters. Each has a limit of its own, so that all of them get some of the time. Everything lands in
# bench/results/<device>/: math.csv, bits.csv, bench.csv and bench.jsonl, gae.csv, solve.csv,
# trust_region.csv, ncu.csv, check.csv, machine.json and logs.txt. docs/gpu.md is drawn of it.
#
# The library of mode fast has to be there too: libcublas.so.13 where the loader finds it, or among the
# Python packages of NVIDIA.
#
#   GALLOP_GPU_CHECK_RESULTS   another folder for the results
#   GALLOP_GPU_CHECK_SECONDS   another limit for all of it (540)
#
# Exit codes: 0 all passed, 1 something failed, 2 wrong use or no build, 7 no GPU on this machine.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
started=$SECONDS
limit_s=${GALLOP_GPU_CHECK_SECONDS:-540}

fail_early() {
  echo "gpu_check: $2" >&2
  exit "$1"
}

(($# <= 1)) || fail_early 2 "usage: scripts/gpu_check.sh [build]"
command -v nvidia-smi >/dev/null || fail_early 7 "no GPU: nvidia-smi is not installed; nothing was checked"
query() { nvidia-smi --id=0 --query-gpu="$1" --format=csv,noheader,nounits; }
device=$(query name) || fail_early 7 "no GPU: nvidia-smi finds no device; nothing was checked"

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
programs=(gallop gallop_gpu_bits gallop_gpu_math gallop_gpu_planted gallop_gpu_test gallop_gpu_trust_region)
missing_from() {
  local program
  for program in "${programs[@]}"; do
    [[ -x $1/bin/$program ]] || { echo "bin/$program"; return; }
  done
}
if (($# == 1)); then
  build=$1
  [[ -e $build ]] || fail_early 2 "there is no $build"
else
  build=
  for candidate in build/gpu.tar.xz build/cuda; do
    if [[ -z $build && (-f $candidate || -x $candidate/bin/gallop_gpu_test) ]]; then build=$candidate; fi
  done
fi
if [[ -z $build ]]; then
  PATH+=:/usr/local/cuda/bin
  command -v nvcc >/dev/null || fail_early 2 "no CUDA build was carried here, and there is no nvcc to make one"
  { cmake --preset cuda && cmake --build --preset cuda --target gallop_program "${programs[@]:1}"; } ||
    fail_early 1 "the build failed"
  build=build/cuda
fi
if [[ -f $build ]]; then
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$build" "$work/build" ||
    fail_early 2 "$build cannot be unpacked; scripts/gpu_pack.sh makes one"
  build=$work/build
fi
missing=$(missing_from "$build")
[[ -z $missing ]] || fail_early 2 "$build has no $missing; build the targets gallop_program and gallop_gpu_* there"

# What the carried programs and cuBLAS are loaded from.
libraries=$build/lib
cublas=$(python3 -c 'import glob, site, sys
found = [f for d in site.getsitepackages() + sys.path for f in glob.glob(d + "/nvidia/**/libcublas.so.13", recursive=True)]
print(found[0] if found else "")' 2>/dev/null)
[[ -z $cublas ]] || libraries+=:$(dirname -- "$cublas")
export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

# The commit that was built, where an archive says so.
if [[ -f $build/commit ]]; then
  commit=$(<"$build/commit")
else
  commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
  changed=$(git status --porcelain --untracked-files=no -- . ':!bench/results' 2>/dev/null)
  [[ -z $changed ]] || commit+=-modified
fi
folder=${GALLOP_GPU_CHECK_RESULTS:-bench/results/$(tr ' /' '__' <<<"$device")}
mkdir -p -- "$folder" || fail_early 1 "cannot make $folder"
passed=0
failed=0
echo "check,result,seconds,commit" >"$folder/check.csv"
: >"$folder/logs.txt"

# check <name> <seconds> <command>...: runs it within its limit and what is left of the time, and
# shows the end of its output where it fails. With status 77 it was skipped, for the reason that it
# says last.
check() {
  local name=$1 limit=$2 start=$SECONDS left=$((limit_s - (SECONDS - started))) result
  shift 2
  ((limit <= left)) || limit=$left
  if ((left > 5)) && timeout -k 5 "$limit" bash -c '"$@"' check "$@" >"$work/log" 2>&1 </dev/null; then
    result=passed
    passed=$((passed + 1))
  elif (($? == 77)); then
    result="skipped: $(tail -n 1 -- "$work/log" | tr ',' ';')"
  else
    result=FAILED
    failed=$((failed + 1))
    if ((left <= 5)); then echo "no time was left" >"$work/log"; fi
    tail -n 40 -- "$work/log"
    if ((SECONDS - start >= limit)); then echo "$name: stopped at its limit of $limit s"; fi
  fi
  { printf '== %s: %s\n' "$name" "$result"; tail -c 200000 -- "$work/log"; } >>"$folder/logs.txt"
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

# sampled <command>...: runs it while clocks, power and temperature are read four times a second.
sampled() {
  nvidia-smi --id=0 --query-gpu=clocks.sm,clocks.mem,power.draw,temperature.gpu,utilization.gpu \
    --format=csv,noheader,nounits --loop-ms=250 >"$work/load.csv" 2>/dev/null &
  local sampler=$!
  "$@"
  kill "$sampler" 2>/dev/null
  wait "$sampler" 2>/dev/null
}

machine() {
  python3 - "$folder/machine.json" "$device" "$commit" "$work/load.csv" <<'PY' 2>/dev/null || {
import csv, json, os, platform, statistics, subprocess, sys
fields = ["driver_version", "clocks.sm", "clocks.mem", "clocks.max.sm", "clocks.max.mem",
          "power.limit", "memory.total", "temperature.gpu", "persistence_mode"]
values = subprocess.run(["nvidia-smi", "--id=0", "--query-gpu=" + ",".join(fields),
                         "--format=csv,noheader,nounits"], capture_output=True, text=True,
                        check=True).stdout.strip().split(", ")

def under_load(file):
    """Greatest and median of what was read while the device was at work."""
    samples = []
    for line in csv.reader(open(file)) if os.path.exists(file) else []:
        try:
            samples.append([float(x) for x in line])
        except ValueError:  # [N/A], or a line that was cut
            pass
    samples = [s for s in samples if s[-1] >= 50] or samples
    load = {"samples": len(samples)}
    for k, field in enumerate(["clocks.sm", "clocks.mem", "power.draw", "temperature.gpu"]):
        column = [s[k] for s in samples]
        if column:
            load[field] = {"greatest": max(column), "median": statistics.median(column)}
    return load

with open(sys.argv[1], "w") as out:
    json.dump({"device": sys.argv[2], "commit": sys.argv[3], "processor": platform.processor(),
               **dict(zip(fields, values)), "under_load": under_load(sys.argv[4])}, out, indent=2)
    out.write("\n")
PY
    printf '{"device": "%s", "commit": "%s", "driver_version": "%s", "clocks.sm": "%s", "clocks.mem": "%s"}\n' \
      "$device" "$commit" "$(query driver_version)" "$(query clocks.sm)" "$(query clocks.mem)" \
      >"$folder/machine.json"
  }
}

# Results replace those of before when they are whole, and stay beside them where they are not.
into() {
  local file=$1
  shift
  "$@" >"$file.part" || return
  mv -- "$file.part" "$file"
}
math() { into "$folder/math.csv" "$build/bin/gallop_gpu_math" "$commit"; }
bits() { into "$folder/bits.csv" "$build/bin/gallop_gpu_bits" "$commit"; }
enough_bits() {
  local rows
  rows=$(($(wc -l <"$folder/bits.csv") - 1))
  echo "$rows rows"
  ((rows >= 50))
}

# Every kernel once, on shapes that a sanitizer takes seconds for. A pattern that matches no test
# fails, so that a renamed test is not left out unseen.
small=('*EveryEnvironment.*' 'Step.*' 'Gae.ScanInEveryOrderOfThreads' 'Returns.*' 'Standardize.*'
  'Shuffle.*' 'Gradient.EveryOrderOfThreads' 'Gradient.TablesAndNetworksBeyondSharedMemory'
  'Fisher.EveryOrderOfThreads' 'Fisher.TablesAndNetworksBeyondSharedMemory' 'Solver.EveryOrder*'
  'LineSearch.*' 'Recording.ARepetition*' 'Moments.OfZerosAndOfWhatIsNotFinite'
  'Rollout.EveryOrderOfThreads' 'FastRollout.EveryBatchSizeAroundAWarp' 'FastGradient.BeyondSharedMemory'
  'FastGradient.EveryCountAroundAChunk' 'Values.OfModeFastAreClose' 'OptimizerStep.Refuses*' 'Episodes.Bits*')
patterns() {
  local pattern listed
  for pattern in "$@"; do
    listed=$("$build/bin/gallop_gpu_test" --gtest_list_tests --gtest_filter="$pattern") || return
    [[ $listed == *"  "* ]] || { echo "no test is called $pattern"; return 1; }
  done
}
sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
# Room between allocations, so that memcheck sees a step from one into the next; memory as it comes,
# which would be zeroed otherwise, so that initcheck sees what reads it before it is written.
sanitize() {
  local options=(--tool "$1" --error-exitcode 9 --print-limit 20)
  if [[ $1 == memcheck ]]; then options+=(--padding 512); fi
  if [[ $1 == initcheck ]]; then local -x GALLOP_DEVICE_MEMORY=raw; fi
  "$sanitizer" "${options[@]}" "${@:2}"
}

# A read, by a kernel of ours, of memory that nobody wrote, allocated as all memory is.
unwritten=DeviceMemory.AReadOfWhatNobodyWroteShows
initcheck_of_unwritten() {
  must_fail 9 'ERROR SUMMARY: [1-9]|[1-9][0-9]* error' \
    sanitize initcheck "$build/bin/gallop_gpu_test" --gtest_brief=1 --gtest_filter="$unwritten"
}
# The tests in memory whose floats are NaN until they are written.
poisoned_tests() { GALLOP_DEVICE_MEMORY=poison "$build/bin/gallop_gpu_test" --gtest_brief=1; }

# S and S+P of every environment, then S+P+L: four epochs of PPO, and TRPO; in both modes.
bench_rows() {
  local mode shape=(--set n_envs=16384 --set n_steps=64)
  for mode in strict fast; do
    "$build/bin/gallop" bench rollout --device cuda --mode "$mode" --seconds 0.2 --json &&
      "$build/bin/gallop" bench ppo --device cuda --json "${shape[@]}" --set epochs=4 --set minibatch=65536 \
        --set mode="$mode" &&
      "$build/bin/gallop" bench trpo --device cuda --json "${shape[@]}" --set mode="$mode" || return
  done
}
bench() {
  into "$folder/bench.jsonl" bench_rows || return 1
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

# Both kernels of advantages and returns, on every shape of the suite.
gae_rows() {
  "$build/bin/gallop" bench gae --device cuda --seconds 0.1 --csv "$folder/gae.measured" >&2 &&
    awk -v commit="$commit" 'NR == 1 { print $0 ",commit"; next } { print $0 "," commit }' \
      "$folder/gae.measured"
}
gae() {
  into "$folder/gae.csv" gae_rows && rm -- "$folder/gae.measured" && (($(wc -l <"$folder/gae.csv") > 1))
}

# From cold starts until CartPole is solved, on the device and on the processor beside it.
solve_rows() {
  local beside
  bench/solve.sh "$build/bin/gallop" cuda "$commit" || return
  beside=$(bench/solve.sh "$build/bin/gallop" cpu "$commit") || return
  tail -n +2 <<<"$beside"
}
solve() { into "$folder/solve.csv" solve_rows; }
show_solved() {
  local device
  [[ -f $folder/solve.csv ]] || return 0
  for device in cuda cpu; do
    awk -F, -v device="$device" '$1 == device { print $3 + $4 }' "$folder/solve.csv" | sort -g |
      awk -v device="$device" '{ seconds[NR] = $1 } END { if (NR > 0)
        printf "cartpole solved on %s: %.3f s from a cold start, median of %d seeds\n", device, seconds[int((NR + 1) / 2)], NR }'
  done
}

trust_region() {
  into "$folder/trust_region.csv" "$build/bin/gallop_gpu_trust_region" "$commit" &&
    (($(wc -l <"$folder/trust_region.csv") == 17))
}
# The target stands in docs/benchmarks.md; a slower product is no failure of this check.
show_products() {
  awk -F, '$1 == "fisher_product" && $5 == 50000 {
    printf "fisher_product %s %s %s: %.1f us (target 60), %s of the float32 bound\n", $2, $3, $4, $6 * 1e6, $9
  }' "$folder/trust_region.csv"
}

# Each kernel once in each of its launch configurations: how near it comes to what the device can
# do, what its warps wait for, how many there are. Clocks stay as they are.
ncu=$(command -v ncu || echo /usr/local/cuda/bin/ncu)
profile_run() {
  local status=0 denied
  "$ncu" --clock-control none --section SpeedOfLight --section WarpStateStats --section Occupancy \
    --metrics smsp__thread_inst_executed.sum,smsp__issue_active.avg.pct_of_peak_sustained_active \
    --kernel-name "regex:$1" --filter-mode per-launch-config --launch-count 1 \
    --csv --page raw --log-file "$work/ncu.log" "$build/bin/gallop" "${@:2}" || status=$?
  cat -- "$work/ncu.log"
  denied=$(grep -oE -m 1 'ERR_NVGPUCTRPERM|Profiling is not supported' "$work/ncu.log")
  if [[ -n $denied ]]; then
    echo "the device's counters may not be read here ($denied)"
    return 77
  fi
  grep '^"' "$work/ncu.log" >>"$work/ncu.all"
  return "$status"
}
# The names and units of the columns head the table of each run, and are kept once.
profile_rows() { awk -F'","' 'NR <= 2 || ($1 != "\"ID" && $1 != "\"")' "$work/ncu.all"; }
profile() {
  [[ -x $ncu ]] || { echo "ncu is not installed"; return 77; }
  local shape=(--device cuda --set n_envs=16384 --set n_steps=64)
  local rollouts=(bench rollout --device cuda --environment cartpole --stored 0 --seconds 0.05)
  rm -f -- "$work/ncu.all"
  profile_run rollout_kernel "${rollouts[@]}" || return
  profile_run tensor_rollout_kernel "${rollouts[@]}" --mode fast || return
  profile_run 'values_kernel|gae|gradient_kernel|sum_|greatest|for_each' bench ppo "${shape[@]}" \
    --set epochs=1 || return
  profile_run 'fisher|conjugate_gradient_step' bench trpo "${shape[@]}" || return
  into "$folder/ncu.csv" profile_rows
  echo "$(($(wc -l <"$folder/ncu.csv") - 2)) launches"
  (($(wc -l <"$folder/ncu.csv") > 2))
}

draw_page() {
  if [[ -n ${GALLOP_GPU_CHECK_RESULTS:-} ]] || ! python3 scripts/make_gpu_page.py; then
    echo "docs/gpu.md was not drawn; python3 scripts/make_gpu_page.py draws it of bench/results"
  fi
}

# The checks run in shells of their own, so that the clock can stop them.
export build folder commit sanitizer unwritten ncu work
export -f must_fail into math bits enough_bits patterns sanitize bench_rows bench trust_region
export -f initcheck_of_unwritten poisoned_tests gae_rows gae solve_rows solve
export -f profile profile_run profile_rows

echo "$device, commit $commit, build $build"
machine
check planted-bits 60 must_fail 1 'differ' "$build/bin/gallop_gpu_bits" --plant "$commit"
check planted-math 60 must_fail 1 '1 differ' "$build/bin/gallop_gpu_math" --plant "$commit"
check tests 120 "$build/bin/gallop_gpu_test" --gtest_brief=1
check poisoned-tests 120 poisoned_tests
check math 90 math
check bits 150 bits
check bits-rows 10 enough_bits
if [[ -x $sanitizer ]]; then
  check patterns 20 patterns "${small[@]}" "$unwritten"
  for tool in memcheck racecheck initcheck synccheck; do
    check "planted-$tool" 20 must_fail 9 'ERROR SUMMARY: [1-9]|[1-9][0-9]* (error|hazard)' \
      sanitize "$tool" "$build/bin/gallop_gpu_planted" "$tool"
    if [[ $tool == initcheck ]]; then check planted-unwritten 20 initcheck_of_unwritten; fi
    # Between cuBLAS's kernels only memcheck looks: what else they do is not ours.
    filter=$(IFS=:; echo "${small[*]}")
    if [[ $tool == memcheck ]]; then filter+=:MatrixFisher.EveryOrderOfThreads; fi
    check "$tool" 60 sanitize "$tool" "$build/bin/gallop_gpu_test" --gtest_brief=1 --gtest_filter="$filter"
  done
else
  check compute-sanitizer 10 test -x "$sanitizer"
fi
sampled check bench 120 bench
check gae 60 gae
check solve 60 solve
show_solved
check trust-region 60 trust_region
show_products
check ncu 90 profile
machine
draw_page
echo "$passed passed, $failed failed; results in $folder"
((failed == 0))

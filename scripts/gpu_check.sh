#!/usr/bin/env bash
# Proves and measures the CUDA backend on a machine with a GPU, within ten minutes:
#
#   scripts/gpu_check.sh [--checks NAME,NAME...] [build]
#
# The build is a folder, or an archive from scripts/gpu_pack.sh; by default build/gpu.tar.xz or
# build/cuda, else one that it makes.
#
# What tells most comes first: small comparisons of bits, the GPU tests, the rates, each beside the
# processor's, a profile of the main kernels where ncu is there and may read the device's counters; then
# functions on all floats and bits of whole runs against the CPU's; the tests once more in poisoned
# memory; last compute-sanitizer on small shapes. Errors are planted for each tool, which has to find
# them. Every check has a share of the time that is left, in proportion to those of the checks after it:
# none can use up another's, and what one leaves goes to all that follow.
#
#   --checks bench,gae    only these; a group's name stands for all of it (--checks list names them), so
#                         that a second call does what a first one had little time for
#
# Everything lands in bench/results/<device>/: math.csv, bits.csv, bench.csv and the .jsonl files that it
# is made of, gae.csv, solve.csv, trust_region.csv, ncu.csv, check.csv, machine.json and logs.txt.
# docs/gpu.md is drawn of it. Results of checks that were not asked for stay as they were.
#
# The library of mode fast has to be there too: cuBLAS of the CUDA that the build has, where the loader
# finds it or among the Python packages of NVIDIA.
#
#   GALLOP_GPU_CHECK_RESULTS   another folder for the results
#   GALLOP_GPU_CHECK_SECONDS   another limit for all of it (540)
#
# Exit codes: 0 all passed, 1 something failed, 2 wrong use or no build, 7 no GPU on this machine.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
milliseconds() {
  local now=${EPOCHREALTIME/[.,]/}
  echo "${now%???}"
}
started=$(milliseconds)
limit_ms=$((${GALLOP_GPU_CHECK_SECONDS:-540} * 1000))

# Each check: its name, its group, and its share of the time in seconds of 540.
plan='
usable             tests       20
planted-bits       tests        8
tests              tests       60
bench              bench       60
bench-cpu          bench       20
gae                gae         20
gae-cpu            gae          8
trust-region       trust       35
trust-region-cpu   trust       12
solve              solve       30
ncu                ncu         35
bench-all          bench       20
planted-math       bits         4
math               bits        35
bits               bits        35
bits-rows          bits         2
poisoned-tests     tests       25
patterns           sanitizers   3
planted-memcheck   sanitizers   5
memcheck           sanitizers  22
planted-racecheck  sanitizers   5
racecheck          sanitizers  20
planted-initcheck  sanitizers   5
planted-unwritten  sanitizers   5
initcheck          sanitizers  20
planted-synccheck  sanitizers   5
synccheck          sanitizers  20
'

fail_early() {
  echo "gpu_check: $2" >&2
  exit "$1"
}

names() { awk 'NF == 3 { print $1 }' <<<"$plan"; }
wanted=$(names)
if [[ ${1:-} == --checks || ${1:-} == --checks=* ]]; then
  if [[ $1 == --checks ]]; then
    (($# >= 2)) || fail_early 2 "--checks needs names of checks or groups"
    shift
  fi
  asked=${1#--checks=}
  shift
  wanted=
  IFS=, read -ra parts <<<"$asked"
  for part in "${parts[@]}"; do
    found=$(awk -v part="$part" 'NF == 3 && ($1 == part || $2 == part) { print $1 }' <<<"$plan")
    if [[ -z $found ]]; then
      [[ $part == list ]] || echo "gpu_check: there is no check or group '$part'" >&2
      awk 'NF == 3 { of[$2] = of[$2] " " $1 } END { for (group in of) print group ":" of[group] }' <<<"$plan" | sort
      [[ $part == list ]] && exit 0
      exit 2
    fi
    wanted+=$'\n'$found
  done
fi
is_wanted() { [[ $'\n'$wanted$'\n' == *$'\n'"$1"$'\n'* ]]; }
(($# <= 1)) || fail_early 2 "usage: scripts/gpu_check.sh [--checks NAME,NAME...] [build]"
command -v nvidia-smi >/dev/null || fail_early 7 "no GPU: nvidia-smi is not installed; nothing was checked"
query() { nvidia-smi --id=0 --query-gpu="$1" --format=csv,noheader,nounits; }
device=$(query name) || fail_early 7 "no GPU: nvidia-smi finds no device; nothing was checked"

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
programs=(gallop gallop-bench gallop_gpu_bits gallop_gpu_math gallop_gpu_planted gallop_gpu_test gallop_gpu_trust_region)
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
  { cmake --preset cuda && cmake --build --preset cuda --target gallop_program gallop_bench_program "${programs[@]:2}"; } ||
    fail_early 1 "the build failed"
  build=build/cuda
fi
if [[ -f $build ]]; then
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$build" "$work/build" ||
    fail_early 2 "$build cannot be unpacked; scripts/gpu_pack.sh makes one"
  build=$work/build
fi
missing=$(missing_from "$build")
[[ -z $missing ]] || fail_early 2 "$build has no $missing; build the targets gallop_program, gallop_bench_program and gallop_gpu_* there"

# What the carried programs and cuBLAS are loaded from.
libraries=$build/lib
while read -r found; do libraries+=:$(dirname -- "$found"); done < <(python3 -c 'import glob, site, sys
for d in site.getsitepackages() + sys.path:
    print("\n".join(glob.glob(d + "/nvidia/**/libcublas.so.*", recursive=True)))' 2>/dev/null | grep . | sort -u)
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
# Of another call's checks the results stay.
export wanted
others=$(awk -F, 'BEGIN { n = split(ENVIRON["wanted"], list, "\n"); for (k = 1; k <= n; k++) is_wanted[list[k]] = 1 }
  FNR > 1 && !is_wanted[$1]' "$folder/check.csv" 2>/dev/null)
{ echo "check,result,seconds,commit"; [[ -z $others ]] || echo "$others"; } >"$folder/check.csv"
[[ -n $others ]] || : >"$folder/logs.txt"

# share <name>: milliseconds for it now: of what is left its part among those that are still to come.
share() {
  awk -v name="$1" -v left="$((limit_ms - ($(milliseconds) - started)))" '
    BEGIN { n = split(ENVIRON["wanted"], list, "\n"); for (k = 1; k <= n; k++) is_wanted[list[k]] = 1 }
    NF == 3 && is_wanted[$1] { if ($1 == name) own = $3; if (own) rest += $3 }
    END { print (left > 0 ? int(left * own / rest) : 0) }' <<<"$plan"
}
in_seconds() { printf '%d.%03d' "$(($1 / 1000))" "$(($1 % 1000))"; }

# check <name> <command>...: runs it within its share of the time, and shows the end of its output where
# it fails. With status 77 it was skipped, for the reason that it says last. Nothing where it is not
# wanted.
check() {
  local name=$1 start limit spent status=0 result
  shift
  is_wanted "$name" || return 0
  start=$(milliseconds)
  limit=$(share "$name")
  if ((limit > 0)); then
    timeout -k 1 "$(in_seconds "$limit")" bash -c '"$@"' check "$@" >"$work/log" 2>&1 </dev/null || status=$?
  else
    status=1
    echo "no time was left" >"$work/log"
  fi
  spent=$(($(milliseconds) - start))
  if ((status == 0)); then
    result=passed
    passed=$((passed + 1))
  elif ((status == 77)); then
    result="skipped: $(tail -n 1 -- "$work/log" | tr ',' ';')"
  else
    result=FAILED
    failed=$((failed + 1))
    tail -n 40 -- "$work/log"
    if ((spent >= limit)); then echo "$name: stopped at its limit of $(in_seconds "$limit") s"; fi
  fi
  { printf '== %s: %s\n' "$name" "$result"; tail -c 200000 -- "$work/log"; } >>"$folder/logs.txt"
  printf '%s: %s (%s s)\n' "$name" "$result" "$(in_seconds "$spent")"
  printf '%s,%s,%s,%s\n' "$name" "$result" "$(in_seconds "$spent")" "$commit" >>"$folder/check.csv"
  return "$status"
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

# sampled <command>...: runs it, a check, while clocks, power and temperature are read four times a second.
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
# Small shapes of everything, in seconds; with status 7 the device does not run this build.
usable() { "$build/bin/gallop_gpu_bits" --small "$commit"; }
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
  [[ -x $sanitizer ]] || { echo "compute-sanitizer is not installed"; return 1; }
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

# S and S+P, then S+P+L: four epochs of PPO, and TRPO; on the device in both modes. The processor
# computes what it is compared with: both modes are one there.
main_environments=cartpole,hopper
learning() {
  local device=$1 mode=$2 shape=(--set n_envs=16384 --set n_steps=64)
  "$build/bin/gallop" bench ppo --device "$device" --json "${shape[@]}" --set epochs=4 --set minibatch=65536 \
    --set mode="$mode" &&
    "$build/bin/gallop" bench trpo --device "$device" --json "${shape[@]}" --set mode="$mode"
}
bench_rows() {
  local mode
  for mode in fast strict; do
    learning cuda "$mode" && "$build/bin/gallop" bench rollout --device cuda --mode "$mode" \
      --environment "$main_environments" --seconds 0.2 --json || return
  done
  "$build/bin/gallop" bench black-box --device cuda --policy 64-64 --population 65536 --episodes 1 \
    --seconds 0.2 --json
}
bench_cpu_rows() {
  learning cpu strict && "$build/bin/gallop" bench rollout --device cpu --environment "$main_environments" \
    --seconds 0.05 --json
}
bench_all_rows() {
  local mode
  for mode in strict fast; do
    "$build/bin/gallop" bench rollout --device cuda --mode "$mode" --seconds 0.05 --stored 0 --json || return
  done
}
# rows_into <file> <command>...: the rows that it prints, each with the commit.
rows_into() { into "$@" && sed -i "s/^{/{\"commit\": \"$commit\", /" "$1"; }
# rates <table> <check>...: the table of the rows that these checks wrote, beside the processor's rows.
rates() {
  local table=$1 name files=()
  shift
  for name in "$@"; do if [[ -f $folder/$name.jsonl ]]; then files+=("$folder/$name.jsonl"); fi; done
  into "$folder/$table.csv" python3 scripts/gpu_rates.py "$folder/$table-cpu.jsonl" "${files[@]}"
}
bench() { rows_into "$folder/bench.jsonl" bench_rows && rates bench bench bench-all; }
bench_cpu() { rows_into "$folder/bench-cpu.jsonl" bench_cpu_rows && rates bench bench bench-all; }
bench_all() { rows_into "$folder/bench-all.jsonl" bench_all_rows && rates bench bench bench-all; }

# Both kernels of advantages and returns, on every shape of the suite.
gae_rows() { "$build/bin/gallop" bench gae --device "$1" --seconds "$2" --json; }
gae() { rows_into "$folder/gae.jsonl" gae_rows cuda 0.1 && rates gae gae; }
gae_cpu() { rows_into "$folder/gae-cpu.jsonl" gae_rows cpu 0.03 && rates gae gae; }
show_rates() {
  local table
  for table in bench gae; do
    if [[ -f $folder/$table.csv ]]; then python3 scripts/gpu_rates.py --show "$folder/$table.csv"; fi
  done
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
trust_region_cpu() {
  into "$folder/trust_region_cpu.csv" "$build/bin/gallop_gpu_trust_region" --cpu "$commit" &&
    (($(wc -l <"$folder/trust_region_cpu.csv") > 1))
}
# The target stands in docs/benchmarks.md; a slower product is no failure of this check.
show_products() {
  local files=()
  [[ -f $folder/trust_region.csv ]] || return 0
  if [[ -f $folder/trust_region_cpu.csv ]]; then files=("$folder/trust_region_cpu.csv"); fi
  awk -F, 'FILENAME ~ /_cpu.csv$/ { if (!($1 $2 $5 in cpu)) cpu[$1 $2 $5] = $6; next }
    FNR > 1 { beside = ($1 $2 $5 in cpu) ? sprintf(", %.1f times as fast as the processor", cpu[$1 $2 $5] / $6) : "" }
    $1 == "fisher_product" && $5 == 50000 {
      printf "fisher_product %s %s %s: %.1f us (target 60), %s of the float32 bound%s\n", $2, $3, $4, $6 * 1e6, $9, beside
    }
    $1 == "trpo_update" { printf "trpo_update %s %s, %d samples: %.2f ms%s\n", $2, $3, $5, $6 * 1e3, beside }' \
    "${files[@]}" "$folder/trust_region.csv"
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
export build folder commit sanitizer unwritten ncu work main_environments
export -f must_fail into rows_into usable math bits enough_bits patterns sanitize learning bench_rows bench_cpu_rows
export -f bench_all_rows rates bench bench_cpu bench_all trust_region trust_region_cpu
export -f initcheck_of_unwritten poisoned_tests gae_rows gae gae_cpu solve_rows solve
export -f profile profile_run profile_rows

echo "$device, commit $commit, build $build"
if is_wanted bench || [[ ! -f $folder/machine.json ]]; then machine; fi
check usable usable
(($? == 7)) && fail_early 7 "$(tail -n 1 -- "$work/log"); nothing else was checked"
check planted-bits must_fail 1 'differ' "$build/bin/gallop_gpu_bits" --plant "$commit"
check tests "$build/bin/gallop_gpu_test" --gtest_brief=1
if is_wanted bench; then sampled check bench bench; fi
check bench-cpu bench_cpu
check gae gae
check gae-cpu gae_cpu
check trust-region trust_region
check trust-region-cpu trust_region_cpu
check solve solve
check ncu profile
check bench-all bench_all
show_rates
show_products
show_solved
check planted-math must_fail 1 '1 differ' "$build/bin/gallop_gpu_math" --plant "$commit"
check math math
check bits bits
check bits-rows enough_bits
check poisoned-tests poisoned_tests
check patterns patterns "${small[@]}" "$unwritten"
for tool in memcheck racecheck initcheck synccheck; do
  check "planted-$tool" must_fail 9 'ERROR SUMMARY: [1-9]|[1-9][0-9]* (error|hazard)' \
    sanitize "$tool" "$build/bin/gallop_gpu_planted" "$tool"
  if [[ $tool == initcheck ]]; then check planted-unwritten initcheck_of_unwritten; fi
  # Between cuBLAS's kernels only memcheck looks: what else they do is not ours.
  filter=$(IFS=:; echo "${small[*]}")
  if [[ $tool == memcheck ]]; then filter+=:MatrixFisher.EveryOrderOfThreads; fi
  check "$tool" sanitize "$tool" "$build/bin/gallop_gpu_test" --gtest_brief=1 --gtest_filter="$filter"
done
if is_wanted bench; then machine; fi
draw_page
echo "$passed passed, $failed failed; results in $folder"
((failed == 0))

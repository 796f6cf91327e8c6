#!/usr/bin/env bash
# scripts/gpu_check.sh with stand-ins for the device and the programs: what it says, what it writes
# and its exit codes; scripts/gpu_pack.sh. The argument is the build folder.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0
tests=$1/bin/gallop_cuda_test

tree=$work/tree
mkdir -p "$tree/scripts" "$tree/bench" "$tree/docs" "$tree/fake" "$tree/given/bin"
cp "$root/scripts/gpu_check.sh" "$root/scripts/gpu_pack.sh" "$root"/scripts/*.py "$tree/scripts/"
cp "$root/bench/solve.sh" "$tree/bench/"
every_check=$(sed -n "/^plan='/,/^'/p" "$root/scripts/gpu_check.sh" | awk 'NF == 3 { print $1 }')
cp "$root/docs/kernel_limits.csv" "$tree/docs/"

program() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$1"
  chmod +x "$1"
}
stand_ins() {
  # shellcheck disable=SC2016  # the stand-ins expand their own arguments
  program "$tree/fake/nvidia-smi" 'case $* in *gpu=name*) echo "Fake GPU";;
*loop-ms*) printf "%s\n" "345, 1500, 90.5, 40, 0" "1980, 3201, 640.5, 61, 99" "1755, 3201, 700.5, 63, 100" "1, [N/A]"; exec sleep 60;;
*) echo "1, 2, 3, 4, 5, 6, 7, 8, 9";; esac'
  # One launch of each run, under the name that was asked for.
  # shellcheck disable=SC2016
  program "$tree/fake/ncu" 'while (($#)); do case $1 in --log-file) log=$2;; --kernel-name) name=$2;; esac; shift; done
printf "%s\n" "==PROF== Connected" "\"ID\",\"Kernel Name\",\"x\"" "\"\",\"\",\"%\"" "\"0\",\"$name\",\"5\"" >"$log"'
  # shellcheck disable=SC2016
  program "$tree/fake/compute-sanitizer" 'errors=0
for a; do case $a in
  *planted) errors=1;;
  *=DeviceMemory.*) [[ $GALLOP_DEVICE_MEMORY != raw ]] || errors=1;;
esac; done
echo "ERROR SUMMARY: $errors errors"; exit $((9 * errors))'
  # Names of tests are looked up among those that this build has for its stand-in of a device.
  # shellcheck disable=SC2016
  program "$tree/given/bin/gallop_gpu_test" "case \$* in *--gtest_list_tests*) exec '$tests' \"\$@\";; esac"
  program "$tree/given/bin/gallop_gpu_planted" 'exit 0'
  # shellcheck disable=SC2016
  program "$tree/given/bin/gallop_gpu_math" 'echo "function,inputs"; [[ $1 != --plant ]] || { echo "1 functions, 1 differ" >&2; exit 1; }'
  # shellcheck disable=SC2016
  program "$tree/given/bin/gallop_gpu_bits" 'if [[ $1 == --small ]]; then echo row; exit 0; fi
if [[ $1 == --plant ]]; then echo "9 rows, 9 differ" >&2; exit 1; fi
echo "environment,policy,algorithm,seed,shape,cpu_hash,gpu_hash,commit"; for ((k = 0; k < 60; k++)); do echo "row$k"; done'
  # shellcheck disable=SC2016
  program "$tree/given/bin/gallop_gpu_trust_region" 'for ((k = 0; k < 16; k++)); do echo "row$k"; done
[[ $1 == --cpu ]] && exec echo "fisher_product,cartpole,strict,fused,50000,5e-05,4e-05,6e-05,,1,c0ffee"
echo "fisher_product,cartpole,fast,cublas,50000,5e-05,4e-05,6e-05,0.500,1,c0ffee"'
  # shellcheck disable=SC2016
  program "$tree/given/bin/gallop-bench" 'exit 0'
  # A device is ten times as fast as the processor, with sixteen threads.
  # shellcheck disable=SC2016
  program "$tree/given/bin/gallop" 'all=$*
[[ $all == *"--device cuda"* ]] && device=cuda rate=50 threads=1 || device=cpu rate=5 threads=16
row() { printf "{\"name\": \"%s\", \"kernel\": %s, \"mode\": \"strict\", \"phase\": null, \"stored\": false, \"threads\": %d, \"per_second\": %d}\n" "$1" "$2" $threads $rate; }
case $all in
  *"train cartpole"*)
    printf "{\"device\": \"%s\", \"seed\": 1, \"startup_seconds\": 0.25, \"train_seconds\": 0.5, \"steps\": 3, \"iterations\": 4, \"eval_return_mean\": 480, \"reached_stop_return\": true}\n" $device;;
  *"bench gae"*) row gae/8x9 "\"scan\"";;
  *"bench rollout"*fast*) row rollout/cartpole/64-64/fast null;;
  *"bench rollout"*) row rollout/cartpole/64-64 null;;
  *) row "${all#bench }" null;;
esac'
}

# expect <status> <text> <what> [build]: runs the script on the stand-ins, all of it or the checks named
# in CHECKS.
expect() {
  local wanted=$1 text=$2 what=$3 build=${4:-given} status=0 output
  output=$(PATH="$tree/fake:$PATH" "$tree/scripts/gpu_check.sh" ${CHECKS:+--checks "$CHECKS"} "$build" 2>&1) || status=$?
  if ((status != wanted)) || ! grep -qF -- "$text" <<<"$output"; then
    printf '%s: expected status %d and "%s", got %d:\n%s\n' "$what" "$wanted" "$text" "$status" "$output"
    failures=$((failures + 1))
  fi
}

program "$tree/fake/nvidia-smi" 'exit 9'
expect 7 "no GPU" "a machine without a device"

stand_ins
expect 0 "27 passed, 0 failed; results in bench/results/Fake_GPU" "a device that passes"
CHECKS=solve expect 0 "cartpole solved on cuda: 0.750 s from a cold start, median of 8 seeds" "the time to solve it"
CHECKS=trust expect 0 "cartpole fast cublas: 50.0 us (target 60), 0.500 of the float32 bound, 1.0 times as fast as the processor" "the time of a product"
CHECKS=bench expect 0 "rollout/cartpole/64-64/fast: 50 a second, 10 times the processor's 5 with 16 threads" "a rate beside the processor's"
CHECKS=gae expect 0 "gae/8x9 scan strict: 50 a second, 10 times the processor's 5 with 16 threads" "a kernel's rate beside the processor's"
results=$tree/bench/results/Fake_GPU
for file in math.csv bits.csv bench.csv bench.jsonl bench-all.jsonl bench-cpu.jsonl gae.csv solve.csv trust_region.csv ncu.csv check.csv machine.json logs.txt; do
  [[ -s $results/$file ]] || { echo "$file was not written"; failures=$((failures + 1)); }
done
# has <file> <text>
has() { grep -qF -- "$2" "$1" || { echo "$1 lacks $2:"; cat "$1"; failures=$((failures + 1)); }; }
[[ $(head -n 2 "$results/ncu.csv" | cut -d, -f1 | tr '\n' ' ') == '"ID" "" ' ]] ||
  { echo "ncu.csv has no head"; failures=$((failures + 1)); }
[[ $(wc -l <"$results/ncu.csv") == 6 ]] || { echo "ncu.csv has not four launches"; failures=$((failures + 1)); }
for kernels in rollout_kernel tensor_rollout gradient_kernel fisher; do has "$results/ncu.csv" "$kernels"; done
# Of four samples under load one was cut, and one met an idle device.
python3 - "$results/machine.json" <<'PY' || { cat "$results/machine.json"; failures=$((failures + 1)); }
import json, sys
load = json.load(open(sys.argv[1]))["under_load"]
sys.exit(load["samples"] != 2 or load["clocks.sm"] != {"greatest": 1980, "median": 1867.5} or
         load["power.draw"]["greatest"] != 700.5)
PY
has "$tree/docs/gpu.md" "Measured on: Fake GPU."
grep -qx 'gae/8x9,scan,strict,,False,1,50,5,16,10,unknown' "$results/gae.csv" || { echo "gae.csv has no commit"; failures=$((failures + 1)); }

# shellcheck disable=SC2016
program "$tree/fake/ncu" 'while (($#)); do [[ $1 != --log-file ]] || log=$2; shift; done
echo "==ERROR== ERR_NVGPUCTRPERM - The user does not have permission" >"$log"; exit 1'
CHECKS=ncu expect 0 "ncu: skipped: the device's counters may not be read here (ERR_NVGPUCTRPERM)" "counters that are denied"
has "$results/check.csv" "ncu,skipped: the device's counters may not be read here (ERR_NVGPUCTRPERM),"
stand_ins
program "$tree/fake/ncu" 'echo "==ERROR== Unknown option" >&2; exit 1'
CHECKS=ncu expect 1 "ncu: FAILED" "a profiler that fails"
rm "$tree/fake/ncu"
if [[ ! -x /usr/local/cuda/bin/ncu ]] && ! command -v ncu >/dev/null; then
  CHECKS=ncu expect 0 "ncu: skipped: ncu is not installed" "a machine without a profiler"
fi
stand_ins
rm "$tree/scripts/make_gpu_page.py"
CHECKS=gae expect 0 "docs/gpu.md was not drawn" "a tree that lacks the page's script"

program "$tree/given/bin/gallop_gpu_test" 'echo "[  FAILED  ] Gae"; exit 1'
CHECKS=tests expect 1 "tests: FAILED" "a failing test"
stand_ins
program "$tree/given/bin/gallop_gpu_bits" 'echo "9 rows, 0 differ" >&2'
CHECKS=tests expect 1 "planted-bits: FAILED" "a comparison that misses the planted error"
stand_ins
program "$tree/fake/compute-sanitizer" 'echo "ERROR SUMMARY: 0 errors"'
CHECKS=sanitizers expect 1 "planted-memcheck: FAILED" "a sanitizer that misses the planted error"
CHECKS=sanitizers expect 1 "planted-unwritten: FAILED" "memory that is written before initcheck sees it"
stand_ins
# shellcheck disable=SC2016
program "$tree/given/bin/gallop_gpu_test" "case \$* in *--gtest_list_tests*) exec '$tests' \"\$@\";; esac; [[ \$GALLOP_DEVICE_MEMORY != poison ]]"
CHECKS=tests expect 1 "poisoned-tests: FAILED" "a test that reads what nobody wrote"
stand_ins
program "$tree/given/bin/gallop" 'exit 0'
CHECKS=gae expect 1 "gae: FAILED" "a benchmark that writes nothing"
CHECKS=solve expect 1 "solve: FAILED" "a training without a result"
stand_ins
program "$tree/given/bin/gallop_gpu_trust_region" 'echo "what"'
CHECKS=trust expect 1 "trust-region: FAILED" "a benchmark without rows"
stand_ins
program "$tree/given/bin/gallop_gpu_test" 'case $* in *list_tests*Shuffle*) exit 0;; *list_tests*) echo "  Name"; esac'
CHECKS=sanitizers expect 1 "no test is called Shuffle.*" "a test of the sanitizers' that was renamed"
stand_ins
# shellcheck disable=SC2016
program "$tree/given/bin/gallop_gpu_bits" 'case $1 in --small) exit 0;; --plant) echo "9 differ" >&2; exit 1;; esac; sleep 60'
CHECKS=bits,tests GALLOP_GPU_CHECK_SECONDS=6 expect 1 "bits: stopped at its limit" "a check without an end"
[[ $(wc -l <"$tree/bench/results/Fake_GPU/bits.csv") == 61 ]] || { echo "bits.csv was lost"; failures=$((failures + 1)); }

# Programs that never end: each check gets its share of the time all the same, and all of them together
# no more than there is.
stand_ins
for name in gallop gallop-bench gallop_gpu_bits gallop_gpu_math gallop_gpu_planted gallop_gpu_test gallop_gpu_trust_region; do
  program "$tree/given/bin/$name" 'exec sleep 60'
done
for name in ncu compute-sanitizer; do program "$tree/fake/$name" 'exec sleep 60'; done
before=$SECONDS
GALLOP_GPU_CHECK_SECONDS=20 expect 1 "synccheck: stopped at its limit" "programs that never end"
((SECONDS - before <= 28)) || { echo "a budget of 20 s took $((SECONDS - before)) s"; failures=$((failures + 1)); }
for name in $every_check; do
  # A check's share of 20 s in place of 540, less what a loaded machine takes between checks.
  share=$(sed -n "/^plan='/,/^'/p" "$root/scripts/gpu_check.sh" | awk -v name="$name" '$1 == name { print $3 * 20 / 540 / 4 }')
  awk -F, -v name="$name" -v share="$share" '$1 == name && ($2 == "passed" || $3 >= share) { found = 1 } END { exit !found }' \
    "$tree/bench/results/Fake_GPU/check.csv" ||
    { echo "$name did not get $share s:"; grep "^$name," "$tree/bench/results/Fake_GPU/check.csv"; failures=$((failures + 1)); }
done
if grep -q "no time was left" "$tree/bench/results/Fake_GPU/logs.txt"; then echo "a check had no time"; failures=$((failures + 1)); fi

# What a first call had little time for, by a second one.
stand_ins
ran() { cut -d, -f1 "$tree/bench/results/Fake_GPU/check.csv" | tail -n +2 | sort; }
status=0
output=$(PATH="$tree/fake:$PATH" "$tree/scripts/gpu_check.sh" --checks sanitizers,math given 2>&1) || status=$?
if ((status != 0)) || ! grep -q "^11 passed, 0 failed" <<<"$output"; then
  printf '%s: got %d:\n%s\n' "--checks sanitizers,math" "$status" "$output"
  failures=$((failures + 1))
fi
[[ $(ran) == "$(sort <<<"$every_check")" ]] || { echo "the results of other checks were lost:"; ran; failures=$((failures + 1)); }
grep -q '^bench,FAILED,' "$tree/bench/results/Fake_GPU/check.csv" || { echo "bench has another result"; failures=$((failures + 1)); }
for asked in nothing bench,nothing; do
  status=0
  output=$("$tree/scripts/gpu_check.sh" --checks="$asked" given 2>&1) || status=$?
  if ((status != 2)) || ! grep -q "no check or group 'nothing'" <<<"$output" || ! grep -q "^sanitizers:.* initcheck" <<<"$output"; then
    printf '%s: got %d:\n%s\n' "--checks=$asked" "$status" "$output"
    failures=$((failures + 1))
  fi
done
program "$tree/given/bin/gallop_gpu_bits" 'echo "gallop_gpu_bits: the device has 8.0" >&2; exit 7'
expect 7 "the device has 8.0; nothing else was checked" "a device that the build is not for"

# An archive of programs that end with success: it is unpacked, and names the commit that was packed.
for name in gallop gallop-bench gallop_gpu_bits gallop_gpu_math gallop_gpu_planted gallop_gpu_test gallop_gpu_trust_region; do
  cp /bin/true "$tree/given/bin/$name"
done
git -C "$tree" init -q
packed=$("$tree/scripts/gpu_pack.sh" given gpu.tar.xz 2>&1) || { echo "$packed"; failures=$((failures + 1)); }
GALLOP_GPU_CHECK_RESULTS=$work/elsewhere expect 1 "commit unknown, build" "an archive" gpu.tar.xz
grep -q '^tests,passed,[0-9.]*,unknown$' "$work/elsewhere/check.csv" || { echo "the archive's tests did not run"; failures=$((failures + 1)); }
echo "no archive" >"$tree/broken.tar.xz"
expect 2 "broken.tar.xz cannot be unpacked" "what is no archive" broken.tar.xz
expect 2 "there is no nowhere" "a build that is not there" nowhere

stand_ins
rm "$tree/given/bin/gallop_gpu_test"
expect 2 "has no bin/gallop_gpu_test" "a folder without a build"

((failures == 0)) && echo "gpu_check.sh: all cases passed"

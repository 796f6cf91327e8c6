#!/usr/bin/env bash
# docs/gpu.md is what scripts/make_gpu_page.py writes of the committed table and results, and says so
# where no GPU has been measured. On copies with stand-ins for results: an edited page is found, and
# measured figures, shares of the bounds, ncu's words, bits and clocks stand where they belong,
# whichever files and columns there are.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0

complain() {
  echo "$*"
  failures=$((failures + 1))
}

python3 "$root/scripts/make_gpu_page.py" --check || complain "docs/gpu.md is not of today"
if [[ -z $(find "$root/bench/results" -name machine.json) ]] &&
  ! grep -qF "**No GPU has been measured yet.**" "$root/docs/gpu.md"; then
  complain "docs/gpu.md does not say that no GPU has been measured"
fi

copy=$work/copy
page=$copy/docs/gpu.md
mkdir -p "$copy/docs" "$copy/scripts" "$copy/bench/results/amd"
cp "$root"/scripts/*.py "$copy/scripts/"
cp "$root/docs/kernel_limits.csv" "$copy/docs/"
draw() { python3 "$copy/scripts/make_gpu_page.py" "$@" >"$work/log" 2>&1; }
# has <text>...: the page of the copy has each of these.
has() {
  local text
  for text; do grep -qF -- "$text" "$page" || complain "$what: the page lacks '$text'"; done
}

what="a tree without results"
draw || complain "$what: $(cat "$work/log")"
draw --check || complain "$what: the page is not found as it was written"
has "No GPU has been measured yet" "| not measured |" "Not compared on a GPU yet"
[[ $(grep -c "| not measured |" "$page") == 11 ]] || complain "$what: not eleven targets without a figure"
sed -i 's/| not measured |/| measured |/' "$page"
if draw --check; then complain "an edited page is not found"; fi

# Stand-ins for results: every figure that has a counted bound is half of it. `old`: one file, without
# the columns of today.
results=$copy/bench/results/Fake_GPU
mkdir -p "$results"
write_results() {
  python3 - "$copy" "$results" "$1" <<'PY'
import csv, sys
copy, results, age = sys.argv[1:]
sys.path.insert(0, copy + "/scripts")
import gpu_targets, make_gpu_page
limits = make_gpu_page.Limits(copy + "/docs/kernel_limits.csv")
half = {t.name: limits.rate(t.parts) / 2 for t in gpu_targets.TARGETS if t.parts}
random, strict, fast, ppo, ppo_fast, gae, fisher = (
    next(x for name, x in half.items() if word in name)
    for word in ("random", "tanh, strict", "tanh, fast", "epochs, 64-64, strict",
                 "epochs, 64-64, fast", "GAE", "Fisher"))
recorded = float(limits.row("register_rollout_kernel<CartPole 0 1>",
                            "CartPole, random actions, recorded")["per_second"]) / 2
def write(name, heads, *rows):
    with open(f"{results}/{name}.csv", "w", newline="") as out:
        csv.writer(out).writerows([heads.split(), *rows])
if age == "old":
    write("bench", "name scope environment policy stored per_second",
          ("rollout/cartpole/random", "S", "cartpole", "random", "False", random),
          ("rollout/cartpole/64-64", "S+P", "cartpole", "64-64", "False", strict),
          ("ppo/cartpole/64-64", "S+P+L", "cartpole", "64-64", "True", ppo))
else:
    write("bench", "name scope environment policy shape kernel mode phase stored per_second ratio",
          ("rollout/cartpole/64-64", "S+P", "cartpole", "64-64", "", "", "fast", "", "False", fast, 85),
          ("rollout/cartpole/64-64", "S+P", "cartpole", "64-64", "", "", "", "", "False", strict, ""),
          ("rollout/cartpole/random", "S", "cartpole", "random", "", "", "strict", "", "True",
           recorded),
          ("ppo/cartpole/64-64", "S+P+L", "cartpole", "64-64", "", "", "fast", "", "True",
           ppo_fast))
    write("gae", "name scope shape kernel phase backend per_second baseline_per_second",
          ("gae/8192x2048/sequential", "GAE", "8192x2048", "sequential", "", "cuda", 9 * gae, 1),
          ("gae/8192x2048/scan", "GAE", "8192x2048", "scan", "", "cuda", gae, 1),
          ("gae/8192x128/scan", "GAE", "8192x128", "scan", "", "cuda", 9 * gae, 1))
    write("trust_region", "what environment mode path samples median_s",
          ("fisher_product", "pendulum", "strict", "fused", 50000, 1),
          ("fisher_product", "cartpole", "fast", "cublas", 50000, 2),
          ("fisher_product", "cartpole", "strict", "fused", 50000, 50000 / fisher),
          ("trpo_update", "cartpole", "fast", "cublas", 1000000, 0.0123))
    write("trust_region_cpu", "what environment mode path samples median_s",
          ("fisher_product", "cartpole", "strict", "fused", 50000, 300000 / fisher))
    write("solve", "device seed startup_seconds solve_seconds steps iterations return commit",
          *(("cuda", seed + 1, 0.5, seconds, 393216, 6, 480, "c0ffee")
            for seed, seconds in enumerate((0.22, 0.25, 0.9))),
          ("cpu", 1, 0.02, 0.1, 393216, 6, 480, "c0ffee"))
    write("bits", "environment cpu_hash gpu_hash", ("cartpole", "a", "a"), ("hopper", "b", "c"))
    write("check", "check result", ("tests", "passed"), ("ncu", "skipped: ncu is not installed"))
PY
}
# halves <n>: so many targets and kernels stand at half their bound.
halves() {
  local n
  n=$(grep -c '(50 %)' "$page")
  [[ $n == "$1" ]] || complain "$what: $n rows are at half their bound, not $1"
}

what="a folder with one old file"
echo '{"device": "Fake GPU", "commit": "c0ffee", "driver_version": "1.2"}' >"$results/machine.json"
write_results old
draw || complain "$what: $(cat "$work/log")"
has "Measured on: Fake GPU." "Not compared on a GPU yet" "driver 1.2; commit c0ffee; 0 checks passed."
halves 5
if grep -q "No GPU has been measured" "$page"; then complain "$what: the page says that none was"; fi

what="a folder with all files"
cat >"$results/machine.json" <<'JSON'
{"device": "Fake GPU", "commit": "c0ffee", "driver_version": "1.2",
 "under_load": {"samples": 2, "clocks.sm": {"greatest": 1980, "median": 1755}}}
JSON
write_results new
cat >"$results/ncu.csv" <<'CSV'
"ID","Kernel Name","gpu__time_duration.sum","smsp__issue_active.avg.pct_of_peak_sustained_active","smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio","smsp__average_warps_issue_stalled_math_pipe_throttle_per_issue_active.ratio","smsp__average_warps_issue_stalled_selected_per_issue_active.ratio"
"","","ns","%","inst","inst","inst"
"0","void gallop::isa_cuda::narrow_rollout_kernel<gallop::isa_cuda::CartPole, 64>(gallop::RolloutRequest)","1,000","12.3","0.1","0.2","1.0"
"1","void gallop::isa_cuda::narrow_rollout_kernel<gallop::isa_cuda::CartPole, 64>(gallop::RolloutRequest)","2,000","67.8","0.7","0.2","1.0"
CSV
draw || complain "$what: $(cat "$work/log")"
has "| 15 ms | 12.3 ms |" "| 0.3 s | 0.25 s, 0.4 x CPU |" "(50 %), 85 x CPU |" "(50 %), 6 x CPU |" "| Fake GPU | 2 | 1 | 1 |" \
  "(50 %) | issue 68 %, waits: long scoreboard |" "| not measured |" \
  "multiprocessors under load 1755 MHz, at most 1980; 1 checks passed; ncu skipped: ncu is not"
halves 9

echo "docs/gpu.md: $failures failures"
((failures == 0))

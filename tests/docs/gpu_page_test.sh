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
[[ $(grep -c "| not measured |" "$page") == 10 ]] || complain "$what: not ten targets without a figure"
sed -i 's/169 G/269 G/' "$page"
if draw --check; then complain "an edited page is not found"; fi

what="a folder with one old file"
results=$copy/bench/results/Fake_GPU
mkdir -p "$results"
echo '{"device": "Fake GPU", "commit": "c0ffee", "driver_version": "1.2"}' >"$results/machine.json"
cat >"$results/bench.csv" <<'CSV'
name,scope,environment,policy,stored,per_second,commit
rollout/cartpole/random,S,cartpole,random,False,8.43e10,c0ffee
rollout/cartpole/64-64,S+P,cartpole,64-64,False,1.91e9,c0ffee
ppo/cartpole/64-64,S+P+L,cartpole,64-64,True,6.55e7,c0ffee
CSV
draw || complain "$what: $(cat "$work/log")"
has "Measured on: Fake GPU." "| 100 G | 84.3 G (50 %) |" "| 2.9 G | 1.91 G (50 %) |" \
  "| 140 M | 65.5 M (50 %) |" "Not compared on a GPU yet" "driver 1.2; commit c0ffee; 0 checks passed."
if grep -q "No GPU has been measured" "$page"; then complain "$what: the page says that none was"; fi

what="a folder with all files"
cat >"$results/machine.json" <<'JSON'
{"device": "Fake GPU", "commit": "c0ffee", "driver_version": "1.2",
 "under_load": {"samples": 2, "clocks.sm": {"greatest": 1980, "median": 1755}}}
JSON
cat >"$results/bench.csv" <<'CSV'
name,scope,environment,policy,mode,phase,stored,per_second
rollout/cartpole/64-64,S+P,cartpole,64-64,fast,,False,1.61e10
rollout/cartpole/64-64,S+P,cartpole,64-64,strict,,False,1.91e9
rollout/cartpole/random/stored,S,cartpole,random,strict,,True,8.03e10
ppo/cartpole/64-64,S+P+L,cartpole,64-64,fast,,True,4e8
CSV
cat >"$results/gae.csv" <<'CSV'
name,shape,kernel,per_second
gae,8192x2048,sequential,5e10
gae,8192x2048,scan,1.09e11
gae,8192x128,scan,9e11
CSV
cat >"$results/trust_region.csv" <<'CSV'
what,environment,mode,path,samples,median_s
fisher_product,pendulum,strict,fused,50000,1
fisher_product,cartpole,fast,cublas,50000,2
fisher_product,cartpole,strict,fused,50000,8.54e-05
trpo_update,cartpole,fast,cublas,1000000,0.0123
CSV
printf 'environment,median_s\ncartpole,0.25\n' >"$results/solve.csv"
printf 'environment,cpu_hash,gpu_hash\ncartpole,a,a\nhopper,b,c\n' >"$results/bits.csv"
printf 'check,result,seconds\ntests,passed,1\nncu,skipped: ncu is not installed,0\n' >"$results/check.csv"
cat >"$results/ncu.csv" <<'CSV'
"ID","Kernel Name","gpu__time_duration.sum","smsp__issue_active.avg.pct_of_peak_sustained_active","smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio","smsp__average_warps_issue_stalled_math_pipe_throttle_per_issue_active.ratio","smsp__average_warps_issue_stalled_selected_per_issue_active.ratio"
"","","ns","%","inst","inst","inst"
"0","void gallop::isa_cuda::narrow_rollout_kernel<gallop::isa_cuda::CartPole, 64>(gallop::RolloutRequest)","1,000","12.3","0.1","0.2","1.0"
"1","void gallop::isa_cuda::narrow_rollout_kernel<gallop::isa_cuda::CartPole, 64>(gallop::RolloutRequest)","2,000","67.8","0.7","0.2","1.0"
CSV
draw || complain "$what: $(cat "$work/log")"
has "| 12 G | 16.1 G (50 %) |" "| 32.2 G | 16.1 G (50 %) |" "| 500 M | 400 M |" \
  "| 240 G | 109 G (50 %) |" "| 60 us | 85.4 us (50 %) |" \
  "| 15 ms | 12.3 ms |" "| 0.3 s | 0.25 s |" "| Fake GPU | 2 | 1 | 1 |" \
  "| 3.82 G | 1.91 G (50 %) | issue 68 %, waits: long scoreboard |" "| 160 G | 80.3 G (50 %) |" \
  "multiprocessors under load 1755 MHz, at most 1980; 1 checks passed; ncu skipped: ncu is not"

echo "docs/gpu.md: $failures failures"
((failures == 0))

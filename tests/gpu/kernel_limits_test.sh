#!/usr/bin/env bash
# scripts/kernel_limits.py: the loops, ways and counts of a small stored disassembly; what it says
# without a build, without a disassembler and of kernels that are not as listed; and that the
# committed table has a row for each listed kernel, with limits that follow from its counts.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0
export PYTHONDONTWRITEBYTECODE=1

complain() {
  echo "$*"
  failures=$((failures + 1))
}

python3 - "$root" <<'PY' || complain "the loops of the stored disassembly are not those expected"
import csv, sys
root = sys.argv[1]
sys.path.insert(0, root + "/scripts")
import kernel_limits, sass
from kernel_cases import CASES, Case, Run, Way, leaf, once

failures = 0
def expect(what, got, wanted):
    global failures
    if got != wanted:
        print(f"{what}: expected {wanted}, got {got}")
        failures += 1

text = open(root + "/tests/gpu/sass/loops.sass").read()
kernels = dict(sass.kernels(text))
expect("kernels", list(kernels), ["_Z4loopv", "_Z8straightv"])
graph = sass.Graph(kernels["_Z4loopv"])
expect("outer loops", [hex(l.header.at) for l in graph.body.inner], ["0x30"])
outer = graph.body.inner[0]
expect("inner loops", [hex(l.header.at) for l in outer.inner], ["0x50"])
expect("an inner loop's counts", dict(outer.inner[0].counts()),
       {"all": 4, "ffma": 2, "alu": 1, "control": 1})
expect("widths", (outer.counts()["LDG.16"], outer.counts()["STG.1"]), (1, 1))
expect("found by its counts", kernel_limits.find_loop(outer, "ffma=2 LDG.16=0").header.at, 0x50)
expect("the largest", kernel_limits.find_loop(graph.body, "largest").header.at, 0x30)
for what in ("ffma=3", "ffma=2 #1"):
    try:
        kernel_limits.find_loop(outer, what)
        expect(f"a loop with {what}", "found", "none")
    except sass.Unexpected:
        pass

# Around the outer loop: 2 + the inner loop once + 2 + the reciprocal's fast path, 4 + 2 + 2; the
# detour of three instructions calls a subroutine of four.
least = sass.shortest(graph, outer)
expect("the shortest way", (least["all"], least["special"], least["ffma"]), (16, 1, 4))
inner = outer.inner[0]
costs = {inner: sass.Counter({"all": 32, "ffma": 16})}
expect("the inner loop eight times", sass.shortest(graph, outer, [{inner}], costs)["ffma"], 18)
detour = {b for b in outer.own() if sass.count(b.code)["products"] == 2}
longer = sass.shortest(graph, outer, [detour])
expect("through the detour", (longer["all"], longer["fp64"], longer["local"]), (23, 1, 1))
expect("as much work as can be", sass.shortest(graph, outer, prefer=("products",))["all"], 23)
subroutine = graph.subroutine("$_Z4loopv$_Z3subv")
expect("loops of the subroutine", [hex(l.header.at) for l in subroutine.body.inner], ["0x1b0"])
straight = sass.Graph(kernels["_Z8straightv"])
expect("a kernel without loops", sass.shortest(straight, straight.body)["all"], 4)

case = Case("_Z4loopv", "", "round", 2, (Run("largest", (Way(3, (leaf("ffma=2", 8),)),)),))
row = kernel_limits.row(case, kernels)
expect("three rounds of two threads", (row["instructions"], row["ffma"]), ("264", "108"))
expect("every instruction", row["with_rare"], f"{2 * 3 * (4 * 8 + 18)}")
case = case._replace(calls=(("subv", (Way(1, (leaf("LDL.8=1", 5),)),)),),
                     loops=(Run("largest", (Way(1, prefer=("products",)),)),))
expect("a subroutine's loop five times", kernel_limits.row(case, kernels)["local"], "10")

# The committed table.
rows = list(csv.DictReader(open(root + "/docs/kernel_limits.csv")))
expect("rows of docs/kernel_limits.csv", [(r["kernel"], r["case"]) for r in rows],
       [(c.kernel, c.name) for c in CASES])
for case, r in zip(CASES, rows):
    of = sass.Counter({key: float(r[key]) for key in kernel_limits.CLASSES})
    of["all"] = float(r["instructions"])
    at = kernel_limits.limits(of, case, float(r["l1_bytes"]))
    for limit in kernel_limits.LIMITS:
        if r[limit + "_per_second"]:
            ratio = float(r[limit + "_per_second"]) / at[limit]
            expect(f"{r['kernel']}, {limit}", abs(ratio - 1) < 2e-3, True)
    expect(f"{r['kernel']}, bound", r["per_second"], r[r["bound"] + "_per_second"])
    classes = sum(float(r[key]) for key in kernel_limits.CLASSES)
    expect(f"{r['kernel']}, classes", abs(classes / float(r["instructions"]) - 1) < 2e-3, True)

# Multiply-adds by the formulas: 10 for a tanh, 1 for its slope; the weights of each layer forward,
# in their gradient and, but for the first layer, on the way back. For the one output of the values a
# warp sums tiles of 4 x 8 for 64 samples.
forward, tanh = lambda n_out: 4 * 64 + 64 * 64 + 64 * n_out, 10 * 128
formulas = {"values_kernel": forward(2 * 8) + tanh,
            "policy_gradient_kernel<true 0>": 3 * forward(2) - 4 * 64 + tanh + 128,
            "value_gradient_kernel<true 0>": 3 * forward(1) - 4 * 64 + tanh + 128}
# Products of 16 x 8 x 8 for the 128 samples of a chunk: each layer forward, inputs and outputs padded
# to 8; the way back, outputs padded to 8; gradients of weights, 128 samples deep, four inputs and few
# outputs padded to 8.
products = lambda m, n, k: m // 16 * n // 8 * k // 8
tensor_forward = products(128, 64, 8) + products(128, 64, 64) + products(128, 8, 64)
tensor_back = products(128, 64, 8) + products(128, 64, 64)
tensor_weights = products(64, 8, 128) + products(64, 64, 128) + products(64, 8, 128)
in_products = {"tensor_values_kernel": tensor_forward,
               "policy_gradient_kernel<true 1>": tensor_forward + tensor_back + tensor_weights,
               "value_gradient_kernel<true 1>": tensor_forward + tensor_back + tensor_weights}
for r in rows:
    if r["kernel"] in in_products:
        expect(f"{r['kernel']}, products of a chunk", float(r["tensor"]) * 128 / 32,
               in_products[r["kernel"]])
    if r["kernel"] in formulas:
        ratio = float(r["ffma"]) / formulas[r["kernel"]]
        expect(f"{r['kernel']}, multiply-adds", abs(ratio - 1) < 1e-3, True)
    if r["kernel"] == "narrow_rollout_kernel<CartPole 64>":
        expect("a step's multiply-adds", 0 < float(r["ffma"]) - forward(2) - tanh < 60, True)
sys.exit(failures > 0)
PY

python=$(python3 -c 'import sys; print(sys.executable)')
# expect <status> <text> <what> <build> [PATH]
expect() {
  local status=0 output
  output=$(PATH="${5:-$PATH}" "$python" -I -c "import sys, runpy; sys.path[:0] = ['$root/scripts']
sys.path = [p for p in sys.path if 'packages' not in p]; sys.argv = ['kernel_limits.py', '$4']
runpy.run_path('$root/scripts/kernel_limits.py', run_name='__main__')" 2>&1) || status=$?
  if ((status != $1)) || ! grep -qF -- "$2" <<<"$output"; then
    complain "$3: expected status $1 and '$2', got $status and: $output"
  fi
}
mkdir -p "$work/build/CMakeFiles/gallop.dir" "$work/empty" "$work/tools"
expect 2 "keeps no machine code" "a folder without a build" "$work/empty"
touch "$work/build/CMakeFiles/gallop.dir/some.cu.o.cubin"
if [[ ! -x /usr/local/cuda/bin/nvdisasm ]]; then
  expect 2 "pip install nvidia-cuda-nvdisasm" "no disassembler" "$work/build" "$work/tools"
fi
printf '#!/bin/sh\ncat %q\n' "$root/tests/gpu/sass/loops.sass" >"$work/tools/nvdisasm"
chmod +x "$work/tools/nvdisasm"
expect 1 "values_kernel, 4-64-64-1: the build has no such kernel" "a build without the kernels" \
  "$work/build" "$work/tools:$PATH"

echo "kernel_limits.py: $failures failures"
((failures == 0))

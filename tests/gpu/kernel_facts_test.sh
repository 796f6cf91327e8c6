#!/usr/bin/env bash
# scripts/kernel_facts.py: what it finds in lines of machine code and of PTX, and what it says without
# a build. `.ci/run planted kernel_facts` has it find planted faults in a compiled file.
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

python3 - "$root" <<'PY' || complain "the facts of the lines are not those expected"
import sys
sys.path.insert(0, sys.argv[1] + "/scripts")
import kernel_facts

failures = 0
def expect(what, got, wanted):
    global failures
    if got != wanted:
        print(f"{what}: expected {wanted}, got {got}")
        failures += 1

def code(*instructions):
    lines = [f"        /*{16 * k:04x}*/                   {text} ;"
             for k, text in enumerate(instructions)]
    return kernel_facts.own_code(lines)

def faults(instruction, fused=True, name="some_kernel"):
    return len(list(kernel_facts.faults_of_kernel(name, code(instruction), fused)))

expect("a loop of an atomic", faults("ATOMS.CAST.SPIN.64 R6, [R9], R4, R6"), 1)
expect("an atomic of shared memory", faults("ATOMS.MAX RZ, [R9], R4"), 0)
expect("a division", faults("CALL.REL.NOINC `($__internal_0_$__cuda_sm20_div_s64)"), 1)
expect("a remainder", faults("CALL.REL.NOINC `($__internal_0_$__cuda_sm20_rem_u64)"), 1)
expect("a reciprocal", faults("CALL.REL.NOINC `($__internal_0_$__cuda_sm20_rcp_rn_f32_slowpath)"), 0)
expect("a multiply-add that is meant", faults("FFMA R1, R2, R3, R4"), 0)
expect("one that is not", faults("FFMA R1, R2, R3, R4", False), 1)
expect("one without PTX", faults("FFMA R1, R2, R3, R4", None), 0)
expect("too few loads", faults("LDG.E R1, desc[UR4][R2.64]", name="gae_scan_kernel"), 1)
expect("a subroutine of the toolkit's",
       len(kernel_facts.own_code(["        /*0000*/ FFMA R1, R2, R3, R4 ;",
                                  "$__internal_0_$__cuda_sm20_rcp_rn_f32_slowpath:",
                                  "        /*0010*/ FFMA R1, R2, R3, R4 ;", ".L_x_1:",
                                  "        /*0020*/ FFMA R1, R2, R3, R4 ;"])), 1)
load = "LDG.E R{}, desc[UR4][R2.64]"
expect("loads at once", kernel_facts.loads_at_once(
    code(load.format(10), load.format(11), "FADD R5, R6, R7", load.format(12),
         "FADD R5, R10, R7", load.format(13))), 3)
expect("a store that waits", kernel_facts.loads_at_once(
    code(load.format(10), "STG.E desc[UR4][R2.64], R10", load.format(11))), 1)

for line, wanted in (("add.f32 %f1, %f2, %f3;", 1), ("mul.f64 %fd1, %fd2, %fd3;", 1),
                     ("add.rn.f32 %f1, %f2, %f3;", 0), ("mul.rn.f64 %fd1, %fd2, %fd3;", 0),
                     ("add.s32 %r1, %r2, %r3;", 0), ("mul.rn.ftz.f32 %f1, %f2, %f3;", 1),
                     ("rcp.approx.ftz.f32 %f1, %f2;", 0), ("// add.f32", 0)):
    expect(line, len(list(kernel_facts.faults_of_ptx(line))), wanted)
expect("kernels with multiply-adds", kernel_facts.fused_entries(
    ".visible .entry _Z1av(\n)\n{\n fma.rn.f32 %f1;\n}\n.visible .entry _Z1bv(\n)\n{\n ret;\n}\n"),
       {"_Z1av": True, "_Z1bv": False})
sys.exit(failures > 0)
PY

mkdir -p "$work/empty"
output=$("$root/scripts/kernel_facts.py" "$work/empty" 2>&1)
status=$?
if [[ $status != 2 || $output != *"keeps no machine code"* ]]; then
  complain "without a build: status $status, $output"
fi

((failures == 0)) && echo "kernel_facts: as expected"
exit "$((failures > 0))"

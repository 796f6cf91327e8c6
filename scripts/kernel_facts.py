#!/usr/bin/env python3
"""kernel_facts.py [BUILD]: checks the machine code for compute capability 9.0 of a CUDA build
(build/cuda) and the PTX that it was made of, both of which the build keeps beside its objects:

  - no atomic operation of shared memory that is a loop (ATOMS.CAST): 64 bits have no other;
  - no call of a division of integers: of 64 bits it is a subroutine of a hundred instructions;
  - products and sums in the PTX are rounded each (.rn), so that no assembler may fuse them, nothing
    there flushes small numbers to zero but approximations, and kernels whose PTX has no fused
    multiply-add have none;
  - the kernels of advantages and returns have many loads under way before the first is waited for.

Needs NVIDIA's disassembler, as scripts/kernel_limits.py. Exit codes: 0, 1 a fact does not hold or
there is nothing to check, 2 no disassembler or no build."""
import glob
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import kernel_limits
import sass

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Loads that stand before the first instruction that needs one of them, in the loop over steps.
LOADS_AT_ONCE = {"gae_scan_kernel": 16, "for_each_kernel<GaeInstance>": 32,
                 "for_each_kernel<ReturnsInstance>": 32}

DIVISION = re.compile(r"__cuda_sm\d+_(div|rem|mod)_[su]\d+|__(u?div|u?mod)[dt]i")
# What PTX computes by fused multiply-adds without being told so.
FUSED = re.compile(r"\b(fma|div|sqrt|rcp|rsqrt|tanh|ex2|lg2|sin|cos)\.")
ROUNDED = re.compile(r"\b(?:add|sub|mul)\.(?:(rn|rz|rm|rp)\.)?(?:ftz\.)?(?:sat\.)?f(?:32|64)\b")
FLUSHED = re.compile(r"\b(\w+(?:\.\w+)*\.ftz(?:\.\w+)*)")
MAY_FLUSH = re.compile(r"^(rcp|rsqrt|sqrt|tanh|ex2|lg2)\.approx\.")
ENTRY = re.compile(r"^\s*(?:\.visible |\.weak )*\.entry (\w+)", re.M)
REGISTER = re.compile(r"\bR(\d+)\b")


def own_code(lines):
    """The instructions of a kernel and of our own subroutines: not of the toolkit's."""
    ours, code = True, []
    for line in lines:
        label = sass.LABEL.match(line.strip())
        if label:
            if label.group(1).startswith("$"):
                ours = "__cuda_sm" not in label.group(1)
            continue
        found = sass.INSTRUCTION.search(line)
        if found and ours:
            code.append(sass.Instruction(int(found.group(1), 16), *found.groups()[1:]))
    return code


def loads_at_once(code):
    """The most loads that stand one before the other between two of which none is needed."""
    most, pending, count = 0, set(), 0
    for i in code:
        registers = [int(r) for r in REGISTER.findall(i.operands)]
        # The first operand of all but stores is what is written.
        stores = i.name in ("STG", "STS", "ST", "STL", "RED", "REDG")
        read = set(registers if stores else registers[1:])
        if pending & read:
            most, pending, count = max(most, count), set(), 0
        if not stores and registers:
            pending.discard(registers[0])
        if i.name == "LDG" and registers:
            pending.add(registers[0])
            count += 1
    return max(most, count)


def faults_of_kernel(name, code, has_fused):
    """What is wrong with a kernel's instructions; has_fused: its PTX has fused multiply-adds, None
    where there is no PTX."""
    for i in code:
        at = f"{name} at {i.at:#x}: {i.opcode} {i.operands}"
        if i.opcode.startswith("ATOMS.CAS"):
            yield f"{at}: an atomic operation by trying again; use block_sum (device/block_reduce.cuh)"
        if i.name == "CALL" and DIVISION.search(i.operands):
            yield f"{at}: a division by a subroutine; divide in 32 bits"
        if i.name == "FFMA" and has_fused is False:
            yield f"{at}: a fused multiply-add that the source does not have"
            return
    wanted = LOADS_AT_ONCE.get(name)
    if wanted and loads_at_once(code) < wanted:
        yield (f"{name}: {loads_at_once(code)} loads are under way before the first is waited for; "
               f"expected {wanted}")


def faults_of_ptx(text):
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("//")[0]
        rounded = ROUNDED.search(line)
        if rounded and rounded.group(1) is None:
            yield f"line {number}: {line.strip()}: an assembler may fuse this; compile with --fmad=false"
        for flushed in FLUSHED.findall(line):
            if not MAY_FLUSH.match(flushed):
                yield f"line {number}: {line.strip()}: small numbers are flushed to zero"


def fused_entries(text):
    """{mangled name of a kernel: whether its PTX has fused multiply-adds}; a kernel that calls
    counts as one that has."""
    starts = [(m.start(), m.group(1)) for m in ENTRY.finditer(text)]
    ends = [start for start, _ in starts[1:]] + [len(text)]
    found = {}
    for (start, name), end in zip(starts, ends):
        body = text[start:end]
        found[name] = bool(FUSED.search(body)) or "call" in body
    return found


def faults_of_unit(disassembly, ptx):
    """(faults, kernels) of what nvdisasm prints of a unit and of its PTX, which may be None."""
    kernels = dict(sass.kernels(disassembly))
    fused = fused_entries(ptx) if ptx is not None else {}
    plain = subprocess.run(["c++filt"], input="\n".join(kernels), check=True, capture_output=True,
                           text=True).stdout.splitlines()
    names = [kernel_limits.plain(name) for name in plain]
    faults = [] if ptx is None else list(faults_of_ptx(ptx))
    for (mangled, lines), name in zip(kernels.items(), names):
        if "cub::" in name:  # the toolkit's own
            continue
        faults += faults_of_kernel(name, own_code(lines), fused.get(mangled))
    return faults, names


def read_ptx(cubin):
    path = cubin[:-len(".cubin")] + ".ptx"
    if not os.path.isfile(path):
        raise kernel_limits.Missing(f"{path} is missing: build again, with scripts/nvcc_with_report.sh")
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "cuda")
    seen, failed = [], 0
    try:
        for cubin in kernel_limits.cubins(build):
            unit = os.path.basename(cubin)[:-len(".cu.o.cubin")]
            faults, names = faults_of_unit(kernel_limits.disassemble(cubin), read_ptx(cubin))
            seen += names
            failed += len(faults)
            for fault in faults[:20]:
                print(f"kernel_facts: {unit}: {fault}")
            if len(faults) > 20:
                print(f"kernel_facts: {unit}: {len(faults) - 20} more")
    except kernel_limits.Missing as e:
        print(f"kernel_facts: {e}", file=sys.stderr)
        return 2
    for name in LOADS_AT_ONCE:
        if name not in seen:
            print(f"kernel_facts: the build has no {name}")
            failed += 1
    print(f"kernel_facts: {len(seen)} kernels, {failed} faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

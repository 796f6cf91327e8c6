#!/usr/bin/env python3
"""make_gpu_page.py [--check]: writes docs/gpu.md, what the CUDA kernels can reach and what was
measured, from docs/kernel_limits.csv and from each folder of bench/results/ that
scripts/gpu_check.sh wrote on a GPU: machine.json beside any of bench.csv, gae.csv,
trust_region.csv, solve.csv, ncu.csv, bits.csv and check.csv. Columns go by their names; a file, a
column or a row that is not there is a figure that was not measured. scripts/gpu_targets.py has the
targets.

With --check nothing is written; the exit code is 1 where the page is not what would be written."""
import argparse
import csv
import glob
import json
import os
import re
import sys

sys.dont_write_bytecode = True
import kernel_limits
from gpu_targets import TARGETS

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = "docs/gpu.md"
LIMIT_NAMES = {"issue": "issue of instructions", "fma": "multiply-adds", "alu": "integer pipe",
               "special": "special functions", "fp64": "double precision", "tensor": "tensor cores",
               "l1": "shared memory and cache", "hbm": "device memory"}


def read_csv(path):
    if not os.path.isfile(path):
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(text):
    try:
        return float(str(text).replace(",", ""))
    except ValueError:
        return None


class Limits:
    """docs/kernel_limits.csv."""

    def __init__(self, path):
        self.rows = read_csv(path)
        if not self.rows:
            raise SystemExit(f"make_gpu_page: {path} has no rows; write it with kernel_limits.py")
        self.of = {(r["kernel"], r["case"]): r for r in self.rows}

    def row(self, kernel, case):
        if (kernel, case) not in self.of:
            raise SystemExit(f"make_gpu_page: docs/kernel_limits.csv has no row {kernel}, {case}")
        return self.of[kernel, case]

    def rate(self, parts):
        """Units a second of work that takes `parts`, (kernel, case, times) one after the other."""
        seconds = sum(times / float(self.row(kernel, case)["per_second"])
                      for kernel, case, times in parts)
        return 1 / seconds if parts else None


class Device:
    """What one folder of results holds."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "machine.json"), encoding="utf-8") as file:
            self.machine = json.load(file)
        self.name = self.machine.get("device", os.path.basename(folder))
        self.tables = {name: read_csv(os.path.join(folder, name + ".csv"))
                       for name in ("bench", "gae", "trust_region", "trust_region_cpu", "solve", "bits",
                                    "check")}
        self.profile = self._profile()

    def value(self, table, column, **wanted):
        """The column of the first row that has the wanted values, None where none has. Rows that
        say no mode are strict, and of whole iterations where they say no phase."""
        for row in self.tables[table]:
            row = {**row, "mode": row.get("mode") or "strict", "phase": row.get("phase") or "",
                   "stored": (row.get("stored") or "").lower()}
            if all(row.get(key) == value for key, value in wanted.items()):
                return number(row.get(column))
        return None

    def _profile(self):
        """{kernel: the values of its longest launch} of ncu.csv, whose first row has units."""
        found = {}
        for row in read_csv(os.path.join(self.folder, "ncu.csv")):
            if not row.get("ID"):
                continue
            kernel = kernel_limits.plain(row.get("Kernel Name", ""))
            time = number(row.get("gpu__time_duration.sum")) or 0
            if kernel not in found or time > found[kernel][0]:
                found[kernel] = (time, row)
        return {kernel: row for kernel, (_, row) in found.items()}

    def holds_back(self, kernel):
        """What ncu says that the kernel's warps wait for most, and how busy it keeps the device."""
        row = self.profile.get(kernel)
        if row is None:
            return ""
        said = []
        for column, words in (("smsp__issue_active.avg.pct_of_peak_sustained_active", "issue"),
                              ("gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed", "memory"),
                              ("sm__warps_active.avg.pct_of_peak_sustained_active", "warps")):
            if number(row.get(column)) is not None:
                said.append(f"{words} {number(row[column]):.0f} %")
        stalls = {}
        for column, value in row.items():
            what = re.search(r"issue_stalled_(\w+?)(_not_issued)?_per_(warp|issue)_active", column)
            if what and what.group(1) != "selected" and number(value) is not None:
                stalls[what.group(1)] = number(value)
        if stalls:
            said.append("waits: " + max(stalls, key=stalls.get).replace("_", " "))
        return ", ".join(said)


def devices(results):
    """The folders that scripts/gpu_check.sh wrote."""
    return [Device(os.path.dirname(file))
            for file in sorted(glob.glob(os.path.join(results, "*", "machine.json")))]


def figure(x, unit):
    """1.69e11/s as 169 G; times in their unit."""
    if x is None:
        return "-"
    if unit != "/s":
        return f"{x * {'us': 1e6, 'ms': 1e3, 's': 1}[unit]:.3g} {unit}"
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if x >= size:
            return f"{x / size:.3g} {letter}"
    return f"{x:.3g}"


def counted(text):
    x = float(text)
    return f"{x:,.0f}".replace(",", " ") if x >= 100 else f"{x:.3g}"


def share(x, bound, unit):
    if x is None or bound is None:
        return ""
    return f" ({100 * (x / bound if unit == '/s' else bound / x):.0f} %)"


def times(ratio):
    return "" if ratio is None else f", {ratio:.3g} x CPU"


def table(heads, rows):
    return (["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)] +
            ["| " + " | ".join(row) + " |" for row in rows] + [""])


def targets(limits, found):
    heads = ["", "bound, estimated", "bound, counted", "target"]
    heads += [device.name for device in found] or ["measured"]
    rows, notes = [], []
    for t in TARGETS:
        bound = limits.rate(t.parts)
        if bound is not None and t.unit != "/s":
            bound = t.units / bound
        values = [(t.measured(device), t.beside(device)) for device in found] or [(None, None)]
        rows.append([t.name, figure(t.given, t.unit), figure(bound, t.unit),
                     figure(t.target, t.unit)] +
                    ["not measured" if x is None else
                     figure(x, t.unit) + share(x, bound, t.unit) + times(ratio)
                     for x, ratio in values])
        missed = bound is not None and (t.target > bound) == (t.unit == "/s")
        if missed or (t.given and bound and abs(bound / t.given - 1) > 0.05):
            notes.append(f"- {t.name}: {t.why(limits)}")
            if missed:
                notes[-1] += " **The kernels as they are cannot meet the target.**"
    differs = "Where the counted bound is another than the estimated one, or misses the target:"
    return (["## Targets on one H200", "",
             "Rates are steps, samples or elements a second; in brackets the share of the counted",
             "bound, and how many times as fast as the same on the processor of that machine, with all",
             "its threads. S is simulation, P the policy, L learning. The estimates were made before",
             "the kernels were there.", ""] + table(heads, rows) +
            [differs, ""] + notes + [""])


def measured_rollout(limits, device, row):
    """The rate of `gallop bench rollout` that the row bounds."""
    environment, what = row["case"].split(", ", 1)
    policy = what.split()[0].rstrip(",")
    narrow = f"narrow_rollout_kernel<{environment} 64>"
    if row["kernel"].startswith("block") and any(r["kernel"] == narrow for r in limits.rows):
        return None  # that one runs its 64-64 networks
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", environment).lower().replace("cart_p", "cartp")
    return device.value("bench", "per_second", environment=name, policy=policy, phase="",
                        mode="fast" if what.endswith("fast") else "strict",
                        stored="true" if "recorded" in what else "false")


def measured(limits, device, row):
    if "_rollout_kernel<" in row["kernel"]:
        return measured_rollout(limits, device, row)
    if row["kernel"].startswith("fisher_sensitivity"):  # which this shape takes
        seconds = device.value("trust_region", "median_s", what="fisher_product",
                               environment="cartpole", mode="strict", samples="50000")
        return 50000 / seconds if seconds else None
    return None


def kernel_table(limits, found):
    heads = ["kernel", "case", "unit", "instructions", "with rare ones", "multiply-adds",
             "bound by", "a second"]
    heads += [f"{d.name}, a second" for d in found] + [f"{d.name}, ncu" for d in found]
    rows = []
    for r in limits.rows:
        bound = float(r["per_second"])
        rows.append([f"`{r['kernel']}`", r["case"], r["unit"], counted(r["instructions"]),
                     counted(r["with_rare"]), counted(r["ffma"]), LIMIT_NAMES[r["bound"]],
                     figure(bound, "/s")])
        values = [measured(limits, d, r) for d in found]
        rows[-1] += ["" if x is None else figure(x, "/s") + share(x, bound, "/s") for x in values]
        rows[-1] += [d.holds_back(r["kernel"]) for d in found]
    return ["## Every kernel", ""] + table(heads, rows)


HOW = """## How the bounds are counted

`scripts/kernel_limits.py` disassembles the kernels of a CUDA build for compute capability 9.0,
finds their loops, and adds up the instructions that one unit of work takes;
`scripts/kernel_cases.py` says how often each loop runs for it, and from where in the source that is
known. The result is [kernel_limits.csv](kernel_limits.csv). Instructions are those of a thread, so
that a step that four threads share has those of all four.

- `instructions` is the least: the shortest way around each loop that does the work. Left out are
  branches for what is rare (denormals, resets of long episodes, numbers that are not finite), for
  what was not asked for (recording, other activations and heads), and loops that are not listed.
  `with_rare` has every instruction of the listed loops once, whether or not a branch leads there.
- A multiprocessor of the H200 issues four instructions of a warp in a cycle (`issue`), makes 128
  multiply-adds (`fma`; products of integers count twice), 64 results of its integer pipe (`alu`:
  also comparisons, selections, minima), 16 special functions and conversions (`special`), 64
  results in double precision (`fp64`), one product of its tensor cores for a warp (`tensor`), and
  moves 128 bytes to or from shared memory and its first cache (`l1`). There are
  {multiprocessors} of them, at {clock:.2f} GHz.
- Device memory (`hbm`) moves {memory:.1f} TB/s, counted for the bytes that a unit reads and writes
  at least (`memory_bytes`); what the second cache holds is faster.
- A read of one address by all threads of a warp counts as one cycle, whatever its width. If it
  takes four for 16 bytes, the 64-64 kernel is bound by shared memory at {broadcast}.
- A kernel that waits (for memory, for a result, at a barrier) stays below its bound. How far is for
  `scripts/gpu_check.sh` to find.
"""


def how(limits):
    row = limits.row("narrow_rollout_kernel<CartPole 64>", "CartPole, 64-64 tanh")
    rate = kernel_limits.MULTIPROCESSORS * kernel_limits.CLOCK * kernel_limits.L1_BYTES / (
        16 * float(row["lds_16"]))
    return HOW.format(multiprocessors=kernel_limits.MULTIPROCESSORS,
                      clock=kernel_limits.CLOCK / 1e9, memory=kernel_limits.MEMORY / 1e12,
                      broadcast=figure(rate, "/s") + " steps/s").split("\n")


def bits(found):
    rows = []
    for d in found:
        if d.tables["bits"]:
            equal = sum(r.get("cpu_hash") == r.get("gpu_hash") for r in d.tables["bits"])
            total = len(d.tables["bits"])
            rows.append([d.name, str(total), str(equal), str(total - equal)])
    out = ["## Bits of the CPU and the GPU", ""]
    if not rows:
        return out + ["Not compared on a GPU yet; `scripts/gpu_check.sh` does it.", ""]
    return out + table(["device", "runs compared", "equal", "different"], rows)


def machines(found):
    out = ["## Machines", ""] if found else []
    for d in found:
        load = d.machine.get("under_load") or {}
        said = [f"driver {d.machine.get('driver_version', '?')}",
                f"commit {d.machine.get('commit', '?')}"]
        for field, words, unit in (("clocks.sm", "multiprocessors", "MHz"),
                                   ("clocks.mem", "memory", "MHz"), ("power.draw", "power", "W"),
                                   ("temperature.gpu", "temperature", "C")):
            if isinstance(load.get(field), dict):
                said.append(f"{words} under load {load[field]['median']:.0f} {unit}, at most "
                            f"{load[field]['greatest']:.0f}")
        results = [f"{r['check']} {r['result']}" for r in d.tables["check"]
                   if r.get("result") != "passed"]
        passed = sum(r.get("result") == "passed" for r in d.tables["check"])
        said.append(f"{passed} checks passed" + ("; " + "; ".join(results) if results else ""))
        out += [f"- {d.name} ([results](../bench/results/{os.path.basename(d.folder)})): " +
                "; ".join(said) + "."]
    return out + [""] if out else []


def page(limits, found):
    state = ("Measured on: " + ", ".join(d.name for d in found) + "." if found else
             "**No GPU has been measured yet.** Every figure here is counted or estimated;\n"
             "`scripts/gpu_check.sh` measures.")
    out = ["# What the CUDA kernels reach", "",
           "<!-- Written by scripts/make_gpu_page.py; do not edit. -->", "",
           state, ""]
    out += targets(limits, found) + kernel_table(limits, found) + how(limits) + bits(found)
    return "\n".join(out + machines(found)).rstrip("\n") + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    text = page(Limits(os.path.join(ROOT, "docs", "kernel_limits.csv")),
                devices(os.path.join(ROOT, "bench", "results")))
    path = os.path.join(ROOT, PAGE)
    if not check:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        print(f"make_gpu_page: wrote {PAGE}")
        return 0
    there = open(path, encoding="utf-8").read() if os.path.isfile(path) else ""
    if there != text:
        print(f"make_gpu_page: {PAGE} is not what scripts/make_gpu_page.py writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

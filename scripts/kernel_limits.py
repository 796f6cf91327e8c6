#!/usr/bin/env python3
"""kernel_limits.py [--loops KERNEL] [BUILD]: counts the instructions that a unit of work of each
CUDA kernel takes in a CUDA build (build/cuda), from the machine code for compute capability 9.0
that the build keeps beside its objects, and prints what an H200 can make of them at most as CSV:

    scripts/kernel_limits.py build/cuda >docs/kernel_limits.csv

scripts/kernel_cases.py lists the kernels and how often their loops run, scripts/sass.py finds the
loops, docs/gpu.md says what the columns are. --loops prints the loops of the kernels
whose name has KERNEL in it, with the counts by which the list names them.

Needs NVIDIA's disassembler, nvdisasm: of the CUDA toolkit, or pip install nvidia-cuda-nvdisasm.
Exit codes: 0, 1 a kernel is not as the list says, 2 no disassembler or no build."""
import argparse
import csv
import glob
import os
import re
import shutil
import subprocess
import sys
from collections import Counter

sys.dont_write_bytecode = True
import sass
from kernel_cases import CASES, Way

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# An H200: multiprocessors and their greatest clock, bytes of its memory a second (data sheet), and
# what a multiprocessor does in a cycle: instructions of threads, four warps'; results of a pipe, by
# the throughput table of the CUDA programming guide for compute capability 9.0; of the tensor cores
# one product of a warp, by the data sheet's 989 TFLOP/s of 16 x 8 x 16 in bfloat16; bytes of
# first-level cache and shared memory, which are one.
MULTIPROCESSORS, CLOCK, MEMORY = 132, 1.98e9, 4.8e12
ISSUED, FMA, INTEGER, SPECIAL, DOUBLE, TENSOR, L1_BYTES = 4 * 32, 128, 64, 16, 64, 32, 128
LIMITS = ("issue", "fma", "alu", "special", "fp64", "tensor", "l1", "hbm")

CLASSES = ("ffma", "fp32", "imad", "alu", "uniform", "special", "fp64", "tensor", "shared",
           "global", "local", "barrier", "control", "other")
WIDTHS = tuple(f"{name}.{size}" for name in ("LDS", "STS", "LDG", "STG", "LDL", "STL")
               for size in (1, 4, 8, 16))


class Missing(Exception):
    """No tool or no build."""


def disassembler():
    folders = ["/usr/local/cuda/bin"]
    for place in sys.path:
        folders += glob.glob(os.path.join(place, "nvidia", "**", "bin"), recursive=True)
    found = shutil.which("nvdisasm") or shutil.which("nvdisasm", path=os.pathsep.join(folders))
    if not found:
        raise Missing("there is no nvdisasm on the PATH, in /usr/local/cuda/bin or among the "
                      "Python packages; install the CUDA toolkit's or: "
                      "pip install nvidia-cuda-nvdisasm")
    return found


def cubins(build):
    found = sorted(glob.glob(os.path.join(build, "CMakeFiles", "gallop.dir", "**", "*.cu.o.cubin"),
                             recursive=True))
    if not found:
        raise Missing(f"{build} keeps no machine code (*.cu.o.cubin); configure with --preset cuda "
                      "and build the target gallop")
    return found


def disassemble(cubin):
    return subprocess.run([disassembler(), "-c", cubin], check=True, capture_output=True,
                          text=True).stdout


def read_kernels(build):
    """{name as in docs/kernel_resources.csv: lines of machine code}"""
    found = {}
    for cubin in cubins(build):
        found.update(sass.kernels(disassemble(cubin)))
    names = subprocess.run(["c++filt"], input="\n".join(found), check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return {plain(name): lines for name, lines in zip(names, found.values())}


def plain(name):
    """kernel_resources.sh's form of a demangled name."""
    name = re.sub(r"gallop::|isa_cuda::|^void ", "", name)
    name = re.sub(r"\([A-Za-z0-9_]+\)(-?\d)", r"\1", name)  # an enumerator: (ResetMode)1
    return name.split("(")[0].replace(", ", " ")


def find_loop(parent, what):
    """The inner loop of `parent` whose own blocks have the counts `what` says, "ffma=64 LDS.16=8";
    "largest" is that of most blocks, a last word "#1" the second one that fits."""
    if what == "largest":
        return max(parent.inner, key=lambda loop: len(loop.blocks))
    words = what.split()
    place = int(words.pop()[1:]) if words[-1].startswith("#") else None
    wanted = {key: int(value) for key, value in (word.split("=") for word in words)}
    fits = [loop for loop in parent.inner
            if all(loop.counts()[key] == value for key, value in wanted.items())]
    if len(fits) <= (place or 0) or (place is None and len(fits) > 1):
        raise sass.Unexpected(f"{len(fits)} loops have {what}")
    return fits[place or 0]


def random_words(loop, case):
    """The blocks of `loop` that make random words, twenty products each: sets of those of which an
    action takes one, one set for each copy of an instance, and sets of those of resets."""
    blocks = [b for b in loop.own() if sass.count(b.code)["products"] >= 12]
    size = len(blocks) // case.copies
    parts = [blocks[k * size:(k + 1) * size] for k in range(case.copies)]
    cut = size - case.n_resets
    return [set(part[:cut]) for part in parts], [set(part[cut:]) for part in parts]


def once(graph, loop, way, case):
    """Counters of one round of `loop` on `way`: shortest, and every instruction once."""
    costs, every = {}, sass.count(i for b in loop.own() for i in b.code)
    for run in way.loops:
        inner = find_loop(loop, run.what)
        least, most = whole(graph, inner, run.ways, case)
        costs[inner] = costs.get(inner, Counter()) + least
        every += most
    through = [{inner} for inner in costs]
    draws, resets = random_words(loop, case) if way.draw or way.reset else ([], [])
    if way.draw == 1:
        through += draws
    if way.record:
        through.append({next(b for b in loop.own() if sass.count(b.code)["STG.4"] >= 2)})
    base = sass.shortest(graph, loop, through, costs, way.prefer, way.avoid)
    extra = [(way.draw, s) for s in draws if 0 < way.draw < 1]
    extra += [(way.reset, s) for s in resets if way.reset > 0]
    least = Counter(base)
    for share, blocks in extra:
        longer = sass.shortest(graph, loop, through + [blocks], costs, way.prefer,
                               way.avoid)
        for key in {*base, *longer}:
            least[key] += share * (longer[key] - base[key])
    for block in loop.own():
        every += graph.all_of_calls.get(block.call, {})
    return least, every


def whole(graph, loop, ways, case):
    """The same of all rounds on `ways`."""
    least, most = Counter(), Counter()
    for way in ways:
        a, b = once(graph, loop, way, case)
        for key in a:
            least[key] += way.times * a[key]
        for key in b:
            most[key] += way.times * b[key]
    return least, most


def cache_bytes(of, case):
    """Bytes that a unit moves between registers and shared memory or first-level cache."""
    return of["moved"] - sum(of[load] * (int(load.split(".")[1]) - 4) for load in case.broadcast)


def limits(of, case, l1_bytes):
    """Units of work a second that each limit allows, None where a unit takes none of it."""
    cycles = {"issue": of["all"] / ISSUED,
              "fma": (of["ffma"] + of["fp32"] + 2 * of["imad"]) / FMA,
              "alu": of["alu"] / INTEGER,
              "special": of["special"] / SPECIAL,
              "fp64": of["fp64"] / DOUBLE,
              "tensor": of["tensor"] / TENSOR,
              "l1": l1_bytes / L1_BYTES}
    at = {name: case.multiprocessors * CLOCK / x if x > 0 else None for name, x in cycles.items()}
    at["hbm"] = MEMORY / case.memory_bytes if case.memory_bytes else None
    return at


def count_calls(graph, case):
    """Puts what the subroutines take that the case knows the loops of into graph.calls."""
    graph.all_of_calls = {}
    for label in {b.call for b in graph.order if sass.is_ours(b.call)}:
        for name, ways in case.calls:
            if name in label:
                part = graph.subroutine(label)
                part.all_of_calls = {}
                graph.calls[label], graph.all_of_calls[label] = whole(part, part.body, ways, case)


def row(case, kernels):
    if case.kernel not in kernels:
        raise sass.Unexpected("the build has no such kernel")
    graph = sass.Graph(kernels[case.kernel])
    count_calls(graph, case)
    if case.whole_kernel:
        least, most = once(graph, graph.body, Way(1, case.loops, prefer=case.prefer), case)
    else:
        least, most = Counter(), Counter()
        for run in case.loops:
            for total, part in zip((least, most),
                                   whole(graph, find_loop(graph.body, run.what), run.ways, case)):
                total.update(part)
    of = Counter({key: value * case.threads for key, value in least.items()})
    l1_bytes = cache_bytes(of, case)
    at = limits(of, case, l1_bytes)
    bound = min((name for name in LIMITS if at[name]), key=lambda name: at[name])
    number = lambda x: "" if x is None else f"{x:.4g}"
    return {"kernel": case.kernel, "case": case.name, "unit": case.unit,
            "instructions": f"{of['all']:.6g}", "with_rare": f"{most['all'] * case.threads:.6g}",
            **{name: f"{of[name]:.4g}" for name in CLASSES},
            **{name.lower().replace(".", "_"): f"{of[name]:.4g}" for name in WIDTHS},
            "l1_bytes": number(l1_bytes), "memory_bytes": number(case.memory_bytes or None),
            **{f"{name}_per_second": number(at[name]) for name in LIMITS},
            "bound": bound, "per_second": number(at[bound])}


def print_loops(kernels, part):
    def show(loop, depth):
        counts = loop.counts()
        named = ("all", "ffma", "fp32", "special", "tensor", "barrier")
        keys = [k for k in counts if "." in k or k in named]
        print("  " * depth + f"{loop.header.at:#x}, {len(loop.own())} blocks: " +
              " ".join(f"{key}={counts[key]}" for key in sorted(keys)))
        for inner in loop.inner:
            show(inner, depth + 1)

    for name in sorted(kernels):
        if part in name:
            print(name)
            show(sass.Graph(kernels[name]).body, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("build", nargs="?", default=os.path.join(ROOT, "build", "cuda"))
    parser.add_argument("--loops", metavar="KERNEL")
    arguments = parser.parse_args()
    try:
        kernels = read_kernels(arguments.build)
    except Missing as e:
        print(f"kernel_limits: {e}", file=sys.stderr)
        return 2
    if arguments.loops is not None:
        print_loops(kernels, arguments.loops)
        return 0
    rows, failed = [], False
    for case in CASES:
        try:
            rows.append(row(case, kernels))
        except sass.Unexpected as e:
            print(f"kernel_limits: {case.kernel}, {case.name}: {e}", file=sys.stderr)
            failed = True
    if failed:
        print("kernel_limits: scripts/kernel_cases.py does not fit the build; --loops shows the "
              "loops that there are", file=sys.stderr)
        return 1
    writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())

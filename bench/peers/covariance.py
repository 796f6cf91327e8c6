#!/usr/bin/env python3
"""Times CMA-ES outside of its function in pycma, cmaes and Gallop, in one run.

    python3 -m venv build/peers
    build/peers/bin/pip install -r bench/peers/requirements-evolution.txt
    build/peers/bin/python bench/peers/covariance.py build/release/bin/gallop [--csv FILE]

A generation is asked for and told; values are those of the ellipsoid, axes 1 to 1000, begun at 0.5 in
every component with sigma 0.3 and the default population 4 + 3 ln n on every side. The peers' time is
that of ask and tell alone; Gallop's is that of the whole search, its function included, which is in
C++ and costs n multiply-adds a member. One thread each, the sides in turns; a figure is the median of
seconds of a generation, the first rounds of a side, in which it settles, left out of the peers'.
"""

import csv
import json
import math
import os
import statistics
import subprocess
import sys
import time

from peer import checked_arguments, parser_of

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

SIGMA, START = 0.3, 0.5
WARM_UP = 3  # generations


def population_of(n):
    return 4 + int(3 * math.log(n))


def ellipsoid(np, n):
    scale = 10 ** (6 * np.arange(n) / max(n - 1, 1))
    return lambda points: np.square(points) @ scale


class Pycma:
    """cma.CMAEvolutionStrategy with its defaults: active, lazy eigendecomposition."""

    def __init__(self, n):
        import cma
        import numpy as np

        self.np, self.name = np, f"pycma {cma.__version__}"
        self.search = cma.CMAEvolutionStrategy(
            n * [START], SIGMA, {"popsize": population_of(n), "verbose": -9, "seed": 1})
        self.function = ellipsoid(np, n)

    def generation(self):
        start = time.perf_counter()
        points = self.search.ask()
        asked = time.perf_counter()
        values = self.function(self.np.asarray(points))
        told = time.perf_counter()
        self.search.tell(points, values.tolist())
        return time.perf_counter() - told + asked - start


class Cmaes:
    """cmaes.CMA, which hands out and takes one point at a time."""

    def __init__(self, n):
        import cmaes
        import numpy as np

        self.np, self.name = np, f"cmaes {cmaes.__version__}"
        self.search = cmaes.CMA(mean=np.full(n, START), sigma=SIGMA,
                                population_size=population_of(n), seed=1)
        self.function = ellipsoid(np, n)

    def generation(self):
        start = time.perf_counter()
        points = [self.search.ask() for _ in range(self.search.population_size)]
        asked = time.perf_counter()
        values = self.function(self.np.asarray(points))
        told = time.perf_counter()
        self.search.tell(list(zip(points, values.tolist())))
        return time.perf_counter() - told + asked - start


def time_peer(peer, seconds):
    """Seconds of a generation, over about `seconds`."""
    times = []
    start = time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        times.append(peer.generation())
    return statistics.fmean(times)


def time_gallop(program, n, generations):
    command = [program, "optimize", "ellipsoid", "--algorithm", "cma_es", "--dimension", str(n),
               "--evaluations", str(generations * population_of(n)), "--target", "-1",
               "--device", "cpu", "--threads", "1", "--set", f"sigma={SIGMA}", "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    row = json.loads(output.splitlines()[-1])
    return row["seconds"] / row["generations"]


def parse_arguments():
    parser = parser_of(__doc__, rounds=5, seconds=1.0)
    parser.add_argument("--dimension", type=int, action="append",
                        help="of the argument, may be given again (10, 100 and 1000)")
    parser.add_argument("--generations", type=int, default=100, help="of Gallop's search")
    arguments = checked_arguments(parser)
    arguments.dimension = arguments.dimension or [10, 100, 1000]
    if min(arguments.dimension) < 2 or arguments.generations < 1:
        parser.error("--dimension must be at least 2, --generations at least 1")
    return arguments


def compare(arguments, n):
    """Rows [dimension, name, seconds a generation, spread, ratio to Gallop's]."""
    peers = [Pycma(n), Cmaes(n)]
    seconds = {peer.name: [] for peer in peers}
    ours = []
    for peer in peers:
        for _ in range(WARM_UP):
            peer.generation()
    for _ in range(arguments.rounds):
        for peer in peers:
            seconds[peer.name].append(time_peer(peer, arguments.seconds))
        ours.append(time_gallop(arguments.program, n, arguments.generations))
    seconds["gallop"] = ours
    rows = []
    for name, values in seconds.items():
        median = statistics.median(values)
        spread = (max(values) - min(values)) / median
        rows.append([n, name, f"{median:.6g}", f"{spread:.3g}",
                     f"{median / statistics.median(ours):.4g}"])
        print(f"{n:>6}  {name:<20}{1e3 * median:>14.4f}{100 * spread:>8.0f}%"
              f"{median / statistics.median(ours):>9.1f}x")
    return rows


def main():
    arguments = parse_arguments()
    rows = []
    print(f"{'n':>6}  {'CMA-ES, ellipsoid':<20}{'ms/generation':>14}{'spread':>9}{'ratio':>10}")
    for n in arguments.dimension:
        try:
            rows += compare(arguments, n)
        except ImportError as error:
            sys.exit(f"covariance.py: {error}; pip install -r "
                     "bench/peers/requirements-evolution.txt")
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["dimension", "name", "seconds_per_generation", "spread",
                             "gallop_ratio"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

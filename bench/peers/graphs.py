#!/usr/bin/env python3
"""Times gradients of the lecture's five stochastic computation graphs in PyTorch and Gallop, in one run.

    python3 -m venv build/peers
    build/peers/bin/pip install -r bench/peers/requirements-graphs.txt
    build/peers/bin/python bench/peers/graphs.py build/release/bin/gallop [--csv FILE]

A gradient is one of the surrogate loss over a batch of 10^4 samples, drawn anew each time: in PyTorch on
tensors of the whole batch, with log-probabilities of torch.distributions.Normal and, as `torch, by hand`,
with -(y - x)^2 / 2 written out; in Gallop by `gallop bench graph`. One thread each, the sides in turns; a
figure is the median of nanoseconds of processor time a sample. The means over many batches are compared
with the exact gradients before anything is timed.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import time

from peer import checked_arguments, parser_of

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

SAMPLES, THETA, START = 10000, 0.7, 1.0
EXACT = [4 * THETA ** 3, 2 * THETA, 2 * THETA, 3 * THETA ** 2, 4 * THETA + 4 * THETA ** 3]
CHECKED_BATCHES, TOLERANCE = 300, 0.02
WARM_UP = 20


def surrogates(torch, by_hand):
    """The surrogate loss of each row as a function of theta."""
    noise = torch.empty(SAMPLES)

    class Drawn:
        """A sample of N(mean, 1), through which no derivative goes, and its log-probability."""

        def __init__(self, mean):
            if by_hand:
                with torch.no_grad():
                    self.value = mean + torch.randn(SAMPLES, out=noise)
                self.log_p = -0.5 * (self.value - mean) ** 2
            else:
                normal = torch.distributions.Normal(mean, 1.0, validate_args=False)
                self.value = normal.sample((SAMPLES,) if mean.dim() == 0 else ())
                self.log_p = normal.log_prob(self.value)

    def row_1(theta):
        y = Drawn(theta ** 2)
        return (y.log_p * y.value ** 2).mean()

    def row_2(theta):
        x = Drawn(theta)
        return (x.log_p * x.value ** 2).mean()

    def row_3(theta):
        x = Drawn(theta)
        y = Drawn(x.value)
        return (x.log_p * y.value ** 2).mean()

    def row_4(theta):
        x = Drawn(theta)
        f = x.value * theta ** 2
        return (x.log_p * f.detach() + f).mean()

    def row_5(theta):
        x1 = Drawn(theta * START)
        x2 = Drawn(theta * x1.value)
        f1, f2 = x1.value ** 2, x2.value ** 2
        return (x1.log_p * (f1 + f2) + x2.log_p * f2).mean()

    return [row_1, row_2, row_3, row_4, row_5]


class Torch:
    def __init__(self, by_hand):
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(1)
        self.name = f"torch {torch.__version__}" + (", by hand" if by_hand else "")
        self.theta = torch.tensor(THETA, requires_grad=True)
        self.rows = surrogates(torch, by_hand)

    def gradient(self, row):
        self.theta.grad = None
        self.rows[row](self.theta).backward()
        return float(self.theta.grad)

    def check(self, row):
        mean = statistics.fmean(self.gradient(row) for _ in range(CHECKED_BATCHES))
        if abs(mean - EXACT[row]) > TOLERANCE * EXACT[row]:
            sys.exit(f"graphs.py: {self.name}, row {row + 1}: {mean}, exactly {EXACT[row]}")

    def seconds(self, row, duration):
        """Seconds of processor time of a gradient: the median over about `duration`."""
        for _ in range(WARM_UP):
            self.gradient(row)
        times = []
        while sum(times) < duration:
            start = time.process_time()
            self.gradient(row)
            times.append(time.process_time() - start)
        return statistics.median(times)


def time_gallop(program, row, duration):
    command = [program, "bench", "graph", "--example", f"row_{row + 1}", "--samples", str(SAMPLES),
               "--device", "cpu", "--threads", "1", "--seconds", str(duration), "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return SAMPLES / json.loads(output.splitlines()[-1])["per_second"]


def compare(arguments, peers, row):
    """Rows [graph, name, nanoseconds a sample, spread, ratio to Gallop's]."""
    seconds = {peer.name: [] for peer in peers}
    seconds["gallop"] = []
    for peer in peers:
        peer.check(row)
    for _ in range(arguments.rounds):
        for peer in peers:
            seconds[peer.name].append(peer.seconds(row, arguments.seconds))
        seconds["gallop"].append(time_gallop(arguments.program, row, arguments.seconds))
    ours = statistics.median(seconds["gallop"])
    rows = []
    for name, values in seconds.items():
        median = statistics.median(values)
        spread = (max(values) - min(values)) / median
        rows.append([f"row_{row + 1}", name, f"{1e9 * median / SAMPLES:.4g}", f"{spread:.3g}",
                     f"{median / ours:.4g}"])
        print(f"row_{row + 1}  {name:<32}{1e9 * median / SAMPLES:>10.2f}{100 * spread:>8.0f}%"
              f"{median / ours:>9.1f}x", flush=True)
    return rows


def main():
    arguments = checked_arguments(parser_of(__doc__, rounds=5, seconds=0.5))
    try:
        peers = [Torch(by_hand=False), Torch(by_hand=True)]
    except ImportError as error:
        sys.exit(f"graphs.py: {error}; pip install -r bench/peers/requirements-graphs.txt")
    print(f"{'':>5}  {f'batches of {SAMPLES}':<32}{'ns/sample':>10}{'spread':>9}{'ratio':>10}")
    rows = []
    for row in range(len(EXACT)):
        rows += compare(arguments, peers, row)
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["graph", "name", "nanoseconds_per_sample", "spread", "gallop_ratio"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

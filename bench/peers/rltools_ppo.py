#!/usr/bin/env python3
"""Times whole PPO iterations on the pendulum in RLtools and Gallop, in one run.

    python3 -m venv build/peers
    build/peers/bin/pip install -r bench/peers/requirements-rltools.txt
    apt-get install libopenblas-dev
    build/peers/bin/python bench/peers/rltools_ppo.py build/release/bin/gallop [--csv FILE]

RLtools is its own example (github.com/rl-tools/example) in bench/peers/rltools_ppo.cpp, compiled with
-O3 -ffast-math and OpenBLAS. Both sides: one thread, policy and value network of two hidden layers of
tanh units (RLtools' FAST_TANH), normalised observations and advantages, one epoch. `example` is the
example as it stands: 8 instances x 128 steps, minibatches of 128; the other rows are both sides at
equal settings. AVX2 alone: GALLOP_ISA=v3, -march=x86-64-v3, OpenBLAS by its kernels for Haswell and by
those for Zen, of which the faster one counts; with --isa v4 -march=native and what OpenBLAS chooses.
(An OpenBLAS elsewhere is found by CPATH, LIBRARY_PATH and LD_LIBRARY_PATH.) The sides take turns; a
figure is the median of samples a second of processor time.
"""

import csv
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from peer import checked_arguments, parser_of

HERE = pathlib.Path(__file__).resolve().parent
# Instances, steps, samples of a minibatch, hidden units.
SHAPES = {"64x128, minibatches of 1024": (64, 128, 1024), "example": (8, 128, 128)}
HIDDEN, EPOCHS = 32, 1


def headers_of_rltools():
    found = importlib.util.find_spec("rltools")
    if found is None or not found.submodule_search_locations:
        sys.exit("rltools_ppo.py: no module rltools; pip install -r "
                 "bench/peers/requirements-rltools.txt")
    return pathlib.Path(found.submodule_search_locations[0]) / "external/rl_tools/include"


def build(arguments, folder, shape):
    """The program of RLtools for a shape."""
    n_envs, n_steps, minibatch = SHAPES[shape]
    program = pathlib.Path(folder) / f"rltools_{n_envs}_{n_steps}_{minibatch}"
    march = "x86-64-v3" if arguments.isa == "v3" else "native"
    command = [os.environ.get("CXX", "g++"), "-std=c++17", "-O3", "-ffast-math", f"-march={march}",
               "-DRL_TOOLS_BACKEND_ENABLE_OPENBLAS",
               "-DRL_TOOLS_DISABLE_UNALIGNED_MEMORY_ALLOCATIONS", f"-DPEER_ENVS={n_envs}",
               f"-DPEER_STEPS={n_steps}", f"-DPEER_MINIBATCH={minibatch}", f"-DPEER_HIDDEN={HIDDEN}",
               f"-DPEER_EPOCHS={EPOCHS}", f"-I{headers_of_rltools()}"]
    command += [str(HERE / "rltools_ppo.cpp"), "-o", str(program), "-lopenblas", "-lm"]
    subprocess.run(command, check=True)
    return program


def time_rltools(program, seconds, core):
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    environment.pop("OPENBLAS_CORETYPE", None)
    if core:
        environment["OPENBLAS_CORETYPE"] = core
    output = subprocess.run([str(program), str(seconds)], check=True, capture_output=True, text=True,
                            env=environment).stdout
    samples, passed = output.splitlines()[-1].split()
    return float(samples) / float(passed)


def time_gallop(arguments, shape):
    """Samples a second, and the row with the name of the instruction set."""
    n_envs, n_steps, minibatch = SHAPES[shape]
    command = [arguments.program, "bench", "ppo", "--environment", "pendulum", "--threads", "1",
               "--seconds", str(arguments.seconds), "--json"]
    settings = {"n_envs": n_envs, "n_steps": n_steps, "minibatch": minibatch,
                "hidden": f"[{HIDDEN},{HIDDEN}]", "epochs": EPOCHS, "gamma": 0.9,
                "normalize_observations": "true"}
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True,
                            env=dict(os.environ, GALLOP_ISA=arguments.isa)).stdout
    row = json.loads(output.splitlines()[-1])
    return row["per_second"], row


def parse_arguments():
    parser = parser_of(__doc__, rounds=5, seconds=1.5)
    parser.add_argument("--isa", choices=["v3", "v4"], default="v3")
    return checked_arguments(parser)


def measure(arguments, folder, shape):
    """The rates of each side, by name, in turns."""
    program = build(arguments, folder, shape)
    cores = ["Haswell", "Zen"] if arguments.isa == "v3" else [None]
    rates, row = {}, {}
    for _ in range(arguments.rounds):
        value, row = time_gallop(arguments, shape)
        rates.setdefault(f"gallop {row['backend']}", []).append(value)
        for core in cores:
            name = f"rltools, OpenBLAS {core or 'by processor'}"
            rates.setdefault(name, []).append(time_rltools(program, arguments.seconds, core))
    return rates


def main():
    arguments = parse_arguments()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            rates = measure(arguments, folder, shape)
            ours = statistics.median(next(iter(rates.values())))
            print(f"{f'pendulum, PPO 32-32, {shape}':<52}{'samples/s':>12}{'spread':>9}{'Gallop is':>12}")
            for name, values in rates.items():
                median = statistics.median(values)
                spread = (max(values) - min(values)) / median
                rows.append([shape.replace(", ", "; "), name.replace(", ", "; "), f"{median:.6g}",
                             f"{spread:.3g}", f"{ours / median:.4g}"])
                print(f"  {name:<50}{1e-6 * median:>10.2f} M{100 * spread:>8.0f}%{ours / median:>11.2f}x")
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["shape", "name", "samples_per_second", "spread", "gallop_ratio"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

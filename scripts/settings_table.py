#!/usr/bin/env python3
"""settings_table.py PROGRAM [options]: whether the shipped settings reach their bars over fresh seeds.

Trains every task of configs/ppo and configs/trpo with the settings that ship, over seeds that no setting
was chosen on (from 1000 on; settings are chosen on seeds below), and evaluates each policy over 100
episodes. Writes a row a run to the CSV file as it ends, so that a table that was interrupted goes on; a
row counts as long as its settings file and the build's version are the same. Prints the table as Markdown,
and exits with 1 where a setting holds for fewer seeds than it should: 29 of 30, robots nine of ten.

  scripts/settings_table.py build/release/bin/gallop
  scripts/settings_table.py build/release/bin/gallop --algorithms trpo --environments mountain_car_continuous
  scripts/settings_table.py build/release/bin/gallop --print     the table of the rows that there are
"""
import argparse
import csv
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
FIRST_SEED = 1000
# Bars: Gymnasium's reward thresholds where a task has one that its reference learners reach, else what
# docs/locomotion.md promises; seeds in all, and for how many of them the bar has to be reached.
SMALL, ROBOT = (30, 29), (10, 9)
TASKS = {
    "cartpole": (475, SMALL), "pendulum": (-180, SMALL), "acrobot": (-100, SMALL),
    "mountain_car": (-120, SMALL), "mountain_car_continuous": (90, SMALL),
    "inverted_pendulum": (950, ROBOT), "inverted_double_pendulum": (8900, ROBOT),
    "hopper": (3000, ROBOT), "walker2d": (3500, ROBOT), "half_cheetah": (4000, ROBOT),
    "swimmer": (300, ROBOT), "ant": (3000, ROBOT), "humanoid": (5000, ROBOT),
    "reacher": (-5, ROBOT), "humanoid_standup": (120000, ROBOT),
}
FIELDS = ["algorithm", "environment", "seed", "return", "steps", "seconds", "settings"]


def settings_of(algorithm, environment):
    """A name for the settings file as it is."""
    return hashlib.sha256((ROOT / "configs" / algorithm / f"{environment}.toml").read_bytes()).hexdigest()[:12]


def train(program, algorithm, environment, seed, threads):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [program, "train", environment, "--algorithm", algorithm, "--seed", str(seed), "--eval-episodes",
             "100", "--threads", str(threads), "--out", f"{folder}/run", "--json"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{algorithm} on {environment}, seed {seed}: exit code {done.returncode}\n{done.stderr}")
        result = json.loads(done.stdout.splitlines()[-1])
    return [algorithm, environment, seed, round(result["eval_return_mean"], 3), result["steps"],
            round(result["train_seconds"], 2), settings_of(algorithm, environment)]


def read_rows(path):
    if not path.exists():
        return {}
    with path.open() as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != FIELDS:
        sys.exit(f"settings_table: {path} does not begin with {','.join(FIELDS)}")
    return {(r[0], r[1], int(r[2])): r for r in rows[1:] if r[6] == settings_of(r[0], r[1])}


def write_rows(path, rows):
    fresh = path.with_suffix(".partial")
    with fresh.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows(rows[key] for key in sorted(rows))
    fresh.replace(path)


def table(rows, algorithms, environments):
    """Lines of Markdown, and the settings that hold for too few seeds."""
    lines = ["| algorithm | task | bar | reached by | least | median | greatest | median time |",
             "|---|---|---|---|---|---|---|---|"]
    weak = []
    for algorithm in algorithms:
        for environment in environments:
            bar, (wanted, enough) = TASKS[environment]
            found = [r for (a, e, _), r in rows.items() if (a, e) == (algorithm, environment)]
            if not found:
                continue
            returns = sorted(float(r[3]) for r in found)
            reached = sum(x >= bar for x in returns)
            if len(returns) - reached > wanted - enough:
                weak.append(f"{algorithm} on {environment}: {reached} of {len(returns)} seeds reach {bar}")
            lines.append(f"| {algorithm} | {environment} | {bar} | {reached} of {len(returns)} | {returns[0]:.5g} | "
                         f"{median(returns):.5g} | {returns[-1]:.5g} | {median(float(r[5]) for r in found):.3g} s |")
    return lines, weak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--algorithms", default="ppo,trpo")
    parser.add_argument("--environments", default=",".join(TASKS))
    parser.add_argument("--seeds", type=int, help="of each task, where fewer than it should be are wanted")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--csv", type=Path, default=ROOT / "bench/results/settings.csv")
    parser.add_argument("--print", action="store_true", help="train nothing")
    options = parser.parse_args()
    algorithms, environments = options.algorithms.split(","), options.environments.split(",")
    for name in environments:
        if name not in TASKS:
            sys.exit(f"settings_table: unknown task '{name}'; expected some of {', '.join(TASKS)}")
    rows = read_rows(options.csv)
    for environment in environments if not options.print else []:
        for algorithm in algorithms:
            for seed in range(FIRST_SEED, FIRST_SEED + (options.seeds or TASKS[environment][1][0])):
                if (algorithm, environment, seed) not in rows:
                    row = train(options.program, algorithm, environment, seed, options.threads)
                    rows[algorithm, environment, seed] = [str(cell) for cell in row]
                    write_rows(options.csv, rows)
                    print(*row, file=sys.stderr, flush=True)
    lines, weak = table(rows, algorithms, environments)
    print("\n".join(lines))
    for line in weak:
        print(f"settings_table: {line}", file=sys.stderr)
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())

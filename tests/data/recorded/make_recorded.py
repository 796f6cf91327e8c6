#!/usr/bin/env python3
"""make_recorded.py PROGRAM FOLDER: short runs of every algorithm and environment, and what becomes of them.

Writes FOLDER/<name>/ (configuration, logs and one checkpoint of the middle of each run) and
FOLDER/runs.csv, a row a run: its name, the arguments that make it from nothing (every option, so that
shipped settings do not matter), the bits and the mean return at its end, and the mean return of the
policy in the middle. tests/training/recorded_runs_test.cpp holds later programs to them: the same runs
from nothing, and the folders evaluated and resumed.

The files beside this one were written by the program of commit ebb3fda, those of black-box algorithms,
of trpo_vine, off-policy ones, bptt, shac, learned_model and svg by those which brought them. A row is only made anew where a
commit says that it changes bits: make_recorded.py PROGRAM FOLDER NAME...
"""
import csv
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

SMALL = {"n_envs": 4, "n_steps": 16, "hidden": 8, "value_hidden": 8, "init_log_std": -0.5}
ITERATIONS = 4
ALGORITHMS = ["ppo", "trpo", "trpo_dual", "trpo_penalty", "npg", "vpg", "vpg_line_search", "reinforce",
              "a2c", "actor_critic", "actor_critic_one_step", "trpo_vine"]
BLACK_BOX = ["es", "ars", "cma_es", "sep_cma_es", "cem", "rwr", "pi2", "power", "nes", "pgpe", "eggroll",
             "finite_differences"]
OFF_POLICY = ["sac", "td3", "ddpg", "dpg"]
ENVIRONMENTS = ["acrobot", "mountain_car", "mountain_car_continuous", "lqr", "lqr_dean", "mdp", "bandit",
                "bandit_step", "hopper", "walker2d", "half_cheetah", "swimmer", "ant", "humanoid",
                "inverted_pendulum", "inverted_double_pendulum"]
MODEL = {"buffer_size": 192, "model_hidden": 8, "model_epochs": 2, "ensemble": 2}
# More of what a run can be told, by name: environment, algorithm, options.
VARIANTS = {
    "ppo_relu_deep": ("pendulum", "ppo", {"hidden": "8,8,8", "activation": "relu",
                                          "normalize_observations": "true", "epochs": 2}),
    "ppo_linear": ("cartpole", "ppo", {"hidden": "", "value_hidden": 8, "minibatch": 16}),
    "ppo_wide": ("cartpole", "ppo", {"hidden": "64,64", "value_hidden": "64,64", "n_envs": 24}),
    "ppo_network_deviation": ("pendulum", "ppo", {"log_std": "network", "minibatch": 32}),
    "trpo_network_deviation": ("pendulum", "trpo", {"log_std": "network",
                                                    "normalize_observations": "true"}),
    "trpo_wide": ("hopper", "trpo", {"hidden": "64,64", "value_hidden": "32", "n_envs": 12}),
    "npg_fixed": ("acrobot", "npg", {"step": "fixed"}),
    "vpg_n_step": ("pendulum", "vpg", {"estimator": "n_step", "n": 3, "value_target": "td"}),
    "vpg_monte_carlo": ("mdp", "vpg", {"estimator": "monte_carlo", "discount_states": "true"}),
    "vpg_sgd": ("cartpole", "vpg", {"step": "plain", "learning_rate": 0.01, "baseline": "time"}),
    "vpg_linear_baseline": ("cartpole", "vpg", {"baseline": "linear"}),
    "reinforce_optimal": ("cartpole", "reinforce", {"baseline": "optimal", "n_steps": 64}),
    "bptt_pendulum": ("pendulum", "bptt", {}),
    "shac_pendulum": ("pendulum", "shac", {"state_interval": 4}),
    "learned_model_pendulum": ("pendulum", "learned_model", {**MODEL, "updates": 3, "paths": 20,
                                                             "horizon": 4, "model_steps": 2}),
    "svg_pendulum": ("pendulum", "svg", {**MODEL, "updates": 3, "minibatch": 24}),
    "svg_q_function": ("pendulum", "svg", {"k": 0, "buffer_size": 192, "updates": 3, "minibatch": 24}),
    "svg_infinity": ("pendulum", "svg", {**MODEL, "k": "infinity", "max_adjoint": 10}),
}


def rows():
    for algorithm in ALGORITHMS:
        for environment in ("cartpole", "pendulum"):
            yield f"{algorithm}_{environment}", environment, algorithm, {}
    for algorithm in BLACK_BOX:
        for environment in ("cartpole", "pendulum") if algorithm in ("es", "ars") else ("cartpole",):
            yield f"{algorithm}_{environment}", environment, algorithm, {}
    for algorithm in OFF_POLICY:
        yield (f"{algorithm}_pendulum", "pendulum", algorithm,
               {"buffer_size": 200, "learning_starts": 64, "batch_size": 24})
    for environment in ENVIRONMENTS:
        yield f"ppo_{environment}", environment, "ppo", {"n_envs": 2}
    for name, (environment, algorithm, options) in VARIANTS.items():
        yield name, environment, algorithm, options


def run(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def text_of(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(v) for v in value)
    return str(value)


def common(environment, algorithm, steps):
    return ["train", environment, "--algorithm", algorithm, "--seed", "3", "--steps", str(steps),
            "--checkpoint-interval", "1", "--eval-episodes", "4"]


def record(program, folder, name, environment, algorithm, options):
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    told = {**({"hidden": 4} if algorithm in BLACK_BOX else SMALL), **options}
    if algorithm in OFF_POLICY:
        del told["init_log_std"]
    steps = SMALL["n_steps"] * int(told.get("n_envs", 1)) * ITERATIONS
    sets = [a for key, value in told.items() for a in ("--set", f"{key}={value}")]
    while True:  # a line search takes steps of its own, and a generation any number
        run(program, *common(environment, algorithm, steps), *sets, "--threads", "1", "--out", place, "--json")
        if len(list(place.glob("checkpoints/*"))) > 1:
            break
        shutil.rmtree(place)
        steps *= 2
    # From nothing once more, with every option of the algorithm said.
    config = tomllib.loads((place / "config.toml").read_text())
    keys = list(config)
    keys = keys[keys.index("checkpoint_seconds") + 1:]
    sets = [a for key in keys if not isinstance(config[key], dict)
            for a in ("--set", f"{key}={text_of(config[key])}")]
    arguments = [*common(environment, algorithm, steps), *sets]
    again = folder / "again"
    shutil.rmtree(again, ignore_errors=True)
    whole = run(program, *arguments, "--out", again, "--json")
    shutil.rmtree(again)
    # What is left: the run as it was an iteration before its end.
    for file in [*place.glob("events*"), place / "report.html", place / "result.json", place / "sessions.jsonl"]:
        file.unlink()
    text = (place / "config.toml").read_text()  # without the machine's name for things
    (place / "config.toml").write_text("".join(l for l in text.splitlines(True) if not l.startswith("#")))
    sorted(place.glob("checkpoints/*"))[-1].unlink()
    middle = run(program, "eval", place, "--episodes", "4", "--json")
    return [name, environment, algorithm, whole["bits"], f"{whole['eval_return_mean']:.9g}",
            f"{middle['eval_return_mean']:.9g}", " ".join(arguments[2:])]


def main():
    program, folder, wanted = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    table = folder / "runs.csv"
    kept = {}
    if wanted and table.exists():
        with table.open() as file:
            kept = {row[0]: row for row in list(csv.reader(file))[1:]}
    done = []
    for name, *rest in rows():
        if wanted and name not in wanted and name in kept:
            done.append(kept[name])
        else:
            done.append(record(program, folder, name, *rest))
    # Rows of arguments that no list above has stay as they are.
    done += [row for name, row in kept.items() if name not in {d[0] for d in done}]
    with table.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "environment", "algorithm", "bits", "return", "middle_return", "arguments"])
        writer.writerows(done)


if __name__ == "__main__":
    main()

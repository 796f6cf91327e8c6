#!/usr/bin/env bash
# solve.sh PROGRAM DEVICE COMMIT [SEEDS]: seconds from a cold start until PPO solves CartPole with the
# settings of bench/solve_cartpole.toml, a process for each of the seeds 1 to SEEDS (8). Prints CSV:
# the seconds before the first rollout (process, libraries, device, memory), those from there until an
# evaluation has found it solved and a checkpoint is written, the steps and iterations that it took,
# and that evaluation's return. Fails where a seed does not solve it.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
(($# == 3 || $# == 4)) || { echo "usage: bench/solve.sh PROGRAM DEVICE COMMIT [SEEDS]" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
echo "device,seed,startup_seconds,solve_seconds,steps,iterations,return,commit"
for ((seed = 1; seed <= ${4:-8}; seed++)); do
  "$1" train cartpole --config "$root/bench/solve_cartpole.toml" --device "$2" --seed "$seed" \
    --out "$work/$seed" --json --quiet >"$work/result"
  python3 - "$work/result" "$3" <<'PY'
import json, sys
run = json.loads(open(sys.argv[1]).read().splitlines()[-1])
print(run["device"], run["seed"], f'{run["startup_seconds"]:.4f}', f'{run["train_seconds"]:.4f}', run["steps"],
      run["iterations"], f'{run["eval_return_mean"]:.2f}', sys.argv[2], sep=",", flush=True)
if not run["reached_stop_return"]:
    sys.exit(f'seed {run["seed"]} did not solve it within {run["steps"]} steps')
PY
done

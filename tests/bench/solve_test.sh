#!/usr/bin/env bash
# bench/solve.sh with the program on the CPU, and with stand-ins for it. The argument is the build
# folder.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
fail() {
  echo "solve_test: $1"
  exit 1
}

rows=$("$root/bench/solve.sh" "$1/bin/gallop" cpu c0ffee 2) || fail "it was not solved: $rows"
[[ $(wc -l <<<"$rows") == 3 ]] || fail "expected a header and two rows: $rows"
awk -F, 'NR == 1 { exit $0 != "device,seed,startup_seconds,solve_seconds,steps,iterations,return,commit" }' \
  <<<"$rows" || fail "another header: $rows"
awk -F, 'NR > 1 && !($1 == "cpu" && $2 == NR - 1 && $3 > 0 && $4 > 0 && $5 == 65536 * $6 && $7 >= 475 && $8 == "c0ffee") { bad = 1 }
  END { exit bad }' <<<"$rows" || fail "a row is not right: $rows"

# Steps that ended before it was solved, and a program that fails.
cat >"$work/never" <<'END'
#!/usr/bin/env bash
echo '{"device": "cpu", "seed": 1, "startup_seconds": 1, "train_seconds": 2, "steps": 3, "iterations": 4, "eval_return_mean": 20, "reached_stop_return": false}'
END
printf '#!/usr/bin/env bash\nexit 7\n' >"$work/fails"
chmod +x "$work/never" "$work/fails"
said=$("$root/bench/solve.sh" "$work/never" cpu c0ffee 1 2>&1) && fail "a run that ended unsolved passed"
grep -q 'seed 1 did not solve it within 3 steps' <<<"$said" || fail "$said"
"$root/bench/solve.sh" "$work/fails" cpu c0ffee 1 >"$work/out" 2>&1 && fail "a program that fails passed"
"$root/bench/solve.sh" 2>"$work/out" && fail "wrong use passed"
echo "solve.sh: all cases passed"

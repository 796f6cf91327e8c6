#!/usr/bin/env python3
"""gpu_rates.py CPU.jsonl DEVICE.jsonl...: rows of benchmarks (gallop bench --json) of a device as
CSV, each with the rate of the same work on the processor beside it (cpu_per_second, cpu_threads) and
how many times that it is (ratio), empty where the processor's was not measured. Of rows of one name
the first file's stays.

gpu_rates.py --show TABLE.csv: such a table's rates for people, a line each.

scripts/gpu_check.sh calls it. Exit codes: 0, 1 no row."""
import csv
import json
import os
import sys


def rows_of(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def work_of(row):
    """What was computed: the two modes of a device are one on the processor."""
    name = row["name"].removesuffix("/fast")
    return name, row.get("kernel") or "", row.get("phase") or ""


def is_number(x):
    return isinstance(x, (int, float))


def write(cpu_path, paths):
    beside = {}
    for row in rows_of(cpu_path):
        best = beside.setdefault(work_of(row), row)
        if is_number(row["per_second"]) and row["per_second"] > (best["per_second"] or 0):
            beside[work_of(row)] = row
    rows = {}
    for path in paths:
        for row in rows_of(path):
            rows.setdefault((work_of(row), row.get("mode"), row.get("stored")), row)
    if not rows:
        print("gpu_rates: there is no row", file=sys.stderr)
        return 1
    fields = [name for name in next(iter(rows.values())) if name != "commit"]
    fields += ["cpu_per_second", "cpu_threads", "ratio", "commit"]
    writer = csv.DictWriter(sys.stdout, fields, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows.values():
        cpu = beside.get(work_of(row), {})
        rate, cpu_rate = row.get("per_second"), cpu.get("per_second")
        row = dict(row)
        if is_number(rate) and is_number(cpu_rate) and cpu_rate > 0:
            row.update(cpu_per_second=f"{cpu_rate:.6g}", cpu_threads=cpu.get("threads"),
                       ratio=f"{rate / cpu_rate:.4g}")
        writer.writerow(row)
    return 0


def show(path):
    with open(path, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            words = [row["name"], row.get("kernel"), row.get("phase"),
                     "" if row.get("name", "").endswith("/fast") else row.get("mode")]
            beside = "the processor was not measured"
            if row.get("ratio"):
                beside = (f"{float(row['ratio']):.3g} times the processor's "
                          f"{float(row['cpu_per_second']):.3g} with {row['cpu_threads']} threads")
            print(f"{' '.join(w for w in words if w)}: {float(row['per_second']):.3g} a second, "
                  f"{beside}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--show":
        sys.exit(show(sys.argv[2]))
    if len(sys.argv) < 3:
        sys.exit(__doc__.split("\n\n", maxsplit=1)[0])
    sys.exit(write(sys.argv[1], sys.argv[2:]))

"""Benchmarks against peers, measured in the same run.

python -m tests.benchmarks                  # all, from the repository root
python -m tests.benchmarks extract rules    # some
python -m tests.benchmarks --json           # one JSON object on stdout
"""

import argparse
import importlib
import json
import os
import sys
from typing import Any

from tests.benchmarks.machine import describe
from tests.benchmarks.tables import Skipped, Table

MODULES = {
    "decontaminate": "tests.benchmarks.bench_decontaminate",
    "embed": "tests.benchmarks.bench_embed",
    "extract": "tests.benchmarks.bench_extract",
    "rules": "tests.benchmarks.bench_rules",
    "minhash": "tests.benchmarks.bench_minhash",
    "dedup": "tests.benchmarks.bench_dedup",
    "neardup": "tests.benchmarks.bench_neardup",
    "pii": "tests.benchmarks.bench_pii",
    "pipeline": "tests.benchmarks.bench_pipeline",
    "language": "tests.benchmarks.bench_language",
    "read": "tests.benchmarks.bench_read",
    "scorer": "tests.benchmarks.bench_scorer",
    "substrings": "tests.benchmarks.bench_substrings",
    "toxicity": "tests.benchmarks.bench_toxicity",
    "train": "tests.benchmarks.bench_train",
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODULES))
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in MODULES:
            parser.error(f"there is no benchmark '{name}'. There are: {', '.join(MODULES)}")
    return arguments


def measure(name: str) -> dict[str, Any]:
    """The tables of a benchmark, or why there are none."""
    print(f"measuring {name} ...", file=sys.stderr, flush=True)
    load = os.getloadavg()[0]
    try:
        tables: list[Table] = importlib.import_module(MODULES[name]).run()
    except Skipped as reason:
        return {"skipped": str(reason), "tables": []}
    return {"load_before": round(load, 2), "tables": tables}


def show(name: str, result: dict[str, Any]) -> None:
    """One benchmark as plain text."""
    if "skipped" in result:
        print(f"## {name}\n\nSkipped: {result['skipped']}\n", flush=True)
        return
    print(f"## {name} (load average before: {result['load_before']})\n")
    for table in result["tables"]:
        print(table.as_text() + "\n", flush=True)


def main() -> None:
    arguments = parse_arguments()
    os.environ.update(ONE_THREAD)  # before pyarrow, numpy and torch are imported
    machine, results = describe(), {}
    if not arguments.json:
        print("\n".join(f"{key}: {value}" for key, value in machine.items()) + "\n", flush=True)
    for name in arguments.names or MODULES:
        results[name] = measure(name)
        if not arguments.json:
            show(name, results[name])
    if arguments.json:
        as_dict = {"machine": machine, "benchmarks": results}
        print(json.dumps(as_dict, default=Table.as_dict, indent=1))


if __name__ == "__main__":
    main()

"""Mixture search on eight real domains: every method on one swarm, CLIMB with fewer runs.

All searches work in one folder, so that those that sample alike share their runs, and all share
baselines and the confirmation of natural and uniform. Each confirms its own with fresh seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eval.pairs import Pair
from pipelines.search.record import Candidate, Confirmation, SearchRecord, write_search
from pipelines.search.run import search
from pipelines.search.spec import load_spec
from pipelines.studies.study import SHARED, Bench, markdown, write_recipe, write_yaml

DOMAINS = (
    *("books", "blog", "government", "legal", "news", "docs_tech", "biomedical", "math"),
)  # fmt: skip
SWARM = {"temperature": 0.5, "min_strength": 0.5, "max_strength": 5.0}  # of every one-shot method
METHODS: dict[str, dict[str, Any]] = {
    "regmix, lightgbm": {"regmix": {"sampler": SWARM}},
    "regmix, auto": {"regmix": {"sampler": SWARM, "predictor": "auto"}},
    "olmix": {"olmix": {"sampler": SWARM}},
    "mixmin": {"mixmin": {}},
    "climb, auto": {"climb": {"sampler": SWARM, "predictor": "auto"}},
}
RUNS = {"climb, auto": 40, "mixmin": len(DOMAINS)}  # the others 72
TOKENS, TARGET = 500_000, 5_000_000


def study(bench: Bench) -> str:
    """One search per method; what was confirmed of each, and against natural and uniform."""
    recipe = _recipe(bench)
    found = {name: _search(bench, name, recipe) for name in METHODS}
    rows = [row for name, record in found.items() for row in _rows(name, record)]
    header = ("method", "runs", "mixture", "predicted", "measured", "confirmed", "against natural")
    return markdown((*header, "95 % interval", "verdict"), rows)


def _recipe(bench: Bench) -> str:
    panels = [{"name": d, "hold_out": d, "frac": 0.05, "max_mb": 0.2} for d in DOMAINS]
    judge = {
        "panels": panels,
        "tokenizer": {"vocab": 2048, "train_on": list(DOMAINS), "sample_mb": 10},
        "train": {"preset": "smoke", "tokens": TARGET},
    }
    files = {domain: str(SHARED / "text" / f"{domain}.jsonl.zst") for domain in DOMAINS}
    sources = [{"name": d, "format": "jsonl", "path": path} for d, path in files.items()]
    return str(write_recipe(bench.out, {"name": "eight", "sources": sources}, judge).file)


def _search(bench: Bench, name: str, recipe: str) -> SearchRecord:
    label = name.replace(", ", "-")
    spec = {
        "recipe": recipe,
        "method": METHODS[name],
        "budget": {"runs": RUNS.get(name, 72), "tokens": TOKENS},
        "target": {"preset": "xs", "tokens": TARGET},
        "confirm": {"top": 3, "seeds": 5, "preset": "xs", "tokens": TARGET},
    }
    path = write_yaml(bench.out / f"{label}.yaml", spec)
    record = search(load_spec(path), bench.out / "out", bench.backend, bench.progress)
    home = bench.out / label  # the next search writes its own record into the shared folder
    home.mkdir(exist_ok=True)
    write_search(record, home)
    return record


def _rows(name: str, record: SearchRecord) -> Iterator[tuple[str, ...]]:
    confirmed = record.confirmation
    if confirmed is None:
        return
    against = {pair.a: pair for pair in confirmed.pairs}
    predicted = {p.name: (_number(p.mean), _number(p.measured)) for p in record.proposals}
    for one in confirmed.candidates:
        guess, measured = predicted.get(one.name, ("", ""))
        about = (name, f"{record.asked}", f"{one.name}: {_weights(one)}", guess, measured)
        yield (*about, f"{one.mean:.4f}", *_cells(against.get(one.name), confirmed))


def _weights(candidate: Candidate) -> str:
    ordered = sorted(candidate.weights.items(), key=lambda item: -item[1])
    return ", ".join(f"{domain} {weight:.2f}" for domain, weight in ordered[:4])


def _cells(pair: Pair | None, confirmed: Confirmation) -> tuple[str, str, str]:
    if pair is None:
        return ("", "", f"{len(confirmed.seeds)} seeds")
    return (f"{pair.difference:+.4f}", f"[{pair.ci_low:+.4f}, {pair.ci_high:+.4f}]", pair.verdict)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"

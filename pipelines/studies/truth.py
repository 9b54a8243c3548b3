"""Does the judge tell the truth? Winners where there are none, and losers where there are."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

from curation.hold_out import is_held_out
from eval.detectable import mde_before
from eval.false_winners import false_winners
from eval.pairs import Pair
from eval.scorecard import MEAN_BPB
from pipelines.recipe import Recipe
from pipelines.run import Outcome
from pipelines.studies.study import Bench, documents, markdown, write_documents, write_recipe

DOMAINS = ("blog", "books", "government", "reviews")
PANEL_FRAC = 0.03
SHUFFLED = (0, 10, 25, 50, 100)  # % of documents whose words are in random order
RUNS, SEEDS = 80, 3
SAME_TOKENS, WORSE_TOKENS = 500_000, 1_000_000


def study(bench: Bench) -> str:
    """80 runs of one recipe dealt against each other; then recipes of ever worse text."""
    data = bench.out / "data"
    write_documents(data / "panel.jsonl", _panel())
    for percent in SHUFFLED:
        write_documents(data / f"shuffled-{percent}.jsonl", _shuffled(percent))
    same = bench.run([_recipe(bench, "same", 0, SAME_TOKENS, range(RUNS))], "same")
    recipes = [_recipe(bench, "worse", p, WORSE_TOKENS, range(SEEDS)) for p in SHUFFLED]
    return f"{_false(same)}\n\n{_power(same, bench.run(recipes, 'worse'))}"


def _recipe(bench: Bench, group: str, percent: int, tokens: int, seeds: Iterable[int]) -> Recipe:
    judge = {
        "panels": [{"name": "prose", "path": "../../data/panel.jsonl"}],
        "tokenizer": {"vocab": 2048, "train_on": ["text"], "sample_mb": 5},
        "train": {"preset": "smoke", "tokens": tokens, "seeds": list(seeds)},
    }
    # A source of its own name per recipe, since a judge reads a source once: its tokenizer learns
    # from that of the clean text only.
    path = f"../../data/shuffled-{percent}.jsonl"
    sources = [{"name": "text" if percent == 0 else f"text-{percent}", "path": path}]
    keys = {"name": f"shuffled-{percent}", "sources": [{"format": "jsonl", **s} for s in sources]}
    return write_recipe(bench.out / "recipes" / group, keys, judge)


def _panel() -> Iterator[dict[str, Any]]:
    return (row for row in documents(*DOMAINS) if _in_panel(row))


def _in_panel(row: dict[str, Any]) -> bool:
    return is_held_out(row["id"], PANEL_FRAC)


def _shuffled(percent: int) -> Iterator[dict[str, Any]]:
    """What is not in the panel; what is shuffled at 10 % is so at 25 %, and the same way."""
    for row in documents(*DOMAINS):
        if not _in_panel(row):
            worse = is_held_out(f"shuffle\0{row['id']}", percent / 100)
            yield {"id": row["id"], "text": _shuffle(row) if worse else row["text"]}


def _shuffle(row: dict[str, Any]) -> str:
    words = row["text"].split()
    random.Random(row["id"]).shuffle(words)
    return " ".join(words)


def _false(same: Outcome) -> str:
    values = list(same.scorecards[0].metrics[MEAN_BPB].per_seed.values())
    rows = []
    for seeds in (3, 5):
        for test in ("welch", "paired"):
            found = false_winners(values, seeds, test)
            cells = (f"{found.rate:.2%}", f"{found.mean_mde:.4f}", f"{found.sd:.4f}")
            rows.append((f"{seeds} against {seeds}", test, f"{found.splits:,}", *cells))
    header = ("runs of one recipe", "test", "splits", "winners declared", "mean MDE", "sd of a run")
    return markdown(header, rows)


def _power(same: Outcome, worse: Outcome) -> str:
    comparison = worse.comparison
    assert comparison is not None  # of five recipes
    against = {pair.a: pair for pair in comparison.pairs if pair.b == comparison.baseline}
    rows = []
    for recipe in comparison.recipes:
        pair = against.get(recipe.name)
        sd = "-" if recipe.sd is None else f"{recipe.sd:.4f}"
        rows.append((recipe.name, f"{recipe.mean:.4f}", sd, *_cells(pair)))
    header = (
        "words shuffled in % of the documents",
        "bits per byte",
        "sd",
        "worse by",
        "95 % interval",
    )
    spread = same.scorecards[0].metrics[MEAN_BPB].sd
    before = mde_before(spread, SEEDS, "welch") if spread else None
    note = (
        f"\n\nMDE from the sd of the {RUNS} runs, at {SEEDS} seeds: {before:.4f}" if before else ""
    )
    return markdown((*header, "MDE", "verdict"), rows) + note


def _cells(pair: Pair | None) -> tuple[str, ...]:
    if pair is None:
        return ("", "", "", "baseline")
    mde = "-" if pair.mde is None else f"{pair.mde:.4f}"
    interval = f"[{pair.ci_low:+.4f}, {pair.ci_high:+.4f}]"
    return (f"{pair.difference:+.4f}", interval, mde, pair.verdict)

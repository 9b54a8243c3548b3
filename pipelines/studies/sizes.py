"""Do small runs rank recipes as longer ones do? Six single-source recipes at two sizes."""

from __future__ import annotations

from typing import Any

from eval.compare import Comparison
from eval.proxy_validity import proxy_validity
from pipelines.recipe import Recipe
from pipelines.run import Outcome
from pipelines.sizes import validity_text
from pipelines.studies.study import SHARED, Bench, markdown, write_recipe

DOMAINS = ("books", "blog", "government", "legal", "news", "docs_tech")
PANELS = ("encyclopedia", "forum", "speeches", "science_cs")  # no recipe has them
# xs is smoke's shape; at 2.5M tokens of its 5M a run still takes five times smoke's.
SIZES: dict[str, dict[str, Any]] = {
    "smoke": {"preset": "smoke", "tokens": 500_000},
    "xs": {"preset": "xs", "tokens": 2_500_000},
}


def study(bench: Bench) -> str:
    """The recipes at each size, and how far the sizes agree."""
    found = {size: bench.run([_recipe(bench, size, d) for d in DOMAINS], size) for size in SIZES}
    comparisons = [_comparison(outcome) for outcome in found.values()]
    return f"{_table(*comparisons)}\n\n{_agreement(*comparisons)}"


def _recipe(bench: Bench, size: str, domain: str) -> Recipe:
    judge = {
        "panels": [{"name": p, "path": _file(p), "max_mb": 0.5} for p in PANELS],
        "tokenizer": {"vocab": 2048, "train_on": list(DOMAINS), "sample_mb": 10},
        "train": {**SIZES[size], "seeds": [0, 1, 2]},
    }
    source = {"name": domain, "format": "jsonl", "path": _file(domain)}
    keys = {"name": domain, "sources": [source], "mixture": {"max_epochs": 4}}
    return write_recipe(bench.out / "recipes" / size, keys, judge)


def _file(domain: str) -> str:
    return str(SHARED / "text" / f"{domain}.jsonl.zst")


def _comparison(outcome: Outcome) -> Comparison:
    assert outcome.comparison is not None  # of six recipes
    return outcome.comparison


def _table(*comparisons: Comparison) -> str:
    header = ["recipe"]
    for size in SIZES:
        header += [f"bits per byte, {size}", "sd", "rank", f"against {DOMAINS[0]}"]
    rows = []
    for name in DOMAINS:
        cells = [cell for comparison in comparisons for cell in _cells(comparison, name)]
        rows.append([name, *cells])
    return markdown(header, rows)


def _cells(comparison: Comparison, name: str) -> list[str]:
    recipe = next(r for r in comparison.recipes if r.name == name)
    pairs = [p for p in comparison.pairs if (p.a, p.b) == (name, comparison.baseline)]
    verdict = pairs[0].verdict if pairs else "baseline"
    rank = f"{recipe.rank.low} to {recipe.rank.high}" if recipe.rank else "-"
    return [f"{recipe.mean:.4f}", "-" if recipe.sd is None else f"{recipe.sd:.4f}", rank, verdict]


def _agreement(small: Comparison, large: Comparison) -> str:
    return (
        f"Between the sizes: {validity_text(proxy_validity(_per_seed(small), _per_seed(large)))}."
    )


def _per_seed(comparison: Comparison) -> dict[str, dict[int, float]]:
    return {recipe.name: recipe.per_seed for recipe in comparison.recipes}

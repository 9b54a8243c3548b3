"""Does targeting benchmarks pay, and what does it cost elsewhere? BETR (arXiv 2507.12466)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from eval.multiplier import multiplier
from eval.pairs import Pair
from eval.scorecard import Scorecard
from eval.statistics import TEST
from pipelines.curves import curve_points
from pipelines.recipe import Recipe
from pipelines.run import Outcome
from pipelines.studies.betr_data import QUALITY, TARGETS, UNTARGETED, write_data
from pipelines.studies.study import Bench, markdown, write_recipe

PANELS = (*TARGETS, *UNTARGETED)
TOKENS = 2_000_000
POINTS = (0.25, 0.5)  # of the tokens: the curve of `random`, for multipliers
SEEDS = 3
KEEP_FRAC = 0.1  # of the tokens, as in the paper
GRID_FRACS = (0.03, 0.1, 0.3, 1.0)
GRID_TOKENS = (500_000, 1_000_000, 2_000_000)
GRID_TARGET = TARGETS[0]  # the one target of the grid, and of `max` against `mean`
RANKING = {  # the pool is small: the sample, too, and the classifier takes more passes over it
    "max_documents": 10_000,
    "max_examples": 300,
    "fast": True,
    "classifier_params": {"epoch": 25},
}


def study(bench: Bench) -> str:
    """The matrix targeted x evaluated, multipliers, and keep rates at three budgets."""
    write_data(bench)
    matrix = bench.run(_matrix_recipes(bench), "matrix")
    grid = {
        tokens: bench.run(_grid_recipes(bench, tokens), _folder(tokens)) for tokens in GRID_TOKENS
    }
    return f"{_matrix(matrix)}\n\n{_multipliers(matrix)}\n\n{_grid(grid)}"


def _matrix_recipes(bench: Bench) -> list[Recipe]:
    """`random` is the baseline; all but the full pool keep a tenth of the tokens."""
    judge = _judge(TOKENS, POINTS)

    def write(name: str, *stages: Any, source: str = "pool") -> Recipe:
        return _recipe(bench, "matrix", judge, name, *stages, source=source)

    targeted = [write(f"targets-{t}", _rank([t])) for t in TARGETS]
    return [
        write("random", source="random"),
        write("full-pool"),
        write("quality-only", _quality()),
        *targeted,
        write("targets-all", _rank(TARGETS)),
        write(f"targets-{GRID_TARGET}-mean", _rank([GRID_TARGET], value="mean")),
    ]


def _grid_recipes(bench: Bench, tokens: int) -> list[Recipe]:
    """The share that is kept, from all to little: all is the baseline."""
    judge = _judge(tokens, ())
    group = _folder(tokens)
    return [
        _recipe(bench, group, judge, _kept(frac), *_ranked(frac))
        for frac in sorted(GRID_FRACS, reverse=True)
    ]


def _ranked(frac: float) -> list[Any]:
    return [_rank([GRID_TARGET], keep_frac=frac)] if frac < 1 else []


def _kept(frac: float) -> str:
    return f"keep-{round(frac * 100)}"


def _folder(tokens: int) -> str:
    return f"grid-{tokens}"


def _judge(tokens: int, points: Sequence[float]) -> dict[str, Any]:
    return {
        "panels": [
            {"name": p, "path": f"../../data/panel-{p}.jsonl", "max_mb": 0.4} for p in PANELS
        ],
        "tokenizer": {"vocab": 2048, "train_on": ["pool"], "sample_mb": 10},
        "train": {
            "preset": "smoke",
            "tokens": tokens,
            "seeds": list(range(SEEDS)),
            "points": list(points),
        },
    }


def _recipe(
    bench: Bench, group: str, judge: dict[str, Any], name: str, *stages: Any, source: str = "pool"
) -> Recipe:
    """A recipe whose text is all looked through for the panels, however it was selected."""
    used = [t for t in (*TARGETS, QUALITY) if any(f"target-{t}" in str(stage) for stage in stages)]
    references = [
        {"name": f"target-{t}", "format": "jsonl", "path": f"../../data/target-{t}.jsonl"}
        for t in used
    ]
    keys = {
        "name": name,
        "sources": [{"name": source, "format": "jsonl", "path": f"../../data/{source}.jsonl"}],
        "references": references,
        "curate": [*stages, {"decontaminate": {"against": "eval"}}],
        "mixture": {"max_epochs": 4},
    }
    return write_recipe(bench.out / "recipes" / group, keys, judge)


def _rank(targets: Sequence[str], **changes: Any) -> dict[str, Any]:
    given = {"documents": ["pool"], "targets": [f"target-{t}" for t in targets]}
    return {"benchmark_rank": {**given, **RANKING, "keep_frac": KEEP_FRAC, **changes}}


def _quality() -> dict[str, Any]:
    """As GPT-3's filter and DCLM's: like good text, whatever the benchmarks are."""
    params = {"positives": [f"target-{QUALITY}"], "negatives": ["pool"], "keep_frac": KEEP_FRAC}
    return {"fasttext_score": {**params, "epoch": 25}}


def _matrix(outcome: Outcome) -> str:
    """Differences from `random` in bits per byte, with 95 % intervals; below 0 is better."""
    comparison = outcome.comparison
    assert comparison is not None  # of eight recipes
    names = [recipe.name for recipe in comparison.recipes]
    rows = []
    for name in names[1:]:
        pairs = {panel: _pair(comparison.panels[panel], name, names[0]) for panel in PANELS}
        rows.append([name, *(_cell(pair) for pair in pairs.values())])
    base = comparison.panels
    mdes = [max(p.mde or 0 for p in base[panel] if p.b == names[0]) for panel in PANELS]
    rows.append(["largest MDE", *(f"{mde:.4f}" for mde in mdes)])
    header = ["recipe, against random", *(_shown(panel) for panel in PANELS)]
    return markdown(header, rows)


def _shown(panel: str) -> str:
    return f"**{panel}**" if panel in TARGETS else panel


def _pair(pairs: Sequence[Pair], name: str, baseline: str) -> Pair:
    return next(pair for pair in pairs if (pair.a, pair.b) == (name, baseline))


def _cell(pair: Pair) -> str:
    if pair.ci_low is None or pair.ci_high is None:
        return f"{pair.difference:+.4f}"
    return f"{pair.difference:+.4f} [{pair.ci_low:+.4f}, {pair.ci_high:+.4f}]"


def _multipliers(outcome: Outcome) -> str:
    """How many times its tokens `random` needs for what each recipe reaches, panel by panel."""
    baseline, *others = outcome.scorecards
    rows = [[card.recipe, *(_times(baseline, card, panel) for panel in PANELS)] for card in others]
    return markdown(["token multiplier over random", *map(_shown, PANELS)], rows)


def _times(baseline: Scorecard, card: Scorecard, panel: str) -> str:
    metric = f"panels.{panel}.bpb"
    points = curve_points(replace(baseline, primary=metric))
    assert points is not None  # the judge has points
    values = card.metrics[metric].per_seed
    return str(multiplier(points, values, card.tokens, higher_is_better=False, test=TEST))


def _grid(found: dict[int, Outcome]) -> str:
    """Bits per byte on the target's panel: does the best share grow with the budget?"""
    metric = f"panels.{GRID_TARGET}.bpb"
    rows = []
    for tokens, outcome in found.items():
        cards = {card.recipe: card.metrics[metric] for card in outcome.scorecards}
        means = {frac: cards[_kept(frac)].mean for frac in GRID_FRACS}
        best = min(means, key=lambda frac: means[frac])
        rows.append([f"{tokens:,}", *map(_bits(cards), GRID_FRACS), f"{best:.0%}"])
    header = ["tokens", *(f"keep {frac:.0%}" for frac in GRID_FRACS), "best"]
    return markdown(header, rows) + f"\n\nBits per byte on {GRID_TARGET}, mean and sd over seeds."


def _bits(cards: dict[str, Any]) -> Callable[[float], str]:
    def shown(frac: float) -> str:
        metric = cards[_kept(frac)]
        return f"{metric.mean:.4f} ± {metric.sd:.4f}"

    return shown

"""Section 1, continued: the table of recipes compared, and the noise of every metric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.report.forest import Interval, interval_text
from pipelines.report.format import ABSENT, compact, count, is_number, number, seconds, signed
from pipelines.report.markup import Html, join, tag
from pipelines.report.results import Json
from pipelines.report.table import Column, numbers, table, texts

_SIGNS = {"better": "▲", "worse": "▼", "tied": "="}
_TESTS = {"paired": "the paired t test", "welch": "Welch's t test"}
_LEAST, _MOST = "≤ ", "≥ "


def badge(verdict: str) -> Html:
    """A verdict as a word with its sign: never by colour alone."""
    if verdict not in _SIGNS:
        return tag("span", "no verdict", class_="badge")
    return tag("span", f"{_SIGNS[verdict]} {verdict}", class_=f"badge {verdict}")


def compared(comparison: Json, rows: Sequence[Interval], unit: str) -> Html:
    """What was measured and what follows, a row per recipe; then notes and the noise floors."""
    by_name = {row.label: row for row in rows}
    pairs = {p["a"]: p for p in comparison.get("pairs", []) if _is_against_baseline(p, comparison)}
    recipes = comparison["recipes"]
    names = [recipe["name"] for recipe in recipes]
    told = [
        _verdict(recipe, by_name.get(name), pairs.get(name, {}), comparison)
        for name, recipe in zip(names, recipes, strict=True)
    ]
    further = [_further(r, pairs.get(name, {})) for name, r in zip(names, recipes, strict=True)]
    notes = (tag("p", note, class_="note") for note in _notes(comparison, pairs.values()))
    return join(
        [
            table("Recipes compared", _verdict_columns(unit), told),
            *notes,
            table("How sure, and worth how much", _FURTHER, further),
            table("What each recipe read and cost", _COST, map(_cost, recipes)),
            _noise(comparison),
        ]
    )


def _is_against_baseline(pair: Json, comparison: Json) -> bool:
    return pair.get("b") == comparison.get("baseline")


def _verdict_columns(unit: str) -> list[Column]:
    return [
        *texts("recipe"),
        *numbers("seeds", f"mean {unit}", "sd", "difference [95 % interval]", "p (Holm)"),
        *numbers("smallest detectable"),
        *texts("verdict"),
    ]


def _verdict(recipe: Json, row: Interval | None, pair: Json, comparison: Json) -> list[str]:
    is_baseline = recipe["name"] == comparison.get("baseline")
    verdict = badge(row.verdict) if row else ("baseline" if is_baseline else ABSENT)
    doubt = " *" if pair.get("holds_over_items") is False else ""
    return [
        recipe["name"],
        count(len(recipe.get("per_seed", {}))),
        number(recipe.get("mean")),
        number(recipe.get("sd")),
        interval_text(row) if row else ABSENT,
        compact(pair.get("p_holm")),
        number(pair.get("mde")),
        join([verdict, doubt]),
    ]


_FURTHER = [
    *texts("recipe"),
    *numbers("rank", "P(best)", "over items too", "hierarchical bootstrap"),
    *numbers("token multiplier", "compute multiplier"),
]
_COST = [
    *texts("recipe"),
    *numbers("tokens per run", "unique tokens", "most epochs", "FLOPs per run", "all runs took"),
]


def _further(recipe: Json, pair: Json) -> list[str]:
    rank = recipe.get("rank") or {}
    return [
        recipe["name"],
        _places(rank),
        number(rank.get("p_best"), 2),
        _range(pair.get("over_items"), "ci_low", "ci_high"),
        _range(pair, "bootstrap_low", "bootstrap_high"),
        _multiplier(recipe.get("token_multiplier")),
        _multiplier(recipe.get("compute_multiplier")),
    ]


def _cost(recipe: Json) -> list[str]:
    return [
        recipe["name"],
        count(recipe.get("tokens")),
        count(recipe.get("unique_tokens")),
        _epochs(recipe),
        count(recipe.get("flops")),
        seconds(recipe.get("seconds")),
    ]


def _range(entry: Json | None, low: str, high: str) -> str:
    ends = [(entry or {}).get(key) for key in (low, high)]
    return f"[{signed(ends[0])}, {signed(ends[1])}]" if all(map(is_number, ends)) else ABSENT


def _places(rank: Json) -> str:
    low, high = rank.get("low"), rank.get("high")
    if low is None or high is None:
        return ABSENT
    return f"{low}" if low == high else f"{low} to {high}"


def _multiplier(entry: Json | None) -> str:
    """`1.62× [1.21×, ≥ 2×]`."""
    if not entry:
        return ABSENT
    ends = [entry.get("ci_low"), entry.get("ci_high")]
    value = _bounded(entry["value"], entry)
    if not all(map(is_number, ends)):
        return value
    return f"{value} [{', '.join(_bounded(float(end or 0), entry) for end in ends)}]"


def _bounded(value: float, entry: Json) -> str:
    if value >= entry["largest"]:
        return f"{_MOST}{entry['largest']:.3g}×"
    return f"{_LEAST}{entry['smallest']:.3g}×" if value <= entry["smallest"] else f"{value:.2f}×"


def _epochs(recipe: Json) -> str:
    most = max((v for v in (recipe.get("epochs") or {}).values() if is_number(v)), default=None)
    return ABSENT if most is None else f"{most:.2f}{' !' if recipe.get('repeated') else ''}"


def _notes(comparison: Json, pairs: Iterable[Json]) -> list[str]:
    notes = []
    if comparison.get("test"):
        test = _TESTS.get(comparison["test"], comparison["test"])
        notes.append(f"Verdicts are by {test} over seeds, declared before training.")
    if any(pair.get("holds_over_items") is False for pair in pairs):
        notes.append("* Not sure to hold on other documents or test items of the same kind.")
    for recipe in comparison["recipes"]:
        if recipe.get("repeated"):
            names = ", ".join(recipe["repeated"])
            notes.append(f"! {recipe['name']} read {names} more than four times.")
    return notes


def _noise(comparison: Json) -> Html:
    """Which metrics speak: the spread of recipes over the spread of seeds."""
    found = comparison.get("noise") or {}
    if not found:
        return Html("")
    heads = ("noise floor (sd of a run)", "signal", "signal / noise", "rank correlation with BPB")
    columns = [*texts("metric"), *numbers(*heads)]
    digits = {"floor": 4, "signal": 4, "snr": 1, "bpb_rank": 2}
    rows = [
        [name, *(number(one.get(key), n) for key, n in digits.items())]
        for name, one in found.items()
    ]
    return table("Noise floor of every metric", columns, rows)

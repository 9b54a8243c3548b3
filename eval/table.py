"""A comparison as a plain text table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.compare import Comparison, RecipeResult
from eval.pairs import Pair
from eval.ranks import Rank

VERDICTS = (
    "recipe",
    "n",
    "mean",
    "sd",
    "difference",
    "95 % interval",
    "p (Holm)",
    "MDE",
    "verdict",
)
FURTHER = ("recipe", "rank", "P(best)", "over items too", "bootstrap", "unique", "epochs")
MULTIPLIERS = ("recipe", "token multiplier", "compute multiplier")
_LEFT = {"recipe", "verdict"}
_TESTS = {"paired": "the paired t test", "welch": "Welch's t test"}


def table(comparison: Comparison) -> str:
    """Recipes in rows, each against the baseline; ends with what the numbers are."""
    against = {p.a: p for p in comparison.pairs if p.b == comparison.baseline}
    recipes = comparison.recipes
    blocks = [
        _aligned(VERDICTS, [_verdict(recipe, against.get(recipe.name)) for recipe in recipes]),
        _aligned(FURTHER, [_further(recipe, against.get(recipe.name)) for recipe in recipes]),
        _multipliers(recipes),
        "\n".join(_notes(comparison, against)),
    ]
    return "\n\n".join(block for block in blocks if block)


def _verdict(recipe: RecipeResult, pair: Pair | None) -> list[str]:
    head = [recipe.name, f"{len(recipe.per_seed)}", f"{recipe.mean:.4f}", _number(recipe.sd)]
    return [*head, *_difference(pair)]


def _difference(pair: Pair | None) -> list[str]:
    if pair is None:
        return ["", "", "", "", "baseline"]
    return [
        f"{pair.difference:+.4f}",
        _interval(pair.ci_low, pair.ci_high),
        "-" if pair.p_holm is None else f"{pair.p_holm:.3g}",
        _number(pair.mde),
        pair.verdict + (" *" if pair.holds_over_items is False else ""),
    ]


def _further(recipe: RecipeResult, pair: Pair | None) -> list[str]:
    rank, over = recipe.rank, pair.over_items if pair else None
    epochs = max(recipe.epochs.values(), default=0.0)
    return [
        recipe.name,
        _places(rank) if rank else "-",
        f"{rank.p_best:.2f}" if rank else "-",
        _interval(over.ci_low, over.ci_high) if over else "-" if pair else "",
        _interval(pair.bootstrap_low, pair.bootstrap_high) if pair else "",
        f"{recipe.unique_tokens:,}",
        f"{epochs:.2f}{' !' if recipe.repeated else ''}",
    ]


def _places(rank: Rank) -> str:
    return f"{rank.low}" if rank.low == rank.high else f"{rank.low}-{rank.high}"


def _multipliers(recipes: Sequence[RecipeResult]) -> str:
    rows = [
        [recipe.name, str(recipe.token_multiplier), str(recipe.compute_multiplier)]
        for recipe in recipes
        if recipe.token_multiplier is not None
    ]
    return _aligned(MULTIPLIERS, rows) if rows else ""


def _notes(comparison: Comparison, against: Mapping[str, Pair]) -> list[str]:
    direction = "higher" if comparison.higher_is_better else "lower"
    seeds = ", ".join(str(seed) for seed in comparison.seeds)
    lines = [
        f"{comparison.primary}, {direction} is better; seeds {seeds}",
        f"difference and verdict: against {comparison.baseline}, by {_TESTS[comparison.test]} "
        f"over seeds, declared before training{_resolution(against)}",
    ]
    if any(pair.holds_over_items is False for pair in against.values()):
        lines.append("* not sure to hold on other documents or test items of the same kind")
    lines += [
        f"! {recipe.name} read {', '.join(recipe.repeated)} more than 4 times"
        for recipe in comparison.recipes
        if recipe.repeated
    ]
    return lines


def _resolution(against: Mapping[str, Pair]) -> str:
    """The smallest difference that the comparison could have found."""
    detectable = [pair.mde for pair in against.values() if pair.mde is not None]
    if not detectable:
        return "; no verdict below 3 seeds"
    return f"; a difference under {max(detectable):.4f} may go unseen (80 % power)"


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"[{low:+.4f}, {high:+.4f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Names and verdicts to the left, numbers to the right."""
    every = [header, *rows]
    widths = [max(len(row[i]) for row in every) for i in range(len(header))]
    lines = []
    for row in every:
        cells = zip(row, widths, header, strict=True)
        texts = [c.ljust(w) if name in _LEFT else c.rjust(w) for c, w, name in cells]
        lines.append("  ".join(texts).rstrip())
    return "\n".join(lines)

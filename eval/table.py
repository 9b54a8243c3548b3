"""A comparison as a plain text table for the terminal."""

from __future__ import annotations

from eval.compare import Comparison, Pair, RecipeResult

HEADER = ("recipe", "mean", "sd", "difference", "95 % interval", "p (Holm)", "verdict", "epochs")


def table(comparison: Comparison) -> str:
    """Recipes in rows, each against the baseline; ends with what the numbers are."""
    against = {p.a: p for p in comparison.pairs if p.b == comparison.baseline}
    rows = [HEADER, *(_row(recipe, against.get(recipe.name)) for recipe in comparison.recipes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(_align(row, widths)).rstrip() for row in rows]
    direction = "higher" if comparison.higher_is_better else "lower"
    seeds = ", ".join(str(seed) for seed in comparison.seeds)
    lines.append("")
    lines.append(f"{comparison.primary}, {direction} is better; seeds {seeds}")
    lines.append(f"difference and verdict: against {comparison.baseline}{_resolution(against)}")
    return "\n".join(lines)


def _row(recipe: RecipeResult, pair: Pair | None) -> tuple[str, ...]:
    epochs = max(recipe.epochs.values(), default=0.0)
    sd = "-" if recipe.sd is None else f"{recipe.sd:.4f}"
    head = (recipe.name, f"{recipe.mean:.4f}", sd)
    if pair is None:
        return (*head, "", "", "", "baseline", f"{epochs:.2f}")
    interval = "-" if pair.ci_low is None else f"[{pair.ci_low:+.4f}, {pair.ci_high:+.4f}]"
    p_holm = "-" if pair.p_holm is None else f"{pair.p_holm:.3g}"
    return (*head, f"{pair.difference:+.4f}", interval, p_holm, pair.verdict, f"{epochs:.2f}")


def _align(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """Names and verdicts to the left, numbers to the right."""
    left = {HEADER.index("recipe"), HEADER.index("verdict")}
    cells = zip(row, widths, strict=True)
    return [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(cells)]


def _resolution(against: dict[str, Pair]) -> str:
    """The smallest difference that the comparison could have found."""
    detectable = [pair.mde for pair in against.values() if pair.mde is not None]
    if not detectable:
        return "; no verdict below 3 seeds"
    return f"; a difference under {max(detectable):.4f} may go unseen (80 % power)"

"""What a finished run prints: sources, funnel, alarms, comparison, and where to look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eval.table import table
from pipelines.tables import funnel_text, sources_text

if TYPE_CHECKING:
    from pipelines.demonstrate import Demonstration
    from pipelines.run import Outcome


def outcome_text(outcome: Outcome) -> str:
    """The result of `tilth run` for the terminal."""
    blocks = [_recipe_text(n, m, outcome.found) for n, m in outcome.manifests.items()]
    if outcome.comparison is not None:
        blocks.append(table(outcome.comparison))
    for card in outcome.scorecards if outcome.comparison is None else []:
        metric = card.metrics[card.primary]
        sd = "" if metric.sd is None else f" (sd {metric.sd:.4f})"
        blocks.append(f"{card.recipe}: {card.primary} {metric.mean:.4f}{sd}, seeds {card.seeds}")
    blocks.append(f"{outcome.seconds:.0f} s\nreport: {outcome.report}")
    return "\n\n".join(blocks)


def demo_text(demo: Demonstration) -> str:
    """The result of `tilth demo` for the terminal."""
    from pipelines.demo.catch import catch_text

    blocks = []
    for name, rows in demo.caught.items():
        whole = [row for row in rows if row.sort == "all"]
        blocks.append(f"planted trouble, {name}\n{catch_text(whole, demo.collateral[name])}")
    return "\n\n".join([*blocks, outcome_text(demo.outcome)])


def _recipe_text(name: str, manifest: dict[str, Any], found: set[str]) -> str:
    lines = [f"recipe {name}", sources_text(manifest), funnel_text(manifest)]
    lines += [f"alarm: {alarm['message']}" for alarm in manifest["alarms"]]
    rows = sum(shard["rows"] for shard in manifest["shards"])
    slices = manifest["slices"]
    made = f"{slices['made']:,} slices made, {slices['reused']:,} reused"
    lines.append(
        f"{rows:,} documents kept, {manifest['dropped']['rows']:,} dropped; "
        f"{'nothing to do' if name in found else made}"
    )
    return "\n".join(lines)

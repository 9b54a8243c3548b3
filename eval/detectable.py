"""The minimum detectable effect: stated before training, when seeds can still be added.

The standard deviation comes from earlier runs of the same judge where there are any, else from
what the preset showed before. Noise depends on the recipe (a single-domain mixture may be many
times noisier), so what is stated before training is a plan, and every verdict states its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from eval.power import ALPHA
from eval.scorecard import MEAN_BPB, Scorecard
from eval.statistics import MIN_SEEDS, Test, errors_needed

# Of `panels.mean_bpb`: pooled within-recipe sd over 3 seeds, at each preset's own optimiser: smoke
# from the bundled recipes `raw` and `curated` (.0146, .0066 at 0.5M tokens), xs from the web study
# (.0109, .0101 at 5M tokens). Larger presets have not been repeated yet.
PRIOR_SD = {"smoke": 0.011, "xs": 0.0105}


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """A within-recipe sd from finished runs, pooled over recipes.

    Attributes:
        sd: of one run.
        freedom: degrees of freedom: runs less recipes.
        low: lower end of its 95 % interval (chi-squared).
        high: upper end.
    """

    sd: float
    freedom: int
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Detectable:
    """What a comparison of `seeds` seeds would find in 80 % of repeats, if the sd is right.

    `mde` is None where no sd is known, or below 3 seeds, where there is no verdict.
    """

    mde: float | None
    sd: float | None
    sd_from: str
    seeds: int
    test: Test

    def __str__(self) -> str:
        """One sentence for the terminal."""
        if self.sd is None:
            return f"minimum detectable difference: unknown before the first runs ({self.sd_from})"
        if self.mde is None:
            return f"no verdict below {MIN_SEEDS} seeds (got {self.seeds})"
        return (
            f"minimum detectable difference: {self.mde:.4f} at {self.seeds} seeds "
            f"({self.test} test, 80 % power, sd {self.sd:.4f} from {self.sd_from})"
        )


def mde_before(sd: float, seeds: int, test: Test, correlation: float = 0.0) -> float:
    """Smallest true difference found in 80 % of repeats.

    Args:
        sd: of one run of a recipe.
        seeds: per recipe, at least 2.
        test: whose standard error is sd sqrt(2 / S), by `paired` times sqrt(1 - correlation).
        correlation: of the recipes' values over shared seeds; used by `paired` only.
    """
    shared = correlation if test == "paired" else 0.0
    return errors_needed(test, seeds) * sd * math.sqrt(2 * (1 - shared) / seeds)


def pilot(cards: Sequence[Scorecard], judge: str, primary: str) -> Pilot | None:
    """The noise of the primary metric in finished runs of `judge`; None if no recipe has two."""
    found = [c.metrics[primary] for c in cards if c.judge == judge and primary in c.metrics]
    repeated = [metric for metric in found if metric.sd is not None]
    freedom = sum(len(metric.per_seed) - 1 for metric in repeated)
    if freedom == 0:
        return None
    squares = sum((m.sd or 0.0) ** 2 * (len(m.per_seed) - 1) for m in repeated)
    low, high = stats.chi2.ppf([ALPHA / 2, 1 - ALPHA / 2], freedom)
    return Pilot(
        sd=math.sqrt(squares / freedom),
        freedom=freedom,
        low=math.sqrt(squares / high),
        high=math.sqrt(squares / low),
    )


def announce(found: Pilot | None, preset: str, primary: str, seeds: int, test: Test) -> Detectable:
    """The minimum detectable effect to print before training."""
    prior = PRIOR_SD.get(preset) if primary == MEAN_BPB else None
    if found is not None:
        sd: float | None = found.sd
        source = (
            f"earlier runs of this judge, {found.freedom} degrees of freedom, "
            f"95 % interval {found.low:.4f} to {found.high:.4f}"
        )
    else:
        sd, source = prior, f"earlier runs of preset {preset}"
        source = source if prior else f"{primary} at preset {preset}"
    enough = sd is not None and seeds >= MIN_SEEDS
    mde = mde_before(sd, seeds, test) if sd is not None and enough else None
    return Detectable(mde=mde, sd=sd, sd_from=source, seeds=seeds, test=test)

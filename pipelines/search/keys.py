"""The keys of a search's spec file: what each is called, takes and means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from curation.errors import closest
from eval.statistics import MIN_SEEDS
from pipelines.mixture_spec import MAX_EPOCHS
from train.config import PRESETS
from train.domains import SOURCE


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the method may ask for; baselines, proposals and confirmation come on top.

    Attributes:
        runs: proxy runs.
        tokens: of each.
        seconds: of this call after which nothing more is asked; null for no limit. A search that
            is continued has them anew, and finds its finished runs.
    """

    runs: int
    tokens: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.runs < 1 or self.tokens < 1:
            raise ValueError("'runs' and 'tokens' must be > 0")
        if self.seconds is not None and self.seconds <= 0:
            raise ValueError(f"'seconds' must be > 0, or null. Got {self.seconds:g} instead.")


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The models that stand for the target.

    Attributes:
        presets: one or more, ascending in parameters; with two, baselines and proposals are
            measured at both ends, and their ranks compared.
        repetition_matched: whether a run sees only such a share of each domain as its tokens are
            of the target's, so that it repeats every domain as often (arXiv 2606.07597).
        lr_scale: of the judge's learning rates, above 0; the confirmation has the judge's own.
            Ranks found at much smaller ones agreed better with large models (arXiv 2512.24503).
    """

    presets: tuple[str, ...] = ("smoke",)
    repetition_matched: bool = True
    lr_scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.presets or len(set(self.presets)) != len(self.presets):
            raise ValueError(f"'presets' must be different names. Got {list(self.presets)}.")
        for name in self.presets:
            _check_preset(name)
        if self.lr_scale <= 0:
            raise ValueError(f"'lr_scale' must be > 0. Got {self.lr_scale:g} instead.")


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """What the target run may take of each domain; a largest weight of 0 leaves a domain out."""

    max_epochs: float = MAX_EPOCHS
    min_weights: dict[str, float] = field(default_factory=dict)
    max_weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.max_epochs <= 0:
            raise ValueError(f"'max_epochs' must be > 0. Got {self.max_epochs:g} instead.")


@dataclass(frozen=True, kw_only=True)
class TargetRun:
    """The run that the mixture is for; null stands for the judge's."""

    preset: str | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        if self.preset is not None:
            _check_preset(self.preset)
        if self.tokens is not None and self.tokens < 1:
            raise ValueError(f"'tokens' must be > 0. Got {self.tokens} instead.")


@dataclass(frozen=True, kw_only=True)
class Confirm:
    """How the winner is told from a lucky one: fresh seeds, and documents that chose nothing.

    Attributes:
        top: proposals that are measured and confirmed, beside the best measured mixture, natural
            and uniform.
        seeds: of each; 0 confirms nothing.
        preset: null for the largest of the proxies.
        tokens: null for those of a proxy.
    """

    top: int = 3
    seeds: int = 5
    preset: str | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        if self.top < 1:
            raise ValueError(f"'top' must be > 0. Got {self.top} instead.")
        if self.seeds != 0 and self.seeds < MIN_SEEDS:
            raise ValueError(
                f"'seeds' must be {MIN_SEEDS} or more, or 0 to confirm nothing. Got {self.seeds}."
            )
        if self.preset is not None:
            _check_preset(self.preset)


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The top level."""

    recipe: str
    method: Any
    budget: Budget
    judge: str | None = None
    domains: str = SOURCE
    proxy: Proxy = field(default_factory=Proxy)
    objective: dict[str, float] | None = None
    constraints: Constraints = field(default_factory=Constraints)
    target: TargetRun = field(default_factory=TargetRun)
    confirm: Confirm = field(default_factory=Confirm)
    seeds: tuple[int, ...] = (0, 1, 2)
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) != len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"'seeds' must be different numbers >= 0. Got {list(self.seeds)}.")


def _check_preset(name: str) -> None:
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise ValueError(f"there is no preset '{name}'.{closest(name, PRESETS)} Known: {known}")

"""The judge: panels, tokenizer, preset, budget, seeds; shared by all recipes compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation.config import build, load_yaml
from curation.errors import UserError
from eval.readers.read import SuiteFile
from pipelines.suites import check_suites, suite_name
from train.config import PRESETS, ScheduleName

PRIMARY = "panels.mean_bpb"
MIN_SEEDS = 3  # a 95 % interval needs them (peers' practice: 3 to print one, 5 to claim a winner)


@dataclass(frozen=True, kw_only=True)
class PanelSpec:
    """Held-out text: a file of its own, or a share of a source's groups set apart."""

    name: str
    path: str | None = None  # Parquet, JSONL or a folder of text files
    text: str = "text"  # column of `path`
    hold_out: str | None = None  # a source of the recipes
    frac: float = 0.01  # of the groups of that source
    max_mb: float = 2.0  # of text that is scored; what is beyond is set apart all the same

    def __post_init__(self) -> None:
        if (self.path is None) == (self.hold_out is None):
            raise ValueError(f"panel '{self.name}' needs either 'path' or 'hold_out'")
        if not 0 < self.frac <= 0.5:
            raise ValueError(f"'frac' of panel '{self.name}' must be in (0, 0.5]. Got {self.frac}.")
        if self.max_mb <= 0:
            raise ValueError(f"'max_mb' of panel '{self.name}' must be > 0. Got {self.max_mb}.")


@dataclass(frozen=True, kw_only=True)
class TokenizerSpec:
    """A byte-level BPE, trained once, on the same sample for every recipe; or one made before."""

    train_on: tuple[str, ...] = ()  # sources of the recipes, or panels
    path: str | None = None  # a tokenizer.json of tilth instead; `vocab` is then at least its own
    vocab: int = 2048
    sample_mb: float = 20.0
    control: tuple[str, ...] = ()  # tokens that recipes may mark documents with: train.control

    def __post_init__(self) -> None:
        if not 257 <= self.vocab <= 65536:
            raise ValueError(f"'vocab' must be in [257, 65536]. Got {self.vocab} instead.")
        if self.sample_mb <= 0 or (self.path is None) == (not self.train_on):
            raise ValueError("the tokenizer needs 'train_on' and a 'sample_mb' > 0, or a 'path'")
        named = [name for name in self.control if re.fullmatch("[a-z0-9_]{1,40}", name)]
        if len(set(named)) != len(self.control) or "endoftext" in named:
            raise ValueError(f"'control' takes different names of a-z, 0-9, _. Got {self.control}.")


@dataclass(frozen=True, kw_only=True)
class TrainSpec:
    """The proxy run: preset, token budget, seeds."""

    preset: str = "xs"
    tokens: int | None = None  # None: the preset's own
    seeds: tuple[int, ...] = (0, 1, 2)
    optimizer: Literal["muon", "adamw"] = "muon"
    lr_scale: float = 1.0  # of the preset's learning rates; `tilth run --lr-check` tries others
    schedule: ScheduleName = "wsd"  # see train.schedule
    warmup_frac: float | None = None  # None: the preset's own
    decay_frac: float | None = None
    points: tuple[float, ...] = ()  # shares of the tokens at which a model is scored as well
    init_from: str | None = None  # a finished run or its model.safetensors; needs its tokenizer
    mask_documents: bool = False  # attention stays inside a document

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"'preset' must be one of {', '.join(PRESETS)}. Got '{self.preset}'.")
        if self.tokens is not None and self.tokens < 1:
            raise ValueError(f"'tokens' must be > 0. Got {self.tokens} instead.")
        if self.lr_scale <= 0:
            raise ValueError(f"'lr_scale' must be > 0. Got {self.lr_scale:g} instead.")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"'seeds' must be different numbers >= 0. Got {list(self.seeds)}.")
        if any(not 0 < point < 1 for point in self.points):
            raise ValueError(f"'points' must lie inside (0, 1). Got {list(self.points)}.")


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A loaded judge."""

    panels: tuple[PanelSpec, ...]
    tokenizer: TokenizerSpec
    train: TrainSpec = field(default_factory=TrainSpec)
    suites: tuple[str | SuiteFile, ...] = ()  # names of `tilth list suites`, or files
    # Suites whose items are split by a hash: half are for recipes to rank documents by
    # (`benchmark_rank: {targets: eval}`), only the other half is scored.
    targets: tuple[str, ...] = ()
    primary: str = PRIMARY
    # Of recipe against recipe over seeds; declared, because a test chosen by what the seeds show
    # finds false winners: see eval.statistics.
    test: Literal["paired", "welch"] = "welch"

    def __post_init__(self) -> None:
        names = [panel.name for panel in self.panels]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"'panels' must be one or more, with different names. Got {names}.")
        suites = [suite_name(entry) for entry in self.suites]
        if len(set(suites)) != len(suites):
            raise ValueError(f"'suites' must have different names. Got {suites}.")
        if unknown := [name for name in self.targets if name not in suites]:
            raise ValueError(f"'targets' must be of the suites {suites}. Got {unknown}.")
        known = [PRIMARY, *(f"panels.{name}.bpb" for name in names)]
        # Which metrics a suite has is known when its file is read: see `check_suites`.
        of_suite = any(self.primary.startswith(f"suites.{name}.") for name in suites)
        if self.primary not in known and not of_suite:
            known += [f"suites.{name}.<metric>" for name in suites]
            raise ValueError(f"'primary' must be one of {', '.join(known)}. Got '{self.primary}'.")


def load_judge(file: Path) -> Judge:
    """The judge in a YAML file.

    Raises:
        UserError: anything in it is wrong.
    """
    return build(Judge, load_yaml(file), where=str(file), label="judge")


def check_judge(judge: Judge, file: Path, sources: list[str]) -> None:
    """Checks the judge's names against the sources of the recipes it judges.

    Raises:
        UserError: a panel or the tokenizer names a source that no recipe has, or a suite cannot
            be read or lacks the primary metric.
    """
    check_suites(judge.suites, judge.primary, file)
    panels = [panel.name for panel in judge.panels]
    wanted: list[tuple[str, Any]] = [(f"panels.{p.name}", p.hold_out) for p in judge.panels]
    wanted += [("tokenizer.train_on", n) for n in judge.tokenizer.train_on if n not in panels]
    for where, name in wanted:
        if name is not None and name not in sources:
            hint = f"Sources of the recipes: {', '.join(sources)}"
            raise UserError(f"no recipe has a source '{name}'", where=f"{file}: {where}", hint=hint)

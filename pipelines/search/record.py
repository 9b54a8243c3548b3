"""SearchRecord: all that a search did and found, the content of `search.json`.

Written anew after every round, so that a page can be drawn while the search is at work. Losses
are lower-is-better: a metric that is better higher enters negated. Every loss is known on two
halves of each panel's documents and each suite's passages: the search half, which chooses, and
the confirm half, which took no part in the choice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation.config import build
from curation.errors import UserError
from curation.files import read_json, write_json
from eval.pairs import Pair
from eval.proxy_validity import ProxyValidity

SEARCH = "search.json"
FORMAT = 1

Role = Literal["baseline", "search", "proposal", "confirm"]
State = Literal["baselines", "searching", "measuring", "confirming", "done"]
Verdict = Literal["better", "tied", "not confirmed"]


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A domain, and what the target run may take of it.

    Attributes:
        documents: in the dataset.
        tokens: unique, in whole training windows of the target's length.
        share: of all tokens, its natural weight.
        min_weight: least weight.
        cap: largest weight, of `max_weights` and of what `max_epochs` passes fill.
    """

    name: str
    documents: int
    tokens: int
    share: float
    min_weight: float
    cap: float


@dataclass(frozen=True, kw_only=True)
class SizeEntry:
    """A proxy, the confirmation's model, or the target.

    Attributes:
        preset: its name.
        params: of the model.
        tokens: of a run.
        window_frac: share of each domain that a run may see, so that it repeats a domain as often
            as the target does; 1 for all of it.
    """

    preset: str
    params: int
    tokens: int
    window_frac: float = 1.0


@dataclass(frozen=True, kw_only=True)
class RunEntry:
    """A run in one role; a run that plays several has several entries with one `id`.

    Attributes:
        id: its folder in `runs/`.
        role: what it was made for; only `search` counts in the budget.
        name: of the mixture: `natural`, `uniform`, `natural^0.5`, `only <domain>`,
            `proposal <i>`, `best measured`, or `round <i>.<j>` for what a method asked for.
        round: of the search, from 1; None outside of it.
        size: name of its preset.
        tokens: trained on.
        seed: of weights and data.
        weights: by domain, summing to 1; domains that are not named have none.
        epochs: passes over what it sees of each domain; empty if it failed.
        allowed: whether the target run may have this mixture.
        state: of a run that is made.
        failure: why it has no loss.
        losses: by target, on the search half.
        confirm_losses: by target, on the confirm half.
        objective: weighted sum of `losses`; None if it failed.
        confirm_objective: weighted sum of `confirm_losses`.
        seconds: of training.
    """

    id: str
    role: Role
    name: str
    round: int | None = None
    size: str
    tokens: int
    seed: int
    weights: dict[str, float]
    epochs: dict[str, float] = field(default_factory=dict)
    allowed: bool = True
    state: Literal["done", "failed"]
    failure: str = ""
    losses: dict[str, float] = field(default_factory=dict)
    confirm_losses: dict[str, float] = field(default_factory=dict)
    objective: float | None = None
    confirm_objective: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Round:
    """One ask and what came of it.

    Attributes:
        number: from 1.
        asked: runs.
        failed: of these.
        best: smallest objective of an allowed mixture that the search measured so far.
        predicted: objective of the first proposal after this round; None for methods that do not
            predict, or cannot yet.
        predicted_sd: its standard error.
        predicted_weights: the proposal's.
    """

    number: int
    asked: int
    failed: int
    best: float | None = None
    predicted: float | None = None
    predicted_sd: float | None = None
    predicted_weights: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ProposalEntry:
    """A mixture that the method proposed, and what its measurement said.

    Attributes:
        name: `proposal <i>`, best first.
        weights: by domain.
        epochs: passes that the target would make.
        mean: predicted objective; None for methods that do not predict.
        sd: standard error of it.
        by: what predicted it.
        measured: objective on the search half at proxy size; None if it failed.
        run: its `id`.
    """

    name: str
    weights: dict[str, float]
    epochs: dict[str, float]
    mean: float | None = None
    sd: float | None = None
    by: str = ""
    measured: float | None = None
    run: str


@dataclass(frozen=True, kw_only=True)
class NoiseFloor:
    """What seeds alone do to the objective of the natural mixture at proxy size.

    Attributes:
        seeds: how many finished.
        sd: of one run, on the search half; None below two seeds.
        mde: smallest true difference of two single runs that is found in 80 % of repeats, for a
            known sd; None below two seeds.
    """

    seeds: int
    sd: float | None = None
    mde: float | None = None


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How alike two proxy sizes order the same mixtures, on the search half.

    Attributes:
        small: preset.
        large: preset.
        mixtures: names of what was measured at both.
        validity: tau-b and decision accuracy; None for fewer than three mixtures.
    """

    small: str
    large: str
    mixtures: tuple[str, ...]
    validity: ProxyValidity | None = None


@dataclass(frozen=True, kw_only=True)
class PredictorScore:
    """Cross-validation of one predictor on one target of the search's runs.

    Attributes:
        target: metric.
        predictor: its name.
        spearman: of predicted and measured, over held-out runs.
        rmse: likewise.
        chosen: whether it predicts this target.
    """

    target: str
    predictor: str
    spearman: float | None
    rmse: float
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A mixture with fresh seeds on the confirm half.

    Attributes:
        name: of the mixture.
        weights: by domain.
        epochs: passes that the target would make.
        values: objective by seed, in the order of the confirmation's seeds.
        mean: of them.
        sd: sample standard deviation; None for one seed.
    """

    name: str
    weights: dict[str, float]
    epochs: dict[str, float]
    values: tuple[float, ...]
    mean: float
    sd: float | None


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """Candidates against the natural mixture: fresh seeds, documents that chose nothing.

    Attributes:
        size: of the runs.
        seeds: of each.
        test: as the judge declared it.
        candidates: natural first, then ascending in mean; those that diverged are left out.
        pairs: those with `natural` first, Holm-adjusted: intervals, smallest detectable
            difference, verdict.
    """

    size: SizeEntry
    seeds: tuple[int, ...]
    test: Literal["paired", "welch"]
    candidates: tuple[Candidate, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The mixture that `mixture.yaml` holds.

    Attributes:
        name: of the mixture.
        weights: by domain.
        epochs: passes that the target will make.
        verdict: against the natural mixture.
        reason: one sentence.
    """

    name: str
    weights: dict[str, float]
    epochs: dict[str, float]
    verdict: Verdict
    reason: str


@dataclass(frozen=True, kw_only=True)
class SearchRecord:
    """One search.

    Attributes:
        format: of this file.
        name: of the recipe.
        spec: the spec file as it was read.
        method: name, parameters and reference.
        by: column of the dataset whose values are the domains, or `source`.
        judge: hash of the judge.
        dataset: hash of the dataset.
        objective: weight by target, summing to 1.
        negated: targets that are better higher: their losses are the metric times -1.
        max_epochs: of the target run; None for no limit.
        domains: in the order of the space.
        left_out: domains that constraints give no weight.
        sizes: of the proxies, ascending.
        proxy_seed: of every proxy; natural and the confirmation have others too.
        target: the run that the mixture is for.
        budget_runs: runs that the method may ask for.
        budget_seconds: after which nothing more is asked; None for no limit.
        planned: runs of all roles, at most, one role of a run each.
        asked: runs that the method asked for.
        outside_budget: runs of baselines, proposals and confirmation, once each.
        state: what the search is at.
        runs: in the order in which they were made.
        rounds: of the search.
        proposals: best first.
        noise: None until natural is measured.
        agreement: None for one proxy size.
        predictors: scores of those that the method could take, where it takes one.
        confirmation: None until it is made, or where none is asked for.
        chosen: None until the end.
        warnings: sentences.
        seconds: wall time of this call; what was found finished cost none.
    """

    format: int = FORMAT
    name: str
    spec: dict[str, Any]
    method: dict[str, Any]
    by: str
    judge: str
    dataset: str
    objective: dict[str, float]
    negated: tuple[str, ...]
    max_epochs: float | None
    domains: tuple[Domain, ...]
    left_out: tuple[str, ...] = ()
    sizes: tuple[SizeEntry, ...]
    proxy_seed: int = 0
    target: SizeEntry
    budget_runs: int
    budget_seconds: float | None = None
    planned: int = 0
    asked: int = 0
    outside_budget: int = 0
    state: State = "baselines"
    runs: tuple[RunEntry, ...] = ()
    rounds: tuple[Round, ...] = ()
    proposals: tuple[ProposalEntry, ...] = ()
    noise: NoiseFloor | None = None
    agreement: Agreement | None = None
    predictors: tuple[PredictorScore, ...] = ()
    confirmation: Confirmation | None = None
    chosen: Chosen | None = None
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


def write_search(record: SearchRecord, folder: Path) -> None:
    """Writes `search.json`, atomically."""
    write_json(folder / SEARCH, asdict(record))


def read_search(folder: Path) -> SearchRecord:
    """The record in `folder`.

    Raises:
        UserError: there is none, or it is not one.
    """
    path = folder / SEARCH
    if not path.is_file():
        hint = "Make it with `tilth search SPEC --out DIR`."
        raise UserError(f"there is no {SEARCH}", where=str(folder), hint=hint)
    return build(SearchRecord, read_json(path), where=str(path), label="search record")

"""From recipes to a comparison: makes what is missing, in order, and says what it found.

DIR/<recipe>/{dataset,dropped,errors.jsonl,tokens,runs,scorecard.json}, DIR/judge, DIR/work,
DIR/comparison.json, DIR/report.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation.backends import Backend
from curation.errors import UserError
from curation.files import exclusive, write_json
from curation.workshop import Progress, Workshop
from eval.compare import Comparison, compare
from eval.detectable import Detectable
from eval.items import RecipeItems
from eval.scorecard import Scorecard, make_scorecard, write_scorecard
from pipelines.comparing import COMPARISON, detectable_before
from pipelines.curves import curve_points
from pipelines.evidence import against_judge
from pipelines.judge import Judge, load_judge
from pipelines.lr_check import check_rate
from pipelines.making import make_dataset, make_tokens, make_workshop
from pipelines.prepare import Bench, prepare
from pipelines.recipe import Recipe
from pipelines.swarm import run_swarm
from pipelines.trial import Trial, TrialResult
from train.spec import ProxySpec

Until = Literal["dataset", "train", "eval"]


@dataclass
class Outcome:
    """What a run made or found."""

    out: Path
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)  # recipes whose dataset was finished before
    scorecards: list[Scorecard] = field(default_factory=list)
    detectable: Detectable | None = None
    comparison: Comparison | None = None
    report: Path | None = None
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "out": str(self.out),
            "recipes": {
                name: {key: m[key] for key in ("fingerprint", "funnel", "slices", "alarms")}
                for name, m in self.manifests.items()
            },
            "scorecards": [asdict(card) for card in self.scorecards],
            "detectable": self.detectable and asdict(self.detectable),
            "comparison": self.comparison and asdict(self.comparison),
            "report": self.report and str(self.report),
            "seconds": round(self.seconds, 1),
        }


def run(
    recipes: Sequence[Recipe],
    out: Path,
    backend: Backend,
    progress: Progress,
    until: Until = "eval",
    before_report: Callable[[Outcome], None] | None = None,
    tell: Callable[[str], None] | None = None,
    lr_check: bool = False,
) -> Outcome:
    """Curates, trains, scores and compares `recipes`; what is finished is reused.

    `before_report` may add files that the report shows; `tell` hears, before training, what
    differences the judge can find. With `lr_check` the first recipe is trained at other learning
    rates before any other: see `pipelines.lr_check`.

    Raises:
        UserError: the recipes do not fit together, or a file they name is wrong.
        RunError: the run cannot go on; finished work stays valid.
    """
    judge = common_judge(recipes)
    with exclusive(out):
        return _run(recipes, judge, out, backend, progress, until, before_report, tell, lr_check)


def _run(
    recipes: Sequence[Recipe],
    judge: tuple[Judge, Path] | None,
    out: Path,
    backend: Backend,
    progress: Progress,
    until: Until,
    before_report: Callable[[Outcome], None] | None,
    tell: Callable[[str], None] | None,
    lr_check: bool,
) -> Outcome:
    begin = time.monotonic()
    outcome = Outcome(out)
    workshop = make_workshop(recipes, out, backend, progress)
    bench = prepare(*judge, recipes, workshop, out) if judge else None
    recipes = [against_judge(recipe, bench, out / "judge") for recipe in recipes]
    for recipe in recipes:
        manifest = make_dataset(recipe, bench, workshop, out)
        outcome.manifests[recipe.name] = manifest
        if manifest["run"] != workshop.run_id:
            outcome.found.add(recipe.name)
    if bench and until != "dataset":
        outcome.detectable = detectable_before(out, bench.judge, bench.fingerprint)
        if tell is not None:
            tell(str(outcome.detectable))
        results = _train(recipes, bench, workshop, outcome, lr_check, tell)
        if until == "eval":
            _compare(recipes, bench, results, outcome)
    if before_report is not None:
        before_report(outcome)
    outcome.report = _report(out)
    outcome.seconds = time.monotonic() - begin
    return outcome


def common_judge(recipes: Sequence[Recipe]) -> tuple[Judge, Path] | None:
    """The judge all recipes name, and its file; None if none names one.

    Raises:
        UserError: two recipes have one name, or they name different judges.
    """
    names = [recipe.name for recipe in recipes]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"two recipes are called '{name}'", hint="Each needs a name of its own")
    files = {recipe.judge.resolve() if recipe.judge else None for recipe in recipes}
    loaded = [(load_judge(file), file) for file in files if file]
    if not loaded:
        return None
    if len(loaded) < len(files) or any(judge != loaded[0][0] for judge, _ in loaded):
        shown = ", ".join(f"{r.name}: {r.judge or 'none'}" for r in recipes)
        raise UserError(
            "recipes that are compared must name the same judge",
            where=shown,
            hint="Set `judge:` to one file in all of them",
        )
    return loaded[0]


def _train(
    recipes: Sequence[Recipe],
    bench: Bench,
    workshop: Workshop,
    outcome: Outcome,
    lr_check: bool,
    tell: Callable[[str], None] | None,
) -> list[TrialResult]:
    """All trials of all recipes, side by side."""
    trials = []
    for recipe in recipes:
        folder = outcome.out / recipe.name
        tokens = make_tokens(recipe, bench, workshop, outcome.out, recipe.mixture.by).folder
        dataset = outcome.manifests[recipe.name]["fingerprint"]
        trials += [
            _trial(recipe, bench, folder, tokens, dataset, s) for s in bench.judge.train.seeds
        ]
    if lr_check:
        ours = [trial for trial in trials if trial.spec.recipe == recipes[0].name]
        decided_by = (bench.judge.primary, bench.judge.test)
        found = check_rate(ours, *decided_by, outcome.out, workshop.backend, workshop.progress)
        if tell is not None:
            tell(str(found))
    # Seeds outermost: each recipe's first results come early, and the last wave is mixed.
    trials.sort(key=lambda trial: trial.spec.seed)
    swarm = run_swarm(trials, outcome.out / "work", workshop.backend, workshop.progress)
    return swarm.results()


def _trial(
    recipe: Recipe, bench: Bench, folder: Path, tokens: Path, dataset: str, seed: int
) -> Trial:
    spec = ProxySpec(
        recipe=recipe.name,
        shards=tokens,
        weights=recipe.mixture.weights,
        max_epochs=recipe.mixture.max_epochs,
        preset=bench.size.name,
        model=bench.size.model,
        train=bench.size.train,
        numerics=bench.numerics,
        seed=seed,
        judge=bench.fingerprint,
        dataset_fingerprint=dataset,
        phases=recipe.mixture.phases,
        points=bench.judge.train.points,
        init_from=bench.init_from,
    )
    home = folder / "runs" / f"seed-{seed}"
    good = recipe.control.good if recipe.control else None
    return Trial(spec, home, bench.tokenizer_file, bench.panel_files, bench.suite_files, good)


def _compare(
    recipes: Sequence[Recipe], bench: Bench, results: Sequence[TrialResult], outcome: Outcome
) -> None:
    items = {}
    for recipe in recipes:
        ours = [r for r in results if r.recipe == recipe.name]
        scores = {r.seed: r.scores for r in ours}
        records = [r.record for r in ours]
        suites = {r.seed: r.suites for r in ours}
        items[recipe.name] = RecipeItems(panels=scores, suites=suites)
        primary = bench.judge.primary
        card = make_scorecard(recipe.name, bench.fingerprint, primary, records, scores, suites)
        write_scorecard(card, scores, outcome.out / recipe.name, suites)
        outcome.scorecards.append(card)
    if len(recipes) > 1:
        outcome.comparison = compare(
            outcome.scorecards,
            test=bench.judge.test,
            items=items,
            curve=curve_points(outcome.scorecards[0]),
        )
        write_json(outcome.out / COMPARISON, asdict(outcome.comparison))


def _report(out: Path) -> Path:
    from pipelines.report import write_report

    return write_report(out)

"""`tilth search SPEC --out DIR`: proxy runs, proposals measured, the winner confirmed.

DIR/judge, DIR/work, DIR/<recipe>    as `tilth run` makes them
DIR/runs                             every proxy run, shared by all searches in DIR
DIR/search.json                      the record, renewed after every step
DIR/mixture.yaml                     what to train on: `mixture: DIR/mixture.yaml` in a recipe
DIR/report.html
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import yaml

from curation.backends import Backend, make_backend
from curation.errors import RunError, UserError
from curation.files import exclusive, write_bytes
from curation.workshop import Progress
from mixtures.methods.method import Proposal, Search
from mixtures.runs import Ask
from pipelines.check import check
from pipelines.mixture_spec import MIXTURE
from pipelines.report.search import write_search_report
from pipelines.search.confirm import (
    candidates,
    choose,
    confirmation,
    fresh_seeds,
    named,
    wanted_confirmations,
)
from pipelines.search.ground import Ground, lay
from pipelines.search.guards import (
    agreement,
    moved,
    noise_floor,
    unmatched,
    wanted_baselines,
    wanted_proposals,
)
from pipelines.search.live import LiveSearch, best_so_far
from pipelines.search.log import SearchLog, Tell
from pipelines.search.predictors import predictor_scores
from pipelines.search.proxies import Wanted
from pipelines.search.record import Chosen, ProposalEntry, Round, SearchRecord
from pipelines.search.spec import SearchSpec, load_spec
from pipelines.search.text import record_text

WAVES = 2  # runs per worker between two looks at the clock, where the budget has seconds


def search_command(args: argparse.Namespace) -> None:
    """The command; prints a table, or the record as JSON."""
    spec = load_spec(args.spec)
    check(spec.recipe)
    backend = make_backend(args.backend, args.workers, args.ray_address, args.max_memory)
    live = LiveSearch()
    record = search(spec, args.out, backend, live, live.tell)
    found = asdict(record)
    report = f"\nreport: {args.out / 'report.html'}"
    print(json.dumps(found, indent=1) if args.json else record_text(record) + report)


def search(
    spec: SearchSpec, out: Path, backend: Backend, progress: Progress, tell: Tell | None = None
) -> SearchRecord:
    """Searches; what is finished in `out` is reused, whichever search made it.

    Args:
        spec: as loaded.
        out: the output folder.
        backend: where everything runs.
        progress: hears of the tasks of each step.
        tell: hears of the record after every run.

    Raises:
        UserError: the data cannot give what the spec asks for, or the method what its budget pays.
        RunError: every baseline failed, or a step cannot go on; finished work stays valid.
    """
    with exclusive(out):
        ground = lay(spec, out, backend, progress)
        log = SearchLog(ground.record, ground.proxies, out, tell or (lambda record: None))
        method = Search(spec.method, ground.problem)
        first = _first_asks(spec, method)
        _measure_baselines(ground, log)
        proposals = _rounds(ground, log, method, first, WAVES * backend.workers)
        log.note(predictors=predictor_scores(method))
        _measure_proposals(ground, log, proposals)
        _confirm(ground, log)
        size, seed = ground.sizes[0].preset.name, spec.seeds[0]
        chosen = choose(ground.space, log.record.confirmation, log.record.runs, size, seed)
        write_mixture(log.record, chosen, out)
        log.note(chosen=chosen, state="done")
        write_search_report(out)
        return log.record


def _first_asks(spec: SearchSpec, method: Search) -> list[Ask]:
    """Asked for before anything is trained: a budget that is too small is told at once."""
    try:
        return method.ask()
    except UserError as error:
        raise UserError(error.what, where=f"{spec.file}: {error.where}", hint=error.hint) from None


def _measure_baselines(ground: Ground, log: SearchLog) -> None:
    spec, sizes = ground.spec, ground.sizes
    log.note()
    log.warn(*moved(ground.space))
    log.warn(*unmatched(ground.shards, ground.space.domains, [*sizes, ground.confirmed]))
    made = log.make(wanted_baselines(ground.space, sizes, spec.seeds))
    failures = [one.entry.failure for one in made if one.entry.failure]
    if len(failures) == len(made):
        raise RunError(f"all {len(made)} baselines failed, the first: {failures[0]}")
    for one in made:
        if one.entry.failure:
            log.warn(f"baseline {one.entry.name} failed: {one.entry.failure}")
    log.note(noise=noise_floor(log.record.runs, sizes[0].preset.name))


def _rounds(
    ground: Ground, log: SearchLog, method: Search, asks: list[Ask], wave: int
) -> list[Proposal]:
    """Asks and measures until the method or the time has enough; returns what it proposes."""
    log.note(state="searching")
    proposals: list[Proposal] = []
    while asks and not _is_late(ground.spec, log):
        number = len(log.record.rounds) + 1
        _measure(ground, log, method, number, asks, wave)
        proposals = _propose(method, log)
        log.note(rounds=(*log.record.rounds, _round(ground, log, number, proposals)))
        asks = [] if _is_late(ground.spec, log) else method.ask()
    if _is_late(ground.spec, log):
        log.warn(f"stopped after {log.seconds:.0f} s, with {log.record.asked} runs asked for")
    return proposals


def _is_late(spec: SearchSpec, log: SearchLog) -> bool:
    return spec.budget.seconds is not None and log.seconds > spec.budget.seconds


def _measure(
    ground: Ground, log: SearchLog, method: Search, number: int, asks: Sequence[Ask], wave: int
) -> None:
    """Makes the runs of one round; with a budget of seconds, a wave at a time until it is spent."""
    spec, sizes = ground.spec, ground.sizes
    step = len(asks) if spec.budget.seconds is None else wave
    for start in range(0, len(asks), step):
        if start and _is_late(spec, log):
            return
        part = asks[start : start + step]
        wanted = [
            Wanted(
                role="search",
                name=f"round {number}.{start + i}",
                weights=np.array(ask.weights),
                size=sizes[ask.size],
                seed=spec.seeds[0],
                round=number,
                points=ask.points,
            )
            for i, ask in enumerate(part, 1)
        ]
        made = log.make(wanted)
        method.tell([one.run(ask) for one, ask in zip(made, part, strict=True)])


def _propose(method: Search, log: SearchLog) -> list[Proposal]:
    try:
        return method.propose()
    except UserError as error:  # too few runs came back: what was measured can still be confirmed
        log.warn(f"{method.method.name} proposes nothing after {len(method.runs)} runs: {error}")
        return []


def _round(ground: Ground, log: SearchLog, number: int, proposals: Sequence[Proposal]) -> Round:
    made = [run for run in log.record.runs if run.role == "search" and run.round == number]
    best = best_so_far(log.record)
    first = proposals[0] if proposals else None
    return Round(
        number=number,
        asked=len(made),
        failed=sum(run.state == "failed" for run in made),
        best=best.objective if best else None,
        predicted=first.mean if first else None,
        predicted_sd=first.sd if first else None,
        predicted_weights=named(ground.space, first.weights) if first else {},
    )


def _measure_proposals(ground: Ground, log: SearchLog, proposals: Sequence[Proposal]) -> None:
    """Nothing is believed because it was predicted."""
    spec, space = ground.spec, ground.space
    top = proposals[: spec.confirm.top]
    log.note(state="measuring")
    made = log.make(wanted_proposals(top, ground.sizes, spec.seeds[0])) if top else []
    entries = tuple(
        ProposalEntry(
            name=one.entry.name,
            weights=named(space, proposal.weights),
            epochs=named(space, space.epochs(proposal.weights)),
            mean=proposal.mean,
            sd=proposal.sd,
            by=proposal.by,
            measured=one.entry.objective,
            run=one.entry.id,
        )
        for proposal, one in zip(top, made, strict=False)  # those at other sizes come after
    )
    found = agreement(log.record.runs, ground.sizes, spec.seeds)
    log.note(proposals=entries, agreement=found)


def _confirm(ground: Ground, log: SearchLog) -> None:
    spec, record = ground.spec, log.record
    if not spec.confirm.seeds:
        return
    log.note(state="confirming")
    seeds = fresh_seeds(spec.seeds, spec.confirm.seeds)
    size = ground.sizes[0].preset.name
    mixtures = candidates(ground.space, record.proposals, record.runs, size, spec.seeds[0])
    made = log.make(wanted_confirmations(mixtures, ground.confirmed, seeds))
    for name in dict.fromkeys(one.entry.name for one in made if one.entry.failure):
        log.warn(f"{name} is left out of the confirmation: a run of it failed")
    test = ground.bench.judge.test
    found = confirmation(ground.space, mixtures, log.record.runs, ground.confirmed, seeds, test)
    if found is None:
        log.warn("nothing is confirmed: a run of the natural mixture failed")
    log.note(confirmation=found)


def write_mixture(record: SearchRecord, chosen: Chosen, out: Path) -> Path:
    """Writes `mixture.yaml`, which a recipe may name as its mixture."""
    path = out / MIXTURE
    lines = list(_comments(record, chosen))
    value = {"by": record.by, "weights": chosen.weights, "max_epochs": record.max_epochs}
    text = "".join(f"# {line}\n" for line in lines) + yaml.safe_dump(value, sort_keys=False)
    write_bytes(path, text.encode())
    return path


def _comments(record: SearchRecord, chosen: Chosen) -> Iterator[str]:
    target = record.target
    yield f"{chosen.name}, of a search by {record.method['name']} over recipe {record.name}:"
    yield chosen.reason
    yield f"for preset {target.preset} and {target.tokens:,} tokens; in a recipe beside this file:"
    yield f"mixture: {MIXTURE}"

"""What a search stands on: dataset, judge, tokens by domain, the space and the problem."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.backends import Backend
from curation.errors import UserError, closest
from curation.workshop import Progress
from mixtures.methods.method import Problem
from mixtures.methods.method import Size as ProblemSize
from mixtures.space import Space
from pipelines.evidence import against_judge
from pipelines.making import make_dataset, make_tokens, make_workshop
from pipelines.prepare import Bench, prepare
from pipelines.search.confirm import BESIDE
from pipelines.search.guards import check_domains, wanted_baselines
from pipelines.search.proxies import Proxies, Size, matched_frac, whole_steps
from pipelines.search.record import Domain, SearchRecord, SizeEntry
from pipelines.search.spec import SearchSpec
from train.config import Preset
from train.domains import SOURCE
from train.order import n_windows
from train.shards import TokenShards


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A spec with the data it speaks of.

    Attributes:
        left_out: domains of the dataset that get no weight.
        sizes: of the proxies, with the share of the data that each sees.
        confirmed: of the confirmation.
    """

    spec: SearchSpec
    bench: Bench
    dataset: str
    shards: TokenShards
    space: Space
    left_out: tuple[str, ...]
    sizes: tuple[Size, ...]
    confirmed: Size
    proxies: Proxies

    @property
    def problem(self) -> Problem:
        """As methods see it."""
        spec = self.spec
        held = {p.name: p.hold_out for p in self.bench.judge.panels if p.hold_out}
        owners = {t.name: held[t.panel] for t in spec.targets if t.panel in held}
        by_source = spec.by == SOURCE
        return Problem(
            space=self.space,
            objective={target.name: target.weight for target in spec.targets},
            runs=spec.budget.runs,
            sizes=tuple(_size(size.preset) for size in self.sizes),
            target=_size(spec.target),
            owners={t: o for t, o in owners.items() if by_source and o in self.space.tokens},
            seed=spec.seed,
        )

    @property
    def _planned(self) -> int:
        """Entries of the record in the end, at most."""
        spec, confirm = self.spec, self.spec.confirm
        base = len(wanted_baselines(self.space, self.sizes, spec.seeds))
        measured = confirm.top * min(len(self.sizes), 2)
        return base + spec.budget.runs + measured + confirm.seeds * (confirm.top + BESIDE)

    @property
    def record(self) -> SearchRecord:
        """What is known before the first run."""
        spec, space = self.spec, self.space
        shares = zip(space.domains, space.natural, space.floors, space.caps, strict=True)
        return SearchRecord(
            name=spec.recipe.name,
            spec=spec.raw,
            method=spec.described_method,
            by=spec.by,
            judge=self.bench.fingerprint,
            dataset=self.dataset,
            objective={target.name: target.weight for target in spec.targets},
            negated=tuple(target.name for target in spec.targets if target.negated),
            max_epochs=space.max_epochs,
            domains=tuple(
                Domain(
                    name=name,
                    documents=self.shards.sources[name].documents,
                    tokens=space.tokens[name],
                    share=float(share),
                    min_weight=float(floor),
                    cap=float(cap),
                )
                for name, share, floor, cap in shares
            ),
            left_out=self.left_out,
            sizes=tuple(size_entry(size) for size in self.sizes),
            proxy_seed=spec.seeds[0],
            target=size_entry(Size(spec.target, 1.0)),
            budget_runs=spec.budget.runs,
            planned=self._planned,
            budget_seconds=spec.budget.seconds,
        )


def lay(spec: SearchSpec, out: Path, backend: Backend, progress: Progress) -> Ground:
    """Curates, prepares the judge and tokenises what is missing.

    Raises:
        UserError: a domain has too little text, or the constraints cannot be kept.
        RunError: a step cannot go on; finished work stays valid.
    """
    workshop = make_workshop([spec.recipe], out, backend, progress)
    bench = prepare(spec.judge, spec.judge_file, [spec.recipe], workshop, out)
    recipe = against_judge(spec.recipe, bench, out / "judge")
    manifest = make_dataset(recipe, bench, workshop, out)
    shards = make_tokens(recipe, bench, workshop, out, spec.by)
    sizes = tuple(_seeing(spec, size) for size in spec.sizes)
    try:
        space, left_out = make_space(spec, shards)
    except UserError as error:
        where = f"{spec.file}: {error.where}" if error.where else str(spec.file)
        raise UserError(error.what, where=where, hint=error.hint) from None
    dataset = manifest["fingerprint"]
    return Ground(
        spec=spec,
        bench=bench,
        dataset=dataset,
        shards=shards,
        space=space,
        left_out=left_out,
        sizes=sizes,
        confirmed=_seeing(spec, spec.confirmed),
        proxies=Proxies(spec, bench, shards, dataset, space, out, backend, progress),
    )


def make_space(spec: SearchSpec, shards: TokenShards) -> tuple[Space, tuple[str, ...]]:
    """The mixtures that the constraints allow, and the domains that they leave out.

    Raises:
        UserError: the constraints name a domain that is not there or cannot be kept, or a domain
            has less text than a training window.
    """
    limits = spec.constraints
    for name in limits.max_weights:
        if name not in shards.sources:
            raise UserError(
                f"there is no domain '{name}'.{closest(name, shards.sources)}",
                where=f"constraints.max_weights.{name}",
                hint=f"Domains: {', '.join(shards.sources)}",
            )
    left_out = tuple(name for name in shards.sources if limits.max_weights.get(name) == 0)
    domains = [name for name in shards.sources if name not in left_out]
    check_domains(shards, domains, [*spec.sizes, spec.confirmed, spec.target])
    context = spec.target.model.context
    space = Space(
        tokens={n: n_windows(shards.sources[n].tokens, context) * context for n in domains},
        budget=whole_steps(spec.target.train),
        max_epochs=limits.max_epochs,
        min_weights=limits.min_weights,
        max_weights={n: w for n, w in limits.max_weights.items() if n in domains},
    )
    return space, left_out


def size_entry(size: Size) -> SizeEntry:
    """As the record has it."""
    return SizeEntry(
        preset=size.preset.name,
        params=size.preset.model.params,
        tokens=size.tokens,
        window_frac=size.window_frac,
    )


def _seeing(spec: SearchSpec, preset: Preset) -> Size:
    matched = spec.proxy.repetition_matched
    return Size(preset, matched_frac(preset, spec.target) if matched else 1.0)


def _size(preset: Preset) -> ProblemSize:
    return ProblemSize(
        name=preset.name, params=preset.model.params, tokens=whole_steps(preset.train)
    )

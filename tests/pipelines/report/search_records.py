"""Records of searches as `tilth search` leaves them, over a planted objective."""

import statistics
from dataclasses import replace

import numpy as np

from eval.pairs import compare_pairs
from eval.proxy_validity import proxy_validity
from mixtures.simplex import scale
from mixtures.space import Space
from pipelines.search.confirm import choose, named
from pipelines.search.guards import NATURAL, baselines, noise_floor
from pipelines.search.record import (
    Agreement,
    Candidate,
    Confirmation,
    Domain,
    PredictorScore,
    ProposalEntry,
    Round,
    RunEntry,
    SearchRecord,
    SizeEntry,
)

SMALL = SizeEntry(preset="smoke", params=120_000, tokens=250_000, window_frac=0.05)
LARGE = SizeEntry(preset="xs", params=1_200_000, tokens=1_000_000, window_frac=0.2)
TARGET = SizeEntry(preset="s", params=5_000_000, tokens=5_000_000)
NAMES = ("web", "books", "code", "wiki", "forum", "law", "news", "maths")
SEED, FRESH = 0, (3, 4, 5, 6, 7)
SD = 0.004  # of a run


class Planted:
    """A search space, an objective whose optimum is known, and the runs made of it."""

    def __init__(self, names=NAMES, cap_first=True):
        self.draw = np.random.default_rng(5)
        self.tokens = {n: int(4e6 / (i + 1) ** 1.2) + 2000 for i, n in enumerate(names)}
        if cap_first and len(names) > 2:
            self.tokens[names[-1]] = 40_000
        self.space = Space(tokens=self.tokens, budget=TARGET.tokens, max_epochs=4.0)
        raw = self.draw.dirichlet(np.full(len(names), 2.0))
        self.optimum = self.inside(raw)

    def inside(self, weights):
        """The mixture held to floors and caps."""
        return scale(weights, self.space.floors, self.space.caps)

    def objective(self, weights, size=SMALL, noise=True):
        """Chi-square-like distance from the optimum, in bits per byte."""
        loss = 2.1 + 0.25 * float(((np.sqrt(weights) - np.sqrt(self.optimum)) ** 2).sum())
        loss -= 0.1 * (size is LARGE)
        return loss + (float(self.draw.normal(0, SD)) if noise else 0.0)

    def run(self, role, name, weights, size=SMALL, seed=SEED, **more):
        """One finished run."""
        value, other = self.objective(weights, size), self.objective(weights, size)
        return RunEntry(
            id=f"{size.preset}-{size.tokens}-seed{seed}-{abs(hash_of(weights)):012x}"[:40],
            role=role,
            name=name,
            size=size.preset,
            tokens=size.tokens,
            seed=seed,
            weights=named(self.space, weights),
            epochs=named(self.space, self.space.epochs(weights)),
            allowed=bool(self.space.inside(weights, 1e-6)),
            state="done",
            losses={"panels.a.bpb": value},
            confirm_losses={"panels.a.bpb": other},
            objective=value,
            confirm_objective=other,
            seconds=12.5 * size.params / SMALL.params,
            **more,
        )


def hash_of(weights):
    """A number that stands for a mixture."""
    return int(float(np.round(weights, 6) @ np.arange(1, len(weights) + 1)) * 1e9)


def failed(run, failure="the loss is not finite at step 37"):
    """The same run, diverged."""
    nothing = {"losses": {}, "confirm_losses": {}, "epochs": {}}
    return replace(
        run, state="failed", failure=failure, objective=None, confirm_objective=None, **nothing
    )


def search_runs(world, n_runs, n_rounds):
    """The method's runs: every round nearer to the optimum; two failed."""
    runs = []
    for i in range(n_runs):
        number = 1 + i * n_rounds // n_runs
        mixed = world.draw.dirichlet(0.3 + 6 * world.space.natural)
        weights = (mixed + (number - 1) * world.optimum) / number
        weights = weights if i % 9 == 3 else world.inside(weights)
        run = world.run("search", f"round {number}.{i + 1}", weights, round=number)
        runs.append(failed(run) if i % 17 == 11 else run)
    return runs


def rounds_of(world, runs):
    """What was known after each round."""
    found = []
    for number in sorted({run.round for run in runs}):
        seen = [r for r in runs if r.round <= number and r.objective is not None and r.allowed]
        best = min((run.objective for run in seen), default=None)
        ours = [run for run in runs if run.round == number]
        found.append(
            Round(
                number=number,
                asked=len(ours),
                failed=sum(run.state == "failed" for run in ours),
                best=best,
                predicted=None if best is None else best - 0.004,
                predicted_sd=0.006,
                predicted_weights=named(world.space, world.optimum),
            )
        )
    return tuple(found)


def proposals_of(world, count):
    """Proposals near the optimum, with the runs that measured them."""
    entries, runs = [], []
    for i in range(1, count + 1):
        shift = world.draw.dirichlet(np.full(len(world.optimum), 3.0))
        weights = world.inside(0.9 * world.optimum + 0.1 * shift)
        run = world.run("proposal", f"proposal {i}", weights)
        runs.append(run)
        entries.append(
            ProposalEntry(
                name=run.name,
                weights=run.weights,
                epochs=run.epochs,
                mean=run.objective - 0.006 + 0.003 * i,
                sd=0.005,
                by="gp",
                measured=run.objective,
                run=run.id,
            )
        )
    return tuple(entries), runs


def confirmation_of(world, mixtures, seeds=FRESH):
    """The confirmation as the search makes it, from runs with fresh seeds."""
    runs = [
        world.run("confirm", name, weights, LARGE, seed)
        for seed in seeds
        for name, weights in mixtures.items()
    ]
    values = {
        name: {r.seed: r.confirm_objective for r in runs if r.name == name} for name in mixtures
    }
    known = [
        Candidate(
            name=name,
            weights=named(world.space, mixtures[name]),
            epochs=named(world.space, world.space.epochs(mixtures[name])),
            values=tuple(found.values()),
            mean=statistics.fmean(found.values()),
            sd=statistics.stdev(found.values()) if len(found) > 1 else None,
        )
        for name, found in values.items()
    ]
    known.sort(key=lambda one: (one.name != NATURAL, one.mean))
    pairs = compare_pairs(values, higher_is_better=False, test="welch")
    return runs, Confirmation(
        size=LARGE,
        seeds=tuple(seeds),
        test="welch",
        candidates=tuple(known),
        pairs=tuple(pair for pair in pairs if pair.b == NATURAL),
    )


def predictor_scores(targets=("panels.a.bpb", "panels.b.bpb")):
    """Cross-validation of three predictors."""
    table = {"gp": (0.962, 0.0051), "log_linear": (0.931, 0.0068), "lightgbm": (None, 0.0123)}
    return tuple(
        PredictorScore(target=t, predictor=p, spearman=rho, rmse=rmse, chosen=p == "gp")
        for t in targets
        for p, (rho, rmse) in table.items()
    )


def start(world, by="source", name="curated"):
    """The record before the first run."""
    space = world.space
    return SearchRecord(
        name=name,
        spec={"recipe": "curated.yaml", "method": {"climb": {"iterations": 3}}, "seed": 0},
        method={"name": "climb", "reference": "arXiv 2504.13161", "parameters": {"iterations": 3}},
        by=by,
        judge="f00d" * 8,
        dataset="beef" * 8,
        objective={"panels.a.bpb": 0.75, "panels.b.bpb": 0.25},
        negated=(),
        max_epochs=4.0,
        domains=tuple(
            Domain(
                name=domain,
                documents=count // 500,
                tokens=count,
                share=float(share),
                min_weight=0.0,
                cap=float(cap),
            )
            for (domain, count), share, cap in zip(
                space.tokens.items(), space.natural, space.caps, strict=True
            )
        ),
        sizes=(SMALL, LARGE),
        target=TARGET,
        budget_runs=40,
    )


def baseline_runs(world):
    """All baselines at the first seed, natural at three."""
    runs = [world.run("baseline", name, w) for name, w in baselines(world.space).items()]
    natural = baselines(world.space)[NATURAL]
    return runs + [world.run("baseline", NATURAL, natural, seed=seed) for seed in (1, 2)]


def make_record(names=NAMES, n_runs=40, n_rounds=3, by="source"):
    """A finished search."""
    world = Planted(names)
    first, searched = baseline_runs(world), search_runs(world, n_runs, n_rounds)
    proposals, measured = proposals_of(world, 3)
    known = baselines(world.space)
    mixtures = {name: known[name] for name in (NATURAL, "uniform")}
    mixtures |= {one.name: weights_of(world, one.weights) for one in proposals}
    confirmed, confirmation = confirmation_of(world, mixtures)
    larger = [world.run("baseline", name, w, LARGE) for name, w in known.items()]
    runs = [*first, *larger, *searched, *measured, *confirmed]
    return replace(
        start(world, by),
        asked=n_runs,
        planned=len(runs),
        outside_budget=len(runs) - n_runs,
        budget_runs=n_runs,
        state="done",
        runs=tuple(runs),
        rounds=rounds_of(world, searched),
        proposals=proposals,
        noise=noise_floor(runs, SMALL.preset),
        agreement=agreement_of(first, larger),
        predictors=predictor_scores(),
        confirmation=confirmation,
        chosen=choose(world.space, confirmation, runs, SMALL.preset, SEED),
        warnings=("the constraints move 12.0% of the uniform mixture between domains",),
        seconds=4321.0,
    )


def weights_of(world, weights):
    """Weights by domain as an array."""
    found = np.array([weights.get(name, 0.0) for name in world.space.domains])
    return found / found.sum()


def agreement_of(small, large):
    """How two sizes order the baselines."""
    values = [{r.name: {0: r.objective} for r in runs if r.seed == SEED} for runs in (small, large)]
    return Agreement(
        small=SMALL.preset,
        large=LARGE.preset,
        mixtures=tuple(values[0]),
        validity=proxy_validity(*values),
    )

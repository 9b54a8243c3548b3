"""Guards and confirmation on runs whose losses are given."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mixtures.space import Space
from pipelines.search.confirm import candidates, choose, confirmation, fresh_seeds
from pipelines.search.guards import (
    SDS_NEEDED,
    agreement,
    baselines,
    best_measured,
    moved,
    noise_floor,
    wanted_baselines,
)
from pipelines.search.proxies import Size, matched_frac
from pipelines.search.record import ProposalEntry, RunEntry
from tests.pipelines.search.planted import tiny

SPACE = Space(tokens={"a": 700, "b": 200, "c": 100}, budget=1000, max_epochs=4)
SMALL, LARGE = Size(tiny("tiny", 16), 0.5), Size(tiny("small", 32), 0.5)


def entry(name: str, objective: float | None = 1.0, **changes: Any) -> RunEntry:
    part = sum(map(ord, name)) / 1e4
    weights = {"a": 0.5, "b": 0.5 - part, "c": part}
    one = RunEntry(
        id=name,
        role="search",
        name=name,
        size="tiny",
        tokens=100,
        seed=0,
        weights=weights,
        state="done" if objective is not None else "failed",
        objective=objective,
    )
    return replace(one, **changes)


def test_baselines_are_the_named_mixtures() -> None:
    found = baselines(SPACE)
    assert list(found) == ["natural", "uniform", "natural^0.5", "only a", "only b", "only c"]
    assert found["natural"] == pytest.approx([0.7, 0.2, 0.1])
    assert found["natural^0.5"] == pytest.approx(
        np.sqrt([0.7, 0.2, 0.1]) / np.sqrt([0.7, 0.2, 0.1]).sum()
    )
    assert found["only b"].tolist() == [0, 1, 0]
    assert list(moved(SPACE)) == []


def test_baselines_keep_to_caps_and_say_so() -> None:
    tight = replace(SPACE, max_epochs=1.5)
    assert baselines(tight)["uniform"] == pytest.approx([0.55, 0.3, 0.15])
    assert list(moved(tight)) == [
        "the constraints move 21.7% of the uniform mixture between domains"
    ]


def test_natural_has_every_seed_and_all_baselines_both_sizes() -> None:
    wanted = wanted_baselines(SPACE, [SMALL, LARGE], [7, 8, 9])
    assert len(wanted) == 6 + 6 + 2
    assert {(w.name, w.seed) for w in wanted if w.size == LARGE} == {
        (name, 7) for name in baselines(SPACE)
    }
    assert [w.seed for w in wanted if w.name == "natural" and w.size == SMALL] == [7, 8, 9]


def test_noise_is_the_spread_of_natural_at_the_first_size() -> None:
    natural = [entry("natural", v, role="baseline", seed=i) for i, v in enumerate((1.0, 1.2, 1.4))]
    others = [entry("natural", 9.0, role="confirm", seed=5), entry("uniform", 7.0, role="baseline")]
    found = noise_floor([*natural, *others], "tiny")
    assert (found.seeds, found.sd) == (3, pytest.approx(0.2))
    assert found.mde == pytest.approx(0.2 * SDS_NEEDED)
    assert pytest.approx(3.962, abs=1e-3) == SDS_NEEDED
    assert noise_floor([entry("natural", None, role="baseline")], "tiny").sd is None


def test_best_measured_is_allowed_alike_and_finished() -> None:
    runs = [
        entry("x", 1.0),
        entry("only a", 0.1, allowed=False),
        entry("y", 0.2, size="small"),
        entry("z", 0.3, seed=4),
        entry("w", None),
        entry("c", 0.4, role="confirm"),
        entry("zero", 0.0),
    ]
    best = best_measured(runs, "tiny", 0)
    assert best is not None
    assert best.name == "zero"
    assert best_measured([entry("w", None)], "tiny", 0) is None


def test_agreement_is_over_mixtures_that_both_sizes_measured() -> None:
    values = {"natural": 3.0, "uniform": 2.0, "only aa": 1.0, "lone": 0.5}
    small = [entry(name, v) for name, v in values.items()]
    large = [entry(n, v + 1, size="small") for n, v in list(values.items())[:3]]
    found = agreement([*small, *large], [SMALL, LARGE], [0])
    assert found is not None
    assert set(found.mixtures) == {"natural", "uniform", "only aa"}
    assert found.validity is not None
    assert (found.validity.tau, found.validity.accuracy) == (1.0, 1.0)
    flipped = [entry(n, -v, size="small") for n, v in list(values.items())[:3]]
    upside = agreement([*small, *flipped], [SMALL, LARGE], [0])
    assert upside is not None
    assert upside.validity is not None
    assert upside.validity.accuracy == 0.0
    assert agreement(small, [SMALL], [0]) is None


def test_matched_share_is_that_of_the_tokens() -> None:
    target = replace(SMALL.preset, train=replace(SMALL.preset.train, tokens=80 * 256))
    assert matched_frac(SMALL.preset, target) == 0.25
    assert matched_frac(target, SMALL.preset) == 1.0


def proposal(name: str, weights: dict[str, float]) -> ProposalEntry:
    return ProposalEntry(name=name, weights=weights, epochs={}, run=name)


def test_candidates_are_each_mixture_once() -> None:
    natural = {"a": 0.7, "b": 0.2, "c": 0.1}
    proposals = [proposal("proposal 1", {"a": 0.9, "b": 0.1}), proposal("proposal 2", natural)]
    runs = [entry("x", 1.0, weights={"a": 0.9, "b": 0.1}), entry("y", 2.0)]
    found = candidates(SPACE, proposals, runs, "tiny", 0)
    assert list(found) == ["natural", "uniform", "proposal 1"]
    better = [*runs, entry("z", 0.5, weights={"b": 0.4, "c": 0.6})]
    found = candidates(SPACE, proposals, better, "tiny", 0)
    assert found["best measured"].tolist() == [0, 0.4, 0.6]
    assert not set(fresh_seeds((0, 5, 2), 3)) & {0, 5, 2}


def confirmed(values: dict[str, list[float | None]]) -> list[RunEntry]:
    return [
        entry(name, 0.0, role="confirm", seed=seed, confirm_objective=value)
        for name, found in values.items()
        for seed, value in enumerate(found, 10)
    ]


MIXTURES = {
    "natural": np.array([0.7, 0.2, 0.1]),
    "uniform": np.full(3, 1 / 3),
    "proposal 1": np.array([0.9, 0.1, 0.0]),
}
FLAT: list[float | None] = [1.00, 1.01, 1.02]


def test_winner_beats_natural_beyond_the_noise() -> None:
    runs = confirmed(
        {"natural": FLAT, "uniform": [2.0, 2.01, 2.02], "proposal 1": [0.5, 0.51, 0.52]}
    )
    found = confirmation(SPACE, MIXTURES, runs, SMALL, (10, 11, 12), "welch")
    assert found is not None
    assert [one.name for one in found.candidates] == ["natural", "proposal 1", "uniform"]
    assert {pair.a: pair.verdict for pair in found.pairs} == {
        "proposal 1": "better",
        "uniform": "worse",
    }
    chosen = choose(SPACE, found, runs, "tiny", 0)
    assert (chosen.name, chosen.verdict) == ("proposal 1", "better")
    assert chosen.epochs == {"a": pytest.approx(0.9 / 0.7, abs=1e-6), "b": 0.5}
    assert chosen.reason.startswith("proposal 1 gains +0.5000 [+0.4")


def test_gain_within_the_noise_is_tied_and_keeps_natural() -> None:
    runs = confirmed({"natural": FLAT, "uniform": [2.0, 2.1, 2.2], "proposal 1": [0.99, 1.0, 1.02]})
    found = confirmation(SPACE, MIXTURES, runs, SMALL, (10, 11, 12), "welch")
    chosen = choose(SPACE, found, runs, "tiny", 0)
    assert (chosen.name, chosen.verdict) == ("natural", "tied")
    assert chosen.reason.startswith("tied: the best other mixture, proposal 1, gains +0.0067")


def test_mixture_with_a_failed_seed_is_not_confirmed() -> None:
    runs = confirmed({"natural": FLAT, "uniform": FLAT, "proposal 1": [0.1, None, 0.1]})
    found = confirmation(SPACE, MIXTURES, runs, SMALL, (10, 11, 12), "paired")
    assert found is not None
    assert [one.name for one in found.candidates] == ["natural", "uniform"]
    lost = confirmed({"natural": [1.0, None, 1.0], "uniform": FLAT})
    assert confirmation(SPACE, MIXTURES, lost, SMALL, (10, 11, 12), "welch") is None

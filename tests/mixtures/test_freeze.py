"""Frozen domains: ratios, bounds and natural shares of the virtual domain."""

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.freeze import Frozen
from mixtures.sampling import Dirichlet
from mixtures.space import Space

FULL = Space(
    tokens={"a": 600, "b": 200, "c": 100, "d": 100},
    budget=1000,
    max_epochs=2,
    min_weights={"a": 0.1},
    max_weights={"b": 0.3},
)


def test_the_virtual_domain_comes_last_with_the_tokens_of_its_parts() -> None:
    seen = Frozen(FULL, {"a": 3, "c": 1}).space
    assert seen.domains == ("b", "d", "a+c")
    assert seen.natural == pytest.approx([0.2, 0.1, 0.7])


def test_lifted_mixtures_keep_the_ratios_and_come_back() -> None:
    frozen = Frozen(FULL, {"a": 3, "c": 1})
    low = np.array([[0.3, 0.1, 0.6], [0.1, 0.1, 0.8]])
    full = frozen.lift(low)
    assert full[0] == pytest.approx([0.45, 0.3, 0.15, 0.1])
    assert full[:, 0] / full[:, 2] == pytest.approx([3, 3])
    assert frozen.lower(full) == pytest.approx(low)
    assert frozen.lower(frozen.lift(low[0])) == pytest.approx(low[0])


def test_bounds_of_the_virtual_domain_are_where_its_first_part_meets_one() -> None:
    frozen = Frozen(FULL, {"a": 3, "c": 1})
    # c may have .2 of the budget in two passes and is a quarter; a needs .1 and is three quarters.
    assert frozen.space.caps == pytest.approx([0.3, 0.2, 0.8])
    assert frozen.space.floors == pytest.approx([0, 0, 0.1 / 0.75])


def test_mixtures_of_the_seen_space_are_mixtures_of_the_full_one() -> None:
    frozen = Frozen(FULL, {"a": 2, "b": 1, "c": 0})
    found = Dirichlet().sample(frozen.space, 200, np.random.default_rng(0))
    lifted = frozen.lift(found)
    assert FULL.inside(lifted).all()
    assert (lifted[:, 2] == 0).all()


def test_no_ratios_freeze_nothing() -> None:
    frozen, weights = Frozen(FULL, {}), np.array([0.4, 0.3, 0.2, 0.1])
    assert frozen.space is FULL
    assert (frozen.lift(weights) == weights).all()
    assert (frozen.lower(weights) == weights).all()


@pytest.mark.parametrize(
    ("ratios", "message"),
    [
        ({"aa": 1.0}, "there is no domain 'aa'"),
        ({"a": -1.0}, "must be a finite number >= 0"),
        ({"a": 0.0, "c": 1.0}, "is frozen at 0 and has a least weight"),
        ({"c": 0.0, "d": 0.0}, "all ratios are 0"),
        (dict.fromkeys("abcd", 1.0), "all domains are frozen"),
    ],
)
def test_impossible_ratios_are_refused(ratios: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Frozen(FULL, ratios)


def test_ratios_that_no_mixture_can_keep_are_told() -> None:
    tight = Space(tokens={"a": 10, "b": 10, "c": 980}, budget=1000, min_weights={"a": 0.4})
    with pytest.raises(UserError, match=r"keeping the ratios needs at least 4 of the budget"):
        _ = Frozen(tight, {"a": 1, "b": 9}).space

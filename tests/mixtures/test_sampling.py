"""Dirichlet sampling: what is published of it, and floors and caps."""

from collections.abc import Mapping

import numpy as np
import pytest

from curation.errors import UserError
from mixtures.distances import linf, tv
from mixtures.sampling import Dirichlet, dirichlet
from mixtures.space import Floats, Space

PLAIN = Dirichlet(temperature=0.5, min_weight=0.0, max_usage=None, min_distance=None)


def space(
    tokens: Mapping[str, int] | None = None, max_epochs: float | None = None, **bounds: object
) -> Space:
    tokens = tokens or {"web": 8000, "books": 1500, "wiki": 400, "code": 100}
    return Space(tokens=tokens, budget=10_000, max_epochs=max_epochs, **bounds)  # type: ignore[arg-type]


def sample(
    sampler: Dirichlet, count: int = 2000, seed: int = 0, where: Space | None = None
) -> Floats:
    return sampler.sample(where or space(), count, np.random.default_rng(seed))


def test_draws_have_the_moments_of_their_dirichlet() -> None:
    mean = np.array([0.6, 0.3, 0.1])
    drawn = dirichlet(np.tile(2.0 * mean, (200_000, 1)), np.random.default_rng(0))
    assert drawn.mean(0) == pytest.approx(mean, abs=0.004)
    assert drawn.var(0) == pytest.approx(mean * (1 - mean) / 3, abs=0.002)


def test_tiny_concentrations_give_one_domain_in_proportion_to_the_prior() -> None:
    mean = np.array([0.7, 0.2999, 0.0001])
    drawn = dirichlet(np.tile(1e-4 * mean, (20_000, 1)), np.random.default_rng(0))
    assert np.isfinite(drawn).all()
    assert (drawn.max(1) > 0.999).mean() > 0.99
    assert drawn.mean(0) == pytest.approx(mean, abs=0.01)


def test_temperature_goes_from_uniform_to_natural() -> None:
    where = space()
    assert Dirichlet(temperature=0.0).prior(where) == pytest.approx([0.25] * 4)
    assert Dirichlet(temperature=1.0).prior(where) == pytest.approx([0.8, 0.15, 0.04, 0.01])
    root = np.sqrt([0.8, 0.15, 0.04, 0.01])
    assert Dirichlet().prior(where) == pytest.approx(root / root.sum())
    found = sample(PLAIN, 20_000)
    assert found.mean(0) == pytest.approx(root / root.sum(), abs=0.01)


def test_strength_sets_how_far_draws_are_from_the_prior() -> None:
    natural = space().natural
    far, near = (
        tv(sample(Dirichlet(temperature=1, min_strength=s, max_strength=s)), natural).mean()
        for s in (0.1, 50.0)
    )
    assert far > 0.25 > 0.1 > near


def test_strengths_are_evenly_spaced_in_their_logarithm() -> None:
    # At equal shares, E[sum of squares] of Dirichlet(a) over d domains is (1 + a/d) / (1 + a).
    where = space({"a": 1, "b": 1, "c": 1, "d": 1})
    found = (sample(PLAIN, 40_000, where=where) ** 2).sum(1).mean()
    strengths = np.geomspace(0.1, 5.0, 15)
    assert found == pytest.approx(((1 + strengths / 4) / (1 + strengths)).mean(), abs=0.005)


def test_weights_below_the_least_are_zero_and_the_rest_is_normalised() -> None:
    found = sample(Dirichlet(temperature=1.0, min_weight=0.05, max_usage=None))
    assert ((found == 0) | (found >= 0.05)).all()
    assert (found == 0).any()
    assert found.sum(1) == pytest.approx(1, abs=1e-12)


def test_a_least_weight_above_all_draws_leaves_the_largest() -> None:
    found = sample(Dirichlet(min_weight=0.99, max_usage=None, temperature=0.0), 4)
    assert np.sort(found, 1) == pytest.approx(np.tile([0, 0, 0, 1.0], (4, 1)))


def test_dense_mixtures_have_all_domains_even_where_that_starves_rejection() -> None:
    found = sample(Dirichlet(temperature=1.0, min_weight=0.01, dense=True, max_usage=None), 300)
    assert found.min() >= 0.01 - 1e-12
    many = space({f"d{i}": 10 ** (i % 4) for i in range(20)})
    found = sample(Dirichlet(temperature=1.0, min_weight=0.01, dense=True), 300, where=many)
    assert len(found) == 300
    assert found.min() >= 0.01 - 1e-12
    capped = space(max_weights={"code": 0.0})
    assert sample(Dirichlet(min_weight=0.01, dense=True), 50, where=capped)[:, 3].max() == 0


def test_largest_usage_is_a_multiple_of_the_natural_share() -> None:
    where = space()
    found = sample(Dirichlet(max_usage=3.0))
    assert (found <= 3 * where.natural + 1e-12).all()
    assert found[:, 3].max() > 0.02  # up to .03, past the natural .01
    assert sample(Dirichlet(max_usage=None))[:, 3].max() > 0.5


@pytest.mark.parametrize(("name", "measure"), [("tv", tv), ("linf", linf)])
def test_least_distance_holds_for_every_pair(name: str, measure: object) -> None:
    found = sample(Dirichlet(min_distance=0.1, distance=name), 60)  # type: ignore[arg-type]
    apart = measure(found[:, None], found[None])  # type: ignore[operator]
    assert len(found) == 60
    assert apart[~np.eye(60, dtype=bool)].min() >= 0.1


def test_a_space_with_room_for_few_distant_mixtures_gives_few() -> None:
    where = space({"a": 1, "b": 1}, max_weights={"a": 0.6, "b": 0.6})
    found = sample(Dirichlet(min_distance=0.15, max_usage=None), 50, where=where)
    assert len(found) == 2  # from (.4, .6) to (.6, .4), .15 apart


def test_no_mixture_is_drawn_twice() -> None:
    found = sample(Dirichlet(min_strength=0.1, max_strength=0.1), 400)
    cells = np.round(found / 1e-5)
    assert len(np.unique(cells, axis=0)) == 400


def test_bounds_are_kept_by_rejection_where_draws_are_inside() -> None:
    where = space(max_weights={"web": 0.5}, min_weights={"wiki": 0.1})
    found = sample(Dirichlet(temperature=0.0, max_usage=None), 500, where=where)
    on_edge = np.isclose(found[:, 0], 0.5) | np.isclose(found[:, 2], 0.1)
    assert where.inside(found, 0).all()
    assert not on_edge.any()


def test_bounds_that_starve_rejection_are_kept_by_projection() -> None:
    where = space(max_epochs=1.01)  # all domains within 1% of natural
    found = sample(Dirichlet(), 500, where=where)
    assert len(found) == 500
    assert where.inside(found).all()
    assert found.sum(1) == pytest.approx(1, abs=1e-12)
    assert tv(found, where.natural).max() <= 0.011


def test_usage_gives_way_to_floors_and_to_an_empty_space() -> None:
    floor = space(min_weights={"code": 0.5})
    assert (sample(Dirichlet(max_usage=2.0), 50, where=floor)[:, 3] >= 0.5).all()
    capped = space(
        max_weights={"web": 0.1}
    )  # three times the rest's shares is .6, with .1 too little
    assert capped.inside(sample(Dirichlet(max_usage=3.0), 50, where=capped)).all()


def test_draws_depend_on_the_generator_only_and_a_larger_swarm_starts_as_a_smaller() -> None:
    assert (sample(Dirichlet(), 40) == sample(Dirichlet(), 40)).all()
    assert (sample(Dirichlet(), 40) == sample(Dirichlet(), 300)[:40]).all()
    assert not (sample(Dirichlet(), 40) == sample(Dirichlet(), 40, seed=1)).all()


def test_many_candidates_over_many_domains() -> None:
    where = space({f"d{i}": 1000 + 500 * i for i in range(20)}, max_epochs=15)
    found = sample(Dirichlet(), 100_000, where=where)
    assert found.shape == (100_000, 20)
    assert where.inside(found).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": 1.1}, r"temperature must be in \[0, 1\]"),
        ({"min_strength": 0.0}, "min_strength must be above 0"),
        ({"min_strength": 2.0, "max_strength": 1.0}, "at most max_strength"),
        ({"strengths": 0}, "at least 1"),
        ({"min_weight": 1.0}, "min_weight"),
        ({"max_usage": 0.5}, "max_usage"),
        ({"min_distance": -0.1}, "min_distance"),
    ],
)
def test_impossible_parameters_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Dirichlet(**values)  # type: ignore[arg-type]


def test_spaces_without_mixtures_never_reach_the_sampler() -> None:
    with pytest.raises(UserError, match="may fill at most"):
        space(max_weights=dict.fromkeys(["web", "books", "wiki", "code"], 0.2))

"""Distances between mixtures: values by hand, bounds, and what they call identical."""

import numpy as np
import pytest

from mixtures.distances import distances, hellinger, kl, l1, linf, tv

P, Q = np.array([0.5, 0.5, 0.0]), np.array([0.2, 0.3, 0.5])


def test_values_by_hand() -> None:
    assert l1(P, Q) == pytest.approx(1.0)
    assert tv(P, Q) == pytest.approx(0.5)
    assert linf(P, Q) == pytest.approx(0.5)
    assert kl(P, Q) == pytest.approx(0.5 * np.log(2.5) + 0.5 * np.log(5 / 3))
    inner = np.sqrt(0.1) + np.sqrt(0.15)  # the Bhattacharyya coefficient
    assert hellinger(P, Q) == pytest.approx(np.sqrt(1 - inner))


def test_linf_is_not_total_variation() -> None:
    spread = np.array([0.35, 0.15, 0.35, 0.15])
    assert linf(np.full(4, 0.25), spread) == pytest.approx(0.1)
    assert tv(np.full(4, 0.25), spread) == pytest.approx(0.2)


@pytest.mark.parametrize(("name", "most"), [("l1", 2), ("tv", 1), ("linf", 1), ("hellinger", 1)])
def test_disjoint_mixtures_are_furthest_and_equal_ones_nearest(name: str, most: float) -> None:
    far = distances[name](np.array([1.0, 0.0]), np.array([0.0, 1.0]))  # type: ignore[index]
    assert far == pytest.approx(most)
    assert distances[name](P, P) == pytest.approx(0, abs=1e-8)  # type: ignore[index]


def test_kl_counts_absent_domains_of_p_as_nothing_and_of_q_as_infinite() -> None:
    assert kl(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert kl(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf
    assert kl(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0


def test_all_broadcast_over_mixtures() -> None:
    rows = np.stack([P, Q, Q])
    for measure in (*distances.values(), kl):
        assert measure(rows, Q).shape == (3,)
        assert measure(rows, Q)[0] == pytest.approx(measure(P, Q))


def test_pinsker_bounds_total_variation_by_kl() -> None:
    p, q = np.random.default_rng(0).dirichlet(np.ones(5), (2, 200))
    assert (2 * tv(p, q) ** 2 <= kl(p, q) + 1e-12).all()

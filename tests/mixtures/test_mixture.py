"""Mixture: weights, the epoch cap, and what is said when the cap cannot be kept."""

import math

import pytest

from curation.errors import UserError
from mixtures.mixture import Mixture

TOKENS = {"web": 800, "books": 150, "wiki": 50}


def test_natural_sees_every_domain_equally_often() -> None:
    mixture = Mixture.natural(TOKENS, budget=2000)
    assert mixture.weights == pytest.approx({"web": 0.8, "books": 0.15, "wiki": 0.05})
    assert mixture.epochs == pytest.approx({"web": 2.0, "books": 2.0, "wiki": 2.0})


def test_uniform_gives_empty_domains_nothing() -> None:
    mixture = Mixture.uniform({**TOKENS, "empty": 0}, budget=300)
    assert mixture.weights == pytest.approx(
        {"web": 1 / 3, "books": 1 / 3, "wiki": 1 / 3, "empty": 0}
    )
    assert mixture.epochs["empty"] == 0.0


def test_explicit_weights_are_normalised_and_absent_domains_unused() -> None:
    mixture = Mixture.from_weights({"web": 3, "books": 1}, TOKENS, budget=100)
    assert mixture.weights == pytest.approx({"web": 0.75, "books": 0.25, "wiki": 0.0})


def test_cap_moves_the_excess_in_proportion_and_repeats_until_none_is_over() -> None:
    # Thirds of 1,000: wiki is cut to 2 x 50 = .1, the rest .45 each puts books over its .3.
    mixture = Mixture.uniform(TOKENS, budget=1000, max_epochs=2)
    assert mixture.weights == pytest.approx({"wiki": 0.1, "books": 0.3, "web": 0.6})
    assert max(mixture.epochs.values()) == pytest.approx(2.0)


def test_cap_exactly_filled_uses_everything_to_the_cap() -> None:
    mixture = Mixture.uniform(TOKENS, budget=4000, max_epochs=4)
    assert mixture.epochs == pytest.approx({"web": 4.0, "books": 4.0, "wiki": 4.0})


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.9])
def test_cap_below_the_limit_keeps_the_simplex(factor: float) -> None:
    mixture = Mixture.from_weights({"wiki": 5, "books": 1, "web": 1}, TOKENS, int(1000 * factor), 4)
    assert sum(mixture.weights.values()) == pytest.approx(1.0)
    assert all(epochs <= 4 + 1e-9 for epochs in mixture.epochs.values())


def test_cap_that_cannot_fill_the_budget_says_what_to_change() -> None:
    with pytest.raises(UserError) as caught:
        Mixture.natural(TOKENS, budget=5000, max_epochs=4)
    assert "1,000 unique tokens" in caught.value.what
    assert "5,000" in caught.value.what
    assert "max_epochs to 5" in caught.value.hint


def test_cap_counts_only_domains_with_a_weight() -> None:
    with pytest.raises(UserError, match="50 unique tokens"):
        Mixture.from_weights({"wiki": 1}, TOKENS, budget=1000, max_epochs=4)


@pytest.mark.parametrize(
    ("weights", "where"),
    [
        ({"webb": 1.0}, "weights.webb"),
        ({"web": -1.0}, "weights.web"),
        ({"web": float("nan")}, "weights.web"),
        ({"web": 0.0}, "weights"),
        ({"empty": 1.0}, "weights.empty"),
    ],
)
def test_impossible_weights_name_the_domain(weights: dict[str, float], where: str) -> None:
    with pytest.raises(UserError) as caught:
        Mixture.from_weights(weights, {**TOKENS, "empty": 0}, budget=100)
    assert caught.value.where == where


def test_unknown_domain_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match="Did you mean 'web'"):
        Mixture.from_weights({"webb": 1.0}, TOKENS, budget=100)


@pytest.mark.parametrize(("budget", "cap"), [(0, None), (-5, None), (10, 0.0), (10, -1.0)])
def test_impossible_budget_or_cap_is_refused(budget: int, cap: float | None) -> None:
    with pytest.raises(UserError, match="above 0"):
        Mixture.natural(TOKENS, budget, cap)


def test_no_tokens_at_all_is_refused() -> None:
    with pytest.raises(UserError, match="no tokens"):
        Mixture.natural({"web": 0}, budget=10)


def test_what_earlier_phases_took_counts_towards_the_cap() -> None:
    tokens = {"web": 1000, "code": 100}
    free = Mixture.of({"web": 1.0, "code": 1.0}, tokens, 200, 4.0)
    assert free.weights == {"web": 0.5, "code": 0.5}
    capped = Mixture.of({"web": 1.0, "code": 1.0}, tokens, 200, 4.0, used={"code": 350.0})
    assert capped.weights == {"web": 0.75, "code": 0.25}
    spent = Mixture.of({"web": 1.0, "code": 1.0}, tokens, 200, 4.0, used={"code": 400.0})
    assert spent.weights == {"web": 1.0, "code": 0.0}
    with pytest.raises(UserError, match="give 400 less the 350 of earlier phases") as caught:
        Mixture.of({"code": 1.0}, tokens, 200, 4.0, used={"code": 350.0, "web": 3000.0})
    assert "raise max_epochs to 5.5" in caught.value.hint


def test_weights_are_spelled_by_name_or_given() -> None:
    tokens = {"web": 300, "code": 100}
    assert Mixture.of("natural", tokens, 50).weights == {"web": 0.75, "code": 0.25}
    assert Mixture.of("uniform", tokens, 50).weights == {"web": 0.5, "code": 0.5}
    assert Mixture.of({"code": 2.0}, tokens, 50).weights == {"web": 0.0, "code": 1.0}


def test_distances_compare_weights_by_name_and_count_absent_domains_as_nothing() -> None:
    natural = Mixture.natural(TOKENS, budget=100)  # .8, .15, .05
    other = Mixture.from_weights({"books": 1, "web": 1}, {"books": 9, "web": 9}, budget=10)
    assert natural.l1(other) == pytest.approx(0.3 + 0.35 + 0.05)
    assert natural.tv(other) == other.tv(natural) == pytest.approx(0.35)
    expected = 0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.15)
    assert other.kl(natural) == pytest.approx(expected)
    assert natural.kl(other) == math.inf
    assert natural.kl(natural) == 0

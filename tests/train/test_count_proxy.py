"""CountProxy: a language model in the strict sense, equal to a slow one, and what it imitates."""

import math
from collections import Counter

import numpy as np
import pytest

from mixtures.runs import Ask
from mixtures.space import Space
from tests.mixtures.worlds import chains, markov_text
from train.count_proxy import CountProxy

DOMAINS = {
    "plain": [b"the cat sat", b"the dog sat on the mat"],
    "code": [b"x = x + 1", b"y = f(x)"],
    "chant": [b"na na na na"],
}
PANELS = {"prose": [b"the cat on the dog", b"a mat"], "maths": [b"x + y = 1"]}
WEIGHTS = np.array([0.5, 0.3, 0.2])
CHAINS = chains(np.random.default_rng(4), 2, 12)


def slow_probability(
    counts: Counter[bytes], context: bytes, token: bytes, strength: float
) -> float:
    """The formula as it is written, for the orders 0 to len(context) + 1."""
    p = 1 / 256
    for k in range(len(context) + 1):
        h = context[len(context) - k :]
        seen = sum(c for gram, c in counts.items() if len(gram) == k + 1 and gram[:-1] == h)
        p = (counts[h + token] + strength * p) / (seen + strength)
    return p


def slow_counts(documents: list[bytes], order: int, scale: float = 1.0) -> Counter[bytes]:
    """n-grams of all orders; byte 0 stands for what precedes a document."""
    counts: Counter[bytes] = Counter()
    for document in documents:
        padded = b"\0" * (order - 1) + document
        for end in range(order, len(padded) + 1):
            for k in range(1, order + 1):
                counts[padded[end - k : end]] += scale  # type: ignore[assignment]
    return counts


def slow_nats(counts: Counter[bytes], document: bytes, order: int, strength: float) -> float:
    padded = b"\0" * (order - 1) + document
    return -sum(
        math.log(slow_probability(counts, padded[i - order + 1 : i], padded[i : i + 1], strength))
        for i in range(order - 1, len(padded))
    )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_equals_the_formula_written_out(order: int) -> None:
    proxy = CountProxy.fit(DOMAINS, PANELS, order=order, strength=2.0, budget=50)
    mixed: Counter[bytes] = Counter()
    for documents, weight in zip(DOMAINS.values(), WEIGHTS, strict=True):
        tokens = sum(map(len, documents))
        mixed.update(slow_counts(documents, order, weight * 50 / tokens))
    for panel, documents in PANELS.items():
        expected = [slow_nats(mixed, document, order, 2.0) for document in documents]
        assert proxy.score(WEIGHTS, panel).nats == pytest.approx(expected, rel=1e-12)


def test_probabilities_of_all_tokens_sum_to_1_after_any_context() -> None:
    rng = np.random.default_rng(0)
    domains = {name: [rng.integers(0, 5, 40)] for name in "ab"}
    for context in ([], [3], [1, 4], [0, 0, 2]):
        panels = {str(token): [np.array([*context, token])] for token in range(5)}
        proxy = CountProxy.fit(domains, panels, order=4, vocab=5)
        last = [
            math.exp(-proxy.nats(np.array([[0.3, 0.7]]))[0][held_out.rows[-1]])
            for held_out in proxy.panels.values()
        ]
        assert sum(last) == pytest.approx(1, abs=1e-12)


def test_bits_per_byte_by_hand() -> None:
    # p(a) = (1 + 1/2) / (2 + 1) = 1/2: two tokens of 3 bytes cost a bit each.
    domains = {"d": [np.array([0, 1])], "e": [np.array([1, 1])]}
    proxy = CountProxy.fit(
        domains,
        {"t": [np.array([0, 0])]},
        order=1,
        strength=1.0,
        vocab=2,
        token_bytes=np.array([3.0, 1.0]),
        budget=2,
    )
    assert proxy.losses(np.array([1.0, 0.0])) == pytest.approx({"t": 2 / 6})
    assert proxy.score(np.array([1.0, 0.0]), "t").bytes.tolist() == [6.0]


def test_a_mixture_is_training_on_the_copied_documents() -> None:
    proxy = CountProxy.fit(DOMAINS, PANELS)
    copies = np.array([3, 1, 2])
    joined = [d for c, docs in zip(copies, DOMAINS.values(), strict=True) for d in docs * c]
    whole = CountProxy.fit({"all": joined, "other": [b"-"]}, PANELS)
    read = copies * proxy.tokens
    found = proxy.losses(read / read.sum(), budget=int(read.sum()))
    assert found == pytest.approx(whole.losses(np.array([1.0, 0.0]), budget=int(read.sum())))


def test_documents_of_a_panel_add_up_to_its_loss() -> None:
    proxy = CountProxy.fit(DOMAINS, PANELS)
    for panel, loss in proxy.losses(WEIGHTS).items():
        documents = proxy.score(WEIGHTS, panel)
        assert documents.bytes.tolist() == [len(text) for text in PANELS[panel]]
        bits = documents.nats.sum() / math.log(2) / documents.bytes.sum()
        assert bits == pytest.approx(loss, rel=1e-12)


def test_many_mixtures_at_once_equal_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.count_proxy._CELLS", 100)
    proxy = CountProxy.fit(DOMAINS, PANELS)
    weights = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    one_by_one = [list(proxy.losses(row).values()) for row in weights]
    np.testing.assert_allclose(proxy.table(weights), one_by_one, rtol=1e-12)


def test_a_second_fit_and_a_second_run_are_bitwise_equal() -> None:
    ask = Ask((0.5, 0.3, 0.2), points=(0.5,))
    first, second = (CountProxy.fit(DOMAINS, PANELS).run(ask) for _ in range(2))
    assert first.losses == second.losses
    assert first.curve == second.curve


def test_an_own_share_helps_and_more_tokens_help() -> None:
    proxy = CountProxy.fit(DOMAINS, {name: docs[:1] for name, docs in DOMAINS.items()}, budget=60)
    mostly = [proxy.losses(np.where(np.eye(3)[i], 0.8, 0.1))[n] for i, n in enumerate(DOMAINS)]
    evenly = [proxy.losses(np.full(3, 1 / 3))[name] for name in DOMAINS]
    assert np.all(np.array(mostly) < evenly)
    run = proxy.run(Ask((0.5, 0.3, 0.2), points=(0.25, 0.5)))
    curve = [*(point.losses["plain"] for point in run.curve), run.losses["plain"]]
    assert [point.tokens for point in run.curve] == [15, 30]
    assert curve == sorted(curve, reverse=True)


def test_repeats_help_less_then_hurt_where_new_tokens_go_on_helping() -> None:
    text, held_out = markov_text(CHAINS[0], 200, seed=1), markov_text(CHAINS[0], 50, seed=2)
    losses = {
        unique: [
            CountProxy.fit(
                {"d": text, "e": text[:1]}, {"t": held_out}, vocab=12, order=2, tokens={"d": unique}
            ).losses(np.array([1.0, 0.0]), budget=int(1280 * epochs))["t"]
            for epochs in (0.5, 1, 2, 4)
        ]
        for unique in (1280, 12_800)
    }
    steps = np.diff(losses[1280])
    assert steps[0] < steps[1] < 0 < steps[2]
    assert (np.diff(losses[12_800]) < 0).all()


def test_subsampling_takes_the_first_tokens_across_documents() -> None:
    documents = [b"abcd", b"efgh", b"ijkl"]
    cut = CountProxy.fit({"d": documents, "e": [b"-"]}, PANELS, tokens={"d": 6}, budget=20)
    whole = CountProxy.fit({"d": [b"abcd", b"ef"], "e": [b"-"]}, PANELS, budget=20)
    assert cut.tokens.tolist() == [6.0, 1.0]
    assert cut.losses(np.array([0.5, 0.5])) == whole.losses(np.array([0.5, 0.5]))


def test_a_scarce_domain_gets_less_when_it_has_to_repeat() -> None:
    domains = {n: markov_text(c, 100, seed=1) for n, c in zip("ab", CHAINS, strict=True)}
    panels = {n: markov_text(c, 40, seed=2) for n, c in zip("ab", CHAINS, strict=True)}
    space = Space(tokens={"a": 3000, "b": 3000}, budget=2000)
    shares = [
        CountProxy.fit(domains, panels, tokens={"a": unique}, vocab=12, budget=2000).optimum(
            {"a": 0.5, "b": 0.5}, space, points=200
        )[0]
        for unique in (2000, 250, 60)
    ]
    assert shares[0] > shares[1] + 0.03 > shares[2] + 0.06


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order": 0}, "order >= 1"),
        ({"strength": 0.0}, "strength > 0"),
        ({"order": 8}, "63 bits"),
        ({"vocab": 100}, "domain 'plain' has ids"),
        ({"tokens": {"plan": 5}}, "tokens must be at least 1, of domains"),
        ({"tokens": {"plain": 0}}, "tokens must be at least 1, of domains"),
    ],
)
def test_impossible_parameters_are_told(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CountProxy.fit(DOMAINS, PANELS, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("documents", [[], [b"a", b""]])
def test_a_domain_or_panel_without_text_is_told(documents: list[bytes]) -> None:
    with pytest.raises(ValueError, match="domain 'none'"):
        CountProxy.fit({"none": documents, **DOMAINS}, PANELS)
    with pytest.raises(ValueError, match="panel 'none'"):
        CountProxy.fit(DOMAINS, {"none": documents})


def test_ids_below_0_are_told() -> None:
    with pytest.raises(ValueError, match="panel 't' has ids"):
        CountProxy.fit({"d": [np.array([0, 1])]}, {"t": [np.array([0, -1])]}, vocab=2)

"""Small worlds of several domains whose runs take milliseconds and whose best mixture is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mixtures.methods.method import Problem, Search, SearchMethod, Size
from mixtures.runs import Ask, Run
from mixtures.space import Floats, Space
from train.count_proxy import CountProxy
from train.ngrams import Document

LENGTH = 64  # tokens of a document


@dataclass(frozen=True)
class World:
    """Proxies of growing order over the same domains, and what is searched for."""

    proxies: tuple[CountProxy, ...]
    space: Space
    objective: Mapping[str, float]
    owners: Mapping[str, str] = field(default_factory=dict)

    def problem(self, runs: int, sizes: Sequence[int] = (-1,), seed: int = 0) -> Problem:
        """A search with `runs` runs at proxies of the given indices; the last is the target."""
        ladder = [
            Size(name=f"order{i}", params=10**i, tokens=proxy.budget)
            for i, proxy in enumerate(self.proxies, 1)
        ]
        return Problem(
            space=self.space,
            objective=self.objective,
            runs=runs,
            sizes=tuple(ladder[i] for i in sizes),
            target=ladder[-1],
            owners=self.owners,
            seed=seed,
        )

    def measure(self, problem: Problem, asks: Sequence[Ask]) -> list[Run]:
        """What a swarm would do."""
        orders = [int(size.name.removeprefix("order")) - 1 for size in problem.sizes]
        return [self.proxies[orders[ask.size]].run(ask) for ask in asks]

    def search(self, method: SearchMethod, problem: Problem) -> Search:
        """A search to its end."""
        search = Search(method, problem)
        while asks := search.ask():
            search.tell(self.measure(problem, asks))
        return search

    def value(self, weights: Floats) -> float:
        """The objective of a mixture (domains,) at the target."""
        return float(self.proxies[-1].objective(weights[None], self.objective)[0])

    @cached_property
    def optimum(self) -> Floats:
        """The best mixture of the space, by brute force."""
        return self.proxies[-1].optimum(self.objective, self.space)

    def regret(self, weights: Floats) -> float:
        """How much of what the optimum gains over the natural mixture is not gained: 0 is best."""
        best, natural = self.value(self.optimum), self.value(self.space.natural)
        return (self.value(weights) - best) / (natural - best)


def markov_text(chain: Floats, documents: int, seed: int) -> list[Document]:
    """Documents of `LENGTH` tokens from a chain with transitions (symbols, symbols)."""
    rng, steps = np.random.default_rng(seed), np.cumsum(chain, 1)
    texts = np.empty((documents, LENGTH), np.int64)
    state = rng.integers(0, len(chain), documents)
    for place in range(LENGTH):
        draws = rng.random((documents, 1))
        state = np.minimum((steps[state] < draws).sum(1), len(chain) - 1)
        texts[:, place] = state
    return list(texts)


def chains(rng: np.random.Generator, count: int, symbols: int) -> Floats:
    """Transitions with few likely successors each: (count, symbols, symbols)."""
    return rng.dirichlet(np.full(symbols, 0.15), (count, symbols))


def markov_world(
    seed: int,
    mixing: Floats,
    documents: Sequence[int],
    objective: Mapping[str, float],
    *,
    symbols: int = 12,
    budget: int = 6_000,
    orders: Sequence[int] = (2,),
    max_epochs: float | None = None,
) -> World:
    """Domains whose chains are mixtures of hidden ones, so that some help each other.

    Args:
        seed: of the chains and the text.
        mixing: share of each hidden chain in each domain, (domains, hidden chains).
        documents: per domain.
        objective: weight of each domain's held-out text.
        symbols: of the alphabet.
        budget: tokens of a run.
        orders: of the proxies.
        max_epochs: of the space.
    """
    hidden = chains(np.random.default_rng(seed), mixing.shape[1], symbols)
    domain_chains = np.einsum("dh,hij->dij", mixing, hidden)
    names = [f"domain{i}" for i in range(len(mixing))]
    domains = {
        name: markov_text(chain, count, seed + 10 * i)
        for i, (name, chain, count) in enumerate(zip(names, domain_chains, documents, strict=True))
    }
    panels = {
        name: markov_text(chain, 40, seed + 10 * i + 1)
        for i, (name, chain) in enumerate(zip(names, domain_chains, strict=True))
    }
    proxies = tuple(
        CountProxy.fit(domains, panels, order=order, vocab=symbols, budget=budget)
        for order in orders
    )
    tokens = {name: count * LENGTH for name, count in zip(names, documents, strict=True)}
    space = Space(tokens=tokens, budget=budget, max_epochs=max_epochs)
    return World(proxies, space, objective, {name: name for name in names})


def three_domains() -> World:
    """Two domains that share half of their chain, and one on its own; all of them wanted."""
    mixing = np.array([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.0, 1.0]])
    wanted = {"domain0": 0.1, "domain1": 0.25, "domain2": 0.65}
    return markov_world(3, mixing, (60, 30, 10), wanted, symbols=8, orders=(1, 2, 3))


def five_domains() -> World:
    """A large domain that shares a little with four small ones, which are what is wanted."""
    mixing = np.eye(5) * 0.8
    mixing[:, 0] += 0.2
    wanted = {"domain0": 0.05, "domain1": 0.5, "domain2": 0.25, "domain3": 0.12, "domain4": 0.08}
    return markov_world(5, mixing, (400, 60, 60, 60, 60), wanted, budget=8_000)


def eight_domains() -> World:
    """Seven domains in a ring of transfer and one of noise that nothing asks for.

    The last of the ring is scarce: two passes over it are all that the space allows.
    """
    mixing = np.zeros((8, 8))
    for i in range(7):
        mixing[i, i], mixing[i, (i + 1) % 7] = 0.7, 0.3
    mixing[7, 7] = 1.0
    parts = np.array([0.22, 0.18, 0.16, 0.14, 0.12, 0.08, 0.10])
    wanted = {f"domain{i}": float(part) for i, part in enumerate(parts)}
    counts = (20, 40, 60, 80, 100, 150, 8, 200)
    return markov_world(8, mixing, counts, wanted, budget=8_000, max_epochs=2.0)

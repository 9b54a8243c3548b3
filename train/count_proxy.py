"""CountProxy: an n-gram model whose "run" on a mixture takes milliseconds.

The n-grams of every domain are counted once. A run on a mixture weights the counts: a domain of N
tokens that the run reads n times in all has each of its counts multiplied by n / N, which is what
training on that many tokens would have counted in expectation. Held-out text is looked up once as
well, so that the bits per byte of a mixture is a few products of small matrices. That makes whole
searches fit in a test, with an optimum that brute force knows.

Smoothing interpolates the orders, as Jelinek and Mercer (1980), with a weight that grows with what
was seen of a context (the Dirichlet prior of MacKay and Peto 1995):

    p_k(w | h) = (c(h w) + strength * p_{k-1}(w | h')) / (c(h) + strength),    p_0 = 1 / vocab

Fixed weights would make the loss independent of the budget, and Witten-Bell's count of types is not
a sum over domains; with this one more tokens help, a domain helps all that share its n-grams, and
the loss is smooth in the mixture.

A further pass over a domain multiplies its counts once more: the model grows surer of what it has
seen and learns nothing else. So repeats help less and less, then hurt, as in Muennighoff et al.
(2023), and the optimum leaves a domain that has few tokens for the budget. How much text a table
of counts needs does not grow with a model's size, so this says nothing on what moves with scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mixtures.brute_force import lattice_descent
from mixtures.runs import Ask, Documents, Measured, Run
from mixtures.space import Floats, Space
from train.ngrams import Document, Ints, count, grams, head, ids

_CELLS = 2_000_000  # probabilities held at once: 16 MB


@dataclass(frozen=True)
class _Panel:
    """Held-out documents as rows of the looked-up n-grams."""

    rows: Ints  # (tokens,): which n-gram each token is
    starts: Ints  # (documents,): its first token
    bytes: Floats  # (documents,)


@dataclass(frozen=True, kw_only=True)
class CountProxy:
    """Counts of the domains, at the n-grams of the held-out text; made by `fit`.

    Attributes:
        tokens: per domain, after subsampling; (domains,).
        budget: tokens of a run where none is given.
        strength: of the prior, in tokens.
        vocab: number of tokens that may be predicted.
        numerators: per order, counts of the n-grams; (n-grams, domains).
        denominators: per order, counts of their contexts; the same shape.
        panels: target to its documents.
    """

    tokens: Floats
    budget: int
    strength: float
    vocab: int
    numerators: tuple[Floats, ...]
    denominators: tuple[Floats, ...]
    panels: Mapping[str, _Panel]

    @classmethod
    def fit(
        cls,
        domains: Mapping[str, Sequence[Document]],
        panels: Mapping[str, Sequence[Document]],
        *,
        order: int = 3,
        strength: float = 4.0,
        vocab: int = 256,
        token_bytes: Floats | None = None,
        tokens: Mapping[str, int] | None = None,
        budget: int | None = None,
    ) -> CountProxy:
        """Counts the domains and looks up the panels.

        Args:
            domains: documents to train on, as UTF-8 bytes or arrays of ids below `vocab`.
            panels: held-out documents per target, in the same form.
            order: longest n-gram, from 1.
            strength: of the prior, in tokens, above 0.
            vocab: number of ids.
            token_bytes: bytes of each id, (vocab,); None for one each.
            tokens: most tokens of a domain that runs may read, from its first documents.
            budget: tokens of a run; None for those of all domains.

        Raises:
            ValueError: a domain or panel is empty, an id is not in [0, vocab), the n-grams do not
                fit 63 bits, or `tokens` names no domain or a number below 1.
        """
        _check(domains, panels, order, strength, vocab)
        limits = tokens or {}
        if not (limits.keys() <= domains.keys() and all(n >= 1 for n in limits.values())):
            raise ValueError(f"tokens must be at least 1, of domains. Got {dict(limits)}.")
        kept = {name: head(docs, limits.get(name)) for name, docs in domains.items()}
        seen = [grams(docs, order, vocab) for docs in kept.values()]
        held_out = {name: grams(docs, order, vocab) for name, docs in panels.items()}
        wanted = np.unique(np.concatenate(list(held_out.values())))
        sizes = np.array([len(codes) for codes in seen], float)
        tables = [
            _looked_up([codes % base // (vocab + 1) ** cut for codes in (*seen, wanted)])
            for base in ((vocab + 1) ** k for k in range(1, order + 1))
            for cut in (0, 1)
        ]
        lengths = np.ones(vocab) if token_bytes is None else np.asarray(token_bytes, float)
        return cls(
            tokens=sizes,
            budget=budget or int(sizes.sum()),
            strength=strength,
            vocab=vocab,
            numerators=tuple(tables[::2]),
            denominators=tuple(tables[1::2]),
            panels={
                name: _panel(docs, np.searchsorted(wanted, held_out[name]), lengths)
                for name, docs in panels.items()
            },
        )

    def epochs(self, weights: Floats, budget: int | None = None) -> Floats:
        """Passes that a run makes over each domain, shape of `weights`."""
        return np.asarray(weights * (budget or self.budget) / self.tokens)

    def nats(self, weights: Floats, budget: int | None = None) -> Floats:
        """Surprise of every looked-up n-gram: (mixtures, domains) to (mixtures, n-grams)."""
        scale = self.epochs(weights, budget).T
        p: Floats = np.full((1, 1), 1 / self.vocab)
        for seen, context in zip(self.numerators, self.denominators, strict=True):
            p = (seen @ scale + self.strength * p) / (context @ scale + self.strength)
        return -np.log(p).T

    def score(self, weights: Floats, panel: str, budget: int | None = None) -> Documents:
        """How the model of one mixture (domains,) predicts the documents of a panel."""
        held_out = self.panels[panel]
        nats = self.nats(np.atleast_2d(weights), budget)[0]
        per_document = np.add.reduceat(nats[held_out.rows], held_out.starts)
        return Documents(nats=per_document, bytes=held_out.bytes)

    def table(self, weights: Floats, budget: int | None = None) -> Floats:
        """Bits per byte of every mixture on every panel: (mixtures, domains) to (m, panels)."""
        rows = len(self.numerators[0])
        use = np.stack([np.bincount(p.rows, minlength=rows) for p in self.panels.values()])
        bits = math.log(2) * np.array([p.bytes.sum() for p in self.panels.values()])
        chunks = np.array_split(weights, max(1, math.ceil(len(weights) * rows / _CELLS)))
        return np.concatenate([self.nats(chunk, budget) @ use.T / bits for chunk in chunks])

    def losses(self, weights: Floats, budget: int | None = None) -> dict[str, float]:
        """Bits per byte of one mixture (domains,) on each panel."""
        values = self.table(np.atleast_2d(weights), budget)[0]
        return {name: float(value) for name, value in zip(self.panels, values, strict=True)}

    def run(self, ask: Ask, budget: int | None = None) -> Run:
        """The run that was asked for, with its earlier points and its documents."""
        weights, tokens = np.array(ask.weights), budget or self.budget
        at = [max(1, round(point * tokens)) for point in sorted(ask.points)]
        return Run(
            ask=ask,
            losses=self.losses(weights, tokens),
            curve=tuple(Measured(n, self.losses(weights, n)) for n in at),
            tokens=tokens,
            documents={name: self.score(weights, name, tokens) for name in self.panels},
        )

    def objective(
        self, weights: Floats, parts: Mapping[str, float], budget: int | None = None
    ) -> Floats:
        """Weighted sum of the panels' bits per byte: (mixtures, domains) to (mixtures,)."""
        columns = np.array([parts.get(name, 0.0) for name in self.panels])
        return np.asarray(self.table(weights, budget) @ columns)

    def optimum(
        self,
        parts: Mapping[str, float],
        space: Space,
        *,
        budget: int | None = None,
        points: int = 5_000,
        step: float = 1e-3,
    ) -> Floats:
        """The best mixture (domains,) of the space by brute force; see `lattice_descent`."""
        return lattice_descent(lambda w: self.objective(w, parts, budget), space, points, step)


def _check(
    domains: Mapping[str, Sequence[Document]],
    panels: Mapping[str, Sequence[Document]],
    order: int,
    strength: float,
    vocab: int,
) -> None:
    if order < 1 or not strength > 0:
        raise ValueError(f"needs order >= 1 and strength > 0. Got {order}, {strength}.")
    if (vocab + 1) ** order >= 2**63:
        raise ValueError(f"{order}-grams of {vocab} ids do not fit 63 bits")
    for kind, texts in (("domain", domains), ("panel", panels)):
        if not texts:
            raise ValueError(f"there is no {kind}")
        for name, documents in texts.items():
            if not documents or not all(len(document) for document in documents):
                raise ValueError(f"{kind} '{name}' has no documents, or an empty one")
            if any(i.min() < 0 or i.max() >= vocab for i in map(ids, documents)):
                raise ValueError(f"{kind} '{name}' has ids that are not in [0, {vocab})")


def _looked_up(codes: Sequence[Ints]) -> Floats:
    """How often each domain has the last codes: (n-grams, domains)."""
    *seen, wanted = codes
    return np.stack([count(domain, wanted) for domain in seen], 1)


def _panel(documents: Sequence[Document], rows: Ints, token_bytes: Floats) -> _Panel:
    lengths = np.array([len(document) for document in documents])
    sizes = np.array([token_bytes[ids(document)].sum() for document in documents])
    return _Panel(rows=rows, starts=np.cumsum(lengths) - lengths, bytes=sizes)

"""Metrics of a suite, named by what they divide by, with standard errors over items.

multiple_choice, schema
    accuracy            share of items whose right option has the highest log p
    accuracy_per_byte   the same of log p / UTF-8 bytes of the choice (multiple_choice)
    accuracy_pmi        the same of log p(choice | query) - log p(choice | unconditional)
    centered_accuracy   (a - baseline) / (1 - baseline), a by the header's normalisation
    choice_probability  p(right option) / sum of p over the options
    gold_bpb            bits of the right options / their bytes
lm_completion
    accuracy            share of continuations whose every token is the likeliest one
    nats_per_answer     -log p(continuation)
    gold_bpb            bits of the continuations / their bytes
minimal_pair
    accuracy            share of pairs with p(good) > p(bad)
    log_odds            log p(good) - log p(bad), nats

A suite of several phenomena has each metric per phenomenon too, as `accuracy.<phenomenon>`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from eval.scorer import Scores
from eval.suites.header import Header
from eval.suites.items import Item, MultipleChoice, Schema, options_of
from eval.suites.suite import Suite

Floats = NDArray[np.float64]
LOWER_IS_BETTER = frozenset({"gold_bpb", "nats_per_answer"})


@dataclass(frozen=True, kw_only=True)
class ItemValues:
    """One metric of one model, item by item: sum of `values` / sum of `weights`.

    Attributes:
        values: float64; of `gold_bpb` bits, of an accuracy 0 or 1.
        weights: float64; of `gold_bpb` bytes, else 1.
        clusters: int64; items of one number share a passage and vary together.
    """

    values: Floats
    weights: Floats
    clusters: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Items."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The metric."""
        return float(self.values.sum() / self.weights.sum())

    @property
    def stderr(self) -> float | None:
        """Standard error over clusters, of a ratio by linearisation; None for one cluster.

        Of means with items of their own it is the sample sd / sqrt(n).
        """
        residuals = np.bincount(self.clusters, self.values - self.mean * self.weights)
        count = len(np.unique(self.clusters))
        if count < 2:
            return None
        variance = count / (count - 1) * float((residuals**2).sum())
        return math.sqrt(variance) / float(self.weights.sum())


SuiteScore = dict[str, ItemValues]


def metric_names(suite: Suite) -> list[str]:
    """What `suite_metrics` will measure, in its order."""
    names = _names(suite.header)
    return names + [f"{name}.{p}" for p in _phenomena(suite) for name in names]


def is_better_higher(metric: str) -> bool:
    """Of a metric of a suite, with or without a phenomenon."""
    return metric.split(".")[0] not in LOWER_IS_BETTER


def suite_metrics(suite: Suite, scores: Scores) -> SuiteScore:
    """All metrics of a suite from the scores of its requests."""
    per_item = _MEASURES[suite.header.type]
    rows = [
        per_item(item, suite.header, part)
        for item, part in zip(suite.items, _parts(suite, scores), strict=True)
    ]
    clusters = _clusters(suite)
    found = {}
    for name in _names(suite.header):
        values, weights = np.array([row[name] for row in rows], dtype=np.float64).T
        found[name] = ItemValues(values=values, weights=weights, clusters=clusters)
    phenomena = np.array([item.phenomenon for item in suite.items])
    parts = {p: np.flatnonzero(phenomena == p) for p in _phenomena(suite)}
    return found | {
        f"{name}.{phenomenon}": _part(found[name], chosen)
        for phenomenon, chosen in parts.items()
        for name in _names(suite.header)
    }


def _names(header: Header) -> list[str]:
    if header.type == "minimal_pair":
        return ["accuracy", "log_odds"]
    if header.type == "lm_completion":
        return ["accuracy", "nats_per_answer", "gold_bpb"]
    extra = ["accuracy_per_byte"] if header.type == "multiple_choice" else []
    if header.unconditional is not None:
        extra.append("accuracy_pmi")
    return ["accuracy", *extra, "centered_accuracy", "choice_probability", "gold_bpb"]


def _phenomena(suite: Suite) -> list[str]:
    """In the order of the suite; none if there is only one."""
    names = dict.fromkeys(item.phenomenon for item in suite.items if item.phenomenon)
    return list(names) if len(names) > 1 else []


def _parts(suite: Suite, scores: Scores) -> list[Scores]:
    """The scores of each item's requests."""
    copies = 1 if suite.header.unconditional is None else 2
    sizes = [max(1, len(options_of(item)) * copies) for item in suite.items]
    ends = np.cumsum(sizes)
    return [
        Scores(**{name: array[end - size : end] for name, array in vars(scores).items()})
        for size, end in zip(sizes, ends, strict=True)
    ]


def _clusters(suite: Suite) -> NDArray[np.int64]:
    """A number per item, equal within a group."""
    numbers: dict[tuple[str, str], int] = {}
    keys = [("group", i.group) if i.group else ("item", i.id) for i in suite.items]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _part(metric: ItemValues, chosen: NDArray[np.int64]) -> ItemValues:
    return ItemValues(**{name: array[chosen] for name, array in vars(metric).items()})


Measured = Mapping[str, tuple[float, float]]  # value and weight by metric


def _choice(item: Item, header: Header, scores: Scores) -> Measured:
    assert isinstance(item, MultipleChoice | Schema)
    gold, count = item.gold, len(options_of(item))
    log_prob, size = scores.log_prob[:count], scores.bytes[:count]
    right = {"none": _hit(log_prob, gold), "bytes": _hit(log_prob / size, gold)}
    if header.unconditional is not None:
        right["pmi"] = _hit(log_prob - scores.log_prob[count:], gold)
    centered = (right[header.normalisation] - header.baseline) / (1 - header.baseline)
    return {
        "accuracy": (right["none"], 1),
        "accuracy_per_byte": (right["bytes"], 1),
        "accuracy_pmi": (right.get("pmi", math.nan), 1),
        "centered_accuracy": (centered, 1),
        "choice_probability": (float(softmax(log_prob)[gold]), 1),
        "gold_bpb": _bits(log_prob[gold], size[gold]),
    }


def _hit(values: Floats, gold: int) -> float:
    return float(np.argmax(values) == gold)


def _completion(item: Item, header: Header, scores: Scores) -> Measured:
    return {
        "accuracy": (float(scores.greedy[0]), 1),
        "nats_per_answer": (-float(scores.log_prob[0]), 1),
        "gold_bpb": _bits(scores.log_prob[0], scores.bytes[0]),
    }


def _minimal_pair(item: Item, header: Header, scores: Scores) -> Measured:
    log_odds = float(scores.log_prob[0] - scores.log_prob[1])
    return {"accuracy": (float(log_odds > 0), 1), "log_odds": (log_odds, 1)}


def _bits(log_prob: float, size: int) -> tuple[float, float]:
    return -float(log_prob) / math.log(2), float(size)


_MEASURES: dict[str, Callable[[Item, Header, Scores], Measured]] = {
    "multiple_choice": _choice,
    "schema": _choice,
    "lm_completion": _completion,
    "minimal_pair": _minimal_pair,
}

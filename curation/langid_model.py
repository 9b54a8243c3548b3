"""The model that py3langid brings (0.4; Lui and Baldwin 2012, "langid.py"), laid out for kernels.

A byte automaton whose states emit features, and naive Bayes over log(1 + count) of each feature.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.text import Bytes

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.uint32]
Numbers = npt.NDArray[np.int64]

WIDTH = 16  # classes are padded to a multiple of it, so that loops over them have no remainder
TABLED = 1 << 12  # counts whose logarithm is looked up


class Automaton(NamedTuple):
    """The automaton, its states numbered so that state i emits feature i where i < features."""

    next_state: Ints  # (rows * byte classes,)
    row: Ints  # (states,) where the row of a state begins in `next_state`
    byte_class: Bytes  # (256,)
    other: Ints  # (states - features,) what the other states emit; `features` is none
    start: np.uint32


class Weights(NamedTuple):
    """Naive Bayes; classes are padded."""

    feature: Floats  # (features + 1, classes); the last row, of no feature, is zero
    prior: Floats  # (classes,), -inf in the padding
    log: Floats  # (TABLED,) log(1 + count)


@dataclass(frozen=True)
class Model:
    """What py3langid's file holds, laid out for the kernels."""

    automaton: Automaton
    weights: Weights
    classes: tuple[str, ...]
    aliases: tuple[tuple[int, int], ...]  # columns of one label: the second belongs to the first

    @property
    def labels(self) -> list[str]:
        """ISO 639 codes, sorted."""
        return sorted(set(self.classes))


@functools.cache
def load() -> Model:
    """The model that py3langid brings."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    classes = tuple(found.nb_classes)
    moves = np.asarray(found.tk_nextmove, np.int32).reshape(-1, 256)
    rows, emits = (np.asarray(a, np.int64) for a in (found.tk_row, found.tk_output))
    return Model(
        _automaton(moves, rows, emits, len(found.nb_ptc)),
        _weights(np.asarray(found.nb_ptc), np.asarray(found.nb_pc)),
        classes,
        tuple((classes.index(c), i) for i, c in enumerate(classes) if classes.index(c) != i),
    )


def _automaton(
    moves: npt.NDArray[np.int32], rows: Numbers, emits: Numbers, n_features: int
) -> Automaton:
    """From (rows, 256) moves, the row of each state and the feature it emits, -1 for none."""
    features, states = np.unique(emits, return_index=True)
    states = states[features >= 0]  # the first state to emit each feature
    others = np.setdiff1d(np.arange(len(emits)), states)
    number = np.empty(len(emits), np.int64)
    number[states], number[others] = np.arange(n_features), n_features + np.arange(len(others))
    alike: dict[bytes, int] = {}
    column = [alike.setdefault(column.tobytes(), len(alike)) for column in moves.T]
    _, byte = np.unique(column, return_index=True)
    row = np.empty(len(emits), np.int64)
    row[number] = rows * len(byte)
    return Automaton(
        number[moves[:, byte]].astype(np.uint32).ravel(),
        row.astype(np.uint32),
        np.array(column, np.uint8),
        np.where(emits[others] < 0, n_features, emits[others]).astype(np.uint32),
        np.uint32(number[0]),
    )


def _weights(feature: Floats, prior: Floats) -> Weights:
    n_features, n_classes = feature.shape
    padded = -(-n_classes // WIDTH) * WIDTH
    rows = np.zeros((n_features + 1, padded), np.float32)
    rows[:n_features, :n_classes] = feature
    begin = np.full(padded, -np.inf, np.float32)
    begin[:n_classes] = prior
    return Weights(rows, begin, np.log1p(np.arange(TABLED)).astype(np.float32))

"""py3langid's language identification, walked by compiled kernels.

Labels equal the library's. What costs time is waiting for memory: 30 MB of transitions and 58 MB
of weights fit no cache. So four stretches of a text are walked at once, four rows of weights are
added at once, and all texts are counted before any is scored.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.jit import kernel, leaf
from curation.langid_model import Automaton, Floats, Ints, Numbers, Weights, load
from curation.normal_form import nfc
from curation.text import Bytes, Offsets

LANES = 4  # stretches walked at once
WARM_UP = 6  # bytes after which the automaton's state does not depend on where it began
ZERO = np.uint64(0)


class Ranked(NamedTuple):
    """The likeliest languages of each text, best first; where there is none, score 0, no label."""

    labels: npt.NDArray[np.object_]  # (texts, k) of str
    scores: npt.NDArray[np.float64]  # (texts, k) in [0, 1]


class Counts(NamedTuple):
    """The features of each document; those of document i are bounds[i] to bounds[i + 1]."""

    bounds: Numbers
    feature: Ints
    number: Ints


def rank(texts: pa.ChunkedArray, k: int = 1) -> Ranked:
    """The `k` likeliest languages; of equals, the model's first."""
    scores = probabilities(texts)
    if k == 1:
        best = scores.argmax(axis=1)[:, None]
    else:
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    top = np.take_along_axis(scores, best, axis=1).astype(np.float64)
    return Ranked(np.where(top > 0, np.array(load().classes, object)[best], ""), top)


def probabilities(texts: pa.ChunkedArray) -> Floats:
    """(texts, classes) of each text; all zero where the model knows nothing of it.

    As in the library, a text all in capitals is lower-cased and everything is NFC.
    """
    model = load()
    capitals = pc.utf8_is_upper(texts)
    if pc.any(capitals).as_py():
        texts = pc.if_else(capitals, pc.utf8_lower(texts), texts)
    data, offsets = text.buffers(nfc(texts))
    counts = _count(data, offsets, model.automaton, np.uint32(len(model.weights.feature) - 1))
    scores = _scores(counts, offsets, model.weights)[:, : len(model.classes)]
    for first, alias in model.aliases:
        scores[:, first] += scores[:, alias]
        scores[:, alias] = 0
    return scores


@kernel
def _count(data: Bytes, offsets: Offsets, automaton: Automaton, none: np.uint32) -> Counts:
    """How often each text shows each feature it has; `none` is no feature."""
    bounds = np.zeros(len(offsets), np.int64)
    feature = np.empty(len(data) // 2 + 2, np.uint32)
    count = np.empty(len(feature), np.uint32)
    counts = np.zeros(none + 1, np.uint32)
    n = 0
    for doc in range(len(offsets) - 1):
        first, last = np.uint64(offsets[doc]), np.uint64(offsets[doc + 1])
        room = n + min(int(offsets[doc + 1] - offsets[doc]), len(counts)) + 2
        if room > len(feature):
            feature = np.concatenate((feature, np.empty(room, np.uint32)))
            count = np.concatenate((count, np.empty(room, np.uint32)))
        found = _walk(data, first, last, automaton, counts, feature[n:])
        for i in range(n, n + found):
            hit = feature[i]
            if hit != none:
                feature[n], count[n] = hit, counts[hit]
                n += 1
            counts[hit] = 0
        bounds[doc + 1] = n
    return Counts(bounds, feature[:n], count[:n])


@kernel
def _walk(
    data: Bytes, first: np.uint64, last: np.uint64, automaton: Automaton, counts: Ints, seen: Ints
) -> int:
    """Counts the features of data[first:last]; `seen` gets each once, and their number returns."""
    next_state, row, byte_class, other, start = automaton
    features = np.uint32(len(counts) - 1)
    stretch = (last - first) // np.uint64(LANES)
    stretch = stretch if stretch > WARM_UP else ZERO
    states = np.full(LANES, start, np.uint32)
    for lane in range(1, LANES if stretch else 0):
        begin = first + np.uint64(lane) * stretch
        for at in range(begin - np.uint64(WARM_UP), begin):
            move = np.uint64(byte_class[data[at]])
            states[lane] = next_state[np.uint64(row[states[lane]]) + move]
    n, state = ZERO, start
    for i in range(stretch):
        for lane in range(LANES):
            byte = data[first + np.uint64(lane) * stretch + np.uint64(i)]
            state = next_state[np.uint64(row[states[lane]]) + np.uint64(byte_class[byte])]
            states[lane] = state
            hit = state if state < features else other[state - features]
            seen[n] = hit  # stays if it is new
            n += np.uint64(counts[hit] == 0)
            counts[hit] += np.uint32(1)
    for at in range(first + np.uint64(LANES) * stretch, last):
        state = next_state[np.uint64(row[state]) + np.uint64(byte_class[data[at]])]
        hit = state if state < features else other[state - features]
        seen[n] = hit
        n += np.uint64(counts[hit] == 0)
        counts[hit] += np.uint32(1)
    return int(n)


@kernel
def _scores(found: Counts, offsets: Offsets, weights: Weights) -> Floats:
    """(documents, padded classes) probabilities; all zero where no feature was seen."""
    out = np.zeros((len(offsets) - 1, len(weights.prior)), np.float32)
    for doc in range(len(out)):
        first, last = found.bounds[doc], found.bounds[doc + 1]
        if last > first:
            _add(found.feature[first:last], found.number[first:last], weights, out[doc])
            _softmax(out[doc], offsets[doc + 1] - offsets[doc])
    return out


@leaf
def _log(count: np.uint32, log: Floats) -> np.float32:
    return log[count] if count < len(log) else np.float32(np.log1p(count))


@kernel
def _add(seen: Ints, count: Ints, weights: Weights, out: Floats) -> None:
    """The log posterior of each class, but for a constant."""
    feature, prior, log = weights
    out[:] = prior
    whole = len(seen) // 4 * 4
    for i in range(0, whole, 4):
        a, b = feature[seen[i]], feature[seen[i + 1]]
        c, d = feature[seen[i + 2]], feature[seen[i + 3]]
        log_a, log_b = _log(count[i], log), _log(count[i + 1], log)
        log_c, log_d = _log(count[i + 2], log), _log(count[i + 3], log)
        for k in range(len(out)):
            out[k] += (log_a * a[k] + log_b * b[k]) + (log_c * c[k] + log_d * d[k])
    for i in range(whole, len(seen)):
        row, factor = feature[seen[i]], _log(count[i], log)
        for k in range(len(out)):
            out[k] += factor * row[k]


@kernel
def _softmax(out: Floats, n_bytes: int) -> None:
    """At temperature sqrt(bytes), which keeps it calibrated over lengths."""
    scale = np.float32(1.0 / np.sqrt(n_bytes))
    top = out.max()
    total = np.float32(0)
    for k in range(len(out)):
        out[k] = np.exp((out[k] - top) * scale)
        total += out[k]
    out /= total

"""Bits per byte: how well a model predicts documents, in a unit that no tokenizer can flatter.

bits per byte = sum of -ln p(token) over all tokens / (ln 2 x UTF-8 bytes of all documents)

Every token of a document is predicted exactly once; the first one after the end-of-text token,
the others with at least a quarter of a window of context. The end-of-text token itself is never
a target: it stands for no bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curation.errors import UserError
from train.model import GPT
from train.numerics import torch_threads
from train.tokenizer import Tokenizer

BATCH_TOKENS = 4096  # predicted at a time; bounds memory, does not change a score
CONTEXT_FRAC = 4  # a window after the first re-reads 1/4 of its length as context


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Held-out documents, tokenised once for all models of a judge.

    Attributes:
        name: as in the judge.
        ids: token ids per document, without end-of-text tokens; the first `given` of them are
            read and not predicted.
        bytes: UTF-8 bytes per document, int64.
        eot: id of the end-of-text token.
        given: 1 where each document starts with a control token, else 0.
    """

    name: str
    ids: list[NDArray[Any]]
    bytes: NDArray[np.int64]
    eot: int
    given: int = 0


@dataclass(frozen=True, kw_only=True)
class PanelScore:
    """One model on one panel.

    Attributes:
        nats: negative log-likelihood per document, float64.
        bytes: UTF-8 bytes per document, int64.
    """

    nats: NDArray[np.float64]
    bytes: NDArray[np.int64]

    @property
    def bpb(self) -> float:
        """Bits per byte over all documents together."""
        return float(self.nats.sum() / self.bytes.sum() / math.log(2))


@dataclass(frozen=True, kw_only=True)
class _Window:
    """Tokens `start` to `stop` of [EOT, document] are read; targets from `first` on count."""

    document: int
    start: int
    first: int
    stop: int


def tokenize_panel(
    name: str, texts: Sequence[str], tokenizer: Tokenizer, control: str | None = None
) -> Panel:
    """A panel of `texts`, each of which starts with the control token `control`, if any.

    Raises:
        UserError: there is not a single byte in it, or the tokenizer has no such token.
    """
    sizes = np.array([len(text.encode()) for text in texts], dtype=np.int64)
    if sizes.sum() == 0:
        raise UserError(
            "the panel holds no text",
            where=f"panels.{name}",
            hint="Give it documents, or raise its hold_out frac.",
        )
    ids = tokenizer.encode(texts)
    if control is not None:
        token = np.array([tokenizer.control(control)], dtype=tokenizer.dtype)
        ids = [np.concatenate([token, document]) for document in ids]
    given = 0 if control is None else 1
    return Panel(name=name, ids=ids, bytes=sizes, eot=tokenizer.eot, given=given)


def score_panel(model: GPT, panel: Panel, batch_tokens: int = BATCH_TOKENS) -> PanelScore:
    """Nats of each document under the model, computed in the model's dtype on one thread.

    Windows of all documents are sorted by length and padded to the longest of their batch;
    padding follows the tokens, so causal attention never sees it.
    """
    windows = _windows(panel, model.config.context)
    nats = np.zeros(len(panel.ids))
    with torch_threads(1), torch.no_grad():
        for batch in _batches(windows, batch_tokens):
            for window, loss in zip(batch, _losses(model, panel, batch), strict=True):
                nats[window.document] += loss
    return PanelScore(nats=nats, bytes=panel.bytes)


def _windows(panel: Panel, context: int) -> list[_Window]:
    """All windows, longest first."""
    windows = []
    stride = context - context // CONTEXT_FRAC
    for document, ids in enumerate(panel.ids):
        start, first = 0, panel.given
        while first < len(ids):
            stop = min(start + context, len(ids))
            windows.append(_Window(document=document, start=start, first=first, stop=stop))
            start, first = start + stride, stop
    return sorted(windows, key=lambda w: (w.start - w.stop, w.document, w.start))


def _batches(windows: list[_Window], batch_tokens: int) -> list[list[_Window]]:
    batches: list[list[_Window]] = []
    for window in windows:
        longest = batches[-1][0].stop - batches[-1][0].start if batches else 0
        if not batches or (len(batches[-1]) + 1) * longest > batch_tokens:
            batches.append([])
        batches[-1].append(window)
    return batches


def _losses(model: GPT, panel: Panel, batch: list[_Window]) -> list[float]:
    """Sum of the counted nats of each window."""
    longest = batch[0].stop - batch[0].start
    rows = torch.full((len(batch), longest + 1), panel.eot)
    for row, window in enumerate(batch):
        length = window.stop - window.start
        # Input t of [EOT, document] is document[t - 1]; its target is document[t].
        rows[row, 1 : length + 1] = torch.from_numpy(
            panel.ids[window.document][window.start : window.stop].astype(np.int64)
        )
        if window.start:
            rows[row, 0] = int(panel.ids[window.document][window.start - 1])
    nats = model(rows[:, :-1], rows[:, 1:], reduction="none").double()  # (B, T)
    return [
        float(nats[row, w.first - w.start : w.stop - w.start].sum()) for row, w in enumerate(batch)
    ]

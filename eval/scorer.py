"""The scorer: log-probabilities of continuations under a model.

A context is run once, whatever number of continuations it has; logits are made at the positions
of continuations only, in float32. Contexts and continuations go in batches of like length;
padding is masked, so a score does not depend on its batch beyond rounding (1e-4 nats).

A context that does not fit the model's window before its continuation loses its left end, as in
lm-evaluation-harness. A continuation longer than the window is scored in pieces that each re-read
a quarter of a window before them, as `eval.bpb` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eval.bpb import BATCH_TOKENS, CONTEXT_FRAC
from eval.prefix import Prefix, continue_prefixes, read_prefixes
from eval.requests import Ids, Requests
from train.model import GPT
from train.numerics import torch_threads

LOGIT_ROWS = 128  # at a time: 128 x 2,048 float32 logits are 1 MB, the L2 cache of a core


@dataclass(frozen=True, kw_only=True)
class Scores:
    """One entry per request.

    Attributes:
        log_prob: of the whole continuation, nats, float64.
        greedy: whether each of its tokens is the likeliest one, bool.
        tokens: of the continuation, int64.
        bytes: of the answer, as the requests say, int64.
    """

    log_prob: NDArray[np.float64]
    greedy: NDArray[np.bool_]
    tokens: NDArray[np.int64]
    bytes: NDArray[np.int64]


@dataclass(frozen=True)
class _Piece:
    """A continuation that fits the window, and the place of its context among the distinct."""

    context: int
    continuation: Ids


def score(model: GPT, requests: Requests, batch_tokens: int = BATCH_TOKENS) -> Scores:
    """Scores of `requests`, computed in the model's dtype on one thread (or its GPU).

    Equal requests are computed once. `batch_tokens` bounds memory and does not change a score.
    """
    contexts, pieces, owners = _distinct(requests, model.config.context)
    log_prob, greedy = np.zeros(len(pieces)), np.zeros(len(pieces), dtype=bool)
    with torch_threads(1), torch.inference_mode():
        for places, losses, hits in _scored(model, contexts, pieces, batch_tokens):
            log_prob[places], greedy[places] = -losses, hits
    ends = np.cumsum([0, *map(len, owners)])[:-1]
    flat = np.array([place for own in owners for place in own], dtype=np.int64)
    empty = len(owners) == 0
    return Scores(
        log_prob=np.zeros(0) if empty else np.add.reduceat(log_prob[flat], ends),
        greedy=np.zeros(0, bool) if empty else np.logical_and.reduceat(greedy[flat], ends),
        tokens=np.array([len(ids) for ids in requests.continuations], dtype=np.int64),
        bytes=requests.bytes,
    )


def _distinct(requests: Requests, window: int) -> tuple[list[Ids], list[_Piece], list[list[int]]]:
    """Distinct contexts, distinct pieces, and the pieces of each request."""
    contexts: dict[bytes, int] = {}
    texts: list[Ids] = []
    pieces: dict[tuple[int, bytes], int] = {}
    found: list[_Piece] = []
    owners: list[list[int]] = []
    for pair in zip(requests.contexts, requests.continuations, strict=True):
        owners.append([])
        for context, continuation in _fit(*pair, window):
            place = contexts.setdefault(context.tobytes(), len(texts))
            if place == len(texts):
                texts.append(context)
            piece = pieces.setdefault((place, continuation.tobytes()), len(found))
            if piece == len(found):
                found.append(_Piece(place, continuation))
            owners[-1].append(piece)
    return texts, found, owners


def _fit(context: Ids, continuation: Ids, window: int) -> Iterator[tuple[Ids, Ids]]:
    """Pieces of the request, of at most `window` + 1 tokens each, the first of them unread."""
    first = continuation[:window]
    yield context[-(window + 1 - len(first)) :], first
    keep = max(1, window // CONTEXT_FRAC)
    step = window + 1 - keep
    for start in range(window, len(continuation), step):
        yield continuation[start - keep : start], continuation[start : start + step]


def _scored(
    model: GPT, contexts: list[Ids], pieces: list[_Piece], batch_tokens: int
) -> Iterator[tuple[list[int], NDArray[np.float64], NDArray[np.bool_]]]:
    """Places of pieces with their losses in nats and greedy hits, batch by batch."""
    children: list[list[int]] = [[] for _ in contexts]
    for place, piece in enumerate(pieces):
        children[piece.context].append(place)
    # The last token of a context is read with each continuation: its output predicts the first.
    lengths = [len(context) - 1 for context in contexts]
    for group in _batches(lengths, batch_tokens):
        prefix = read_prefixes(model, [contexts[i][:-1] for i in group])
        row_of = {context: row for row, context in enumerate(group)}
        places = [place for i in group for place in children[i]]
        # A row copies its prefix's keys and values, which costs less than reading it.
        extra = lengths[group[0]] // CONTEXT_FRAC
        for batch in _batches([len(pieces[p].continuation) + extra for p in places], batch_tokens):
            chosen = [places[i] for i in batch]
            parents = torch.tensor([row_of[pieces[p].context] for p in chosen])
            yield (
                chosen,
                *_score_batch(model, contexts, prefix, parents, [pieces[p] for p in chosen]),
            )


def _batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Places of like length, longest first; padded, a batch has at most `batch_tokens`."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    start = 0
    while start < len(order):
        rows = max(1, batch_tokens // max(1, lengths[order[start]]))
        yield order[start : start + rows]
        start += rows


def _score_batch(
    model: GPT, contexts: list[Ids], prefix: Prefix, parents: Tensor, batch: list[_Piece]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rows = [
        np.concatenate([contexts[piece.context][-1:], piece.continuation[:-1]]) for piece in batch
    ]
    device = model.embedding.device
    hidden = continue_prefixes(model, prefix.rows(parents.to(device)), rows)
    sizes = np.array([len(row) for row in rows])
    real = torch.arange(hidden.shape[1]) < torch.from_numpy(sizes)[:, None]
    targets = np.concatenate([piece.continuation for piece in batch]).astype(np.int64)
    losses, hits = _losses(model, hidden[real.to(device)], torch.from_numpy(targets).to(device))
    starts = np.cumsum([0, *sizes])[:-1]
    return np.add.reduceat(losses, starts), np.logical_and.reduceat(hits, starts)


def _losses(
    model: GPT, hidden: Tensor, targets: Tensor
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Nats of each target and whether it is the likeliest token; hidden is (rows, D)."""
    weight = model.embedding.to(hidden.dtype).t()
    losses, hits = [], []
    for start in range(0, len(hidden), LOGIT_ROWS):
        logits = (hidden[start : start + LOGIT_ROWS] @ weight).float()
        at_target = logits.gather(1, targets[start : start + LOGIT_ROWS, None])[:, 0]
        peak = logits.amax(1)
        hits.append(at_target >= peak)
        # In place: `logsumexp` would write each row twice more.
        total = logits.sub_(peak[:, None]).exp_().sum(1)
        losses.append(total.log() + (peak - at_target))
    return torch.cat(losses).double().cpu().numpy(), torch.cat(hits).cpu().numpy()

"""What a model is asked for a suite: continuations of contexts, as token ids.

The split of lm-evaluation-harness: white space at the end of a context goes to the continuation,
context and continuation are encoded together, and the continuation's tokens are what follows as
many tokens as the context has alone. Every context starts with the end-of-text token, as every
document does in training and in `eval.bpb`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.files import atomic
from eval.suites.header import Header
from eval.suites.items import Item, LmCompletion, MinimalPair, MultipleChoice, Schema
from eval.suites.suite import Suite
from train.tokenizer import Tokenizer

Ids = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Continuations of contexts.

    Attributes:
        contexts: token ids, at least the end-of-text token.
        continuations: token ids, at least one.
        bytes: UTF-8 bytes of each answer, without the delimiter before it, int64.
    """

    contexts: list[Ids]
    continuations: list[Ids]
    bytes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.contexts)


@dataclass(frozen=True, kw_only=True)
class Text:
    """A request before it is encoded; `answer_bytes` leaves out a delimiter."""

    context: str
    continuation: str
    answer_bytes: int


def suite_texts(suite: Suite) -> list[Text]:
    """The requests of every item, in order.

    A choice of n makes n, and n more with `unconditional` as context where the header has one;
    a minimal pair makes two, good and bad; a completion makes one.
    """
    return [text for item in suite.items for text in item_texts(item, suite.header)]


def item_texts(item: Item, header: Header) -> list[Text]:
    """The requests of one item."""
    match item:
        case MultipleChoice():
            contexts = [item.query]
            if header.unconditional is not None:
                contexts.append(header.unconditional)
            return [_text(c, choice, header) for c in contexts for choice in item.choices]
        case Schema():
            return [_text(c, item.continuation, header) for c in item.context_options]
        case LmCompletion():
            return [_text(item.context, item.continuation, header)]
        case MinimalPair():
            return [Text(context="", continuation=s, answer_bytes=_size(s)) for s in _pair(item)]
    raise TypeError(f"no requests are known for a {type(item).__name__}")


def encode_requests(texts: Sequence[Text], tokenizer: Tokenizer) -> Requests:
    """Token ids of `texts`; each distinct text is encoded once."""
    pairs = [_split(text) for text in texts]
    distinct = list(dict.fromkeys(t for head, whole in pairs for t in (head, whole)))
    ids = dict(zip(distinct, tokenizer.encode(distinct), strict=True))
    eot = np.array([tokenizer.eot], dtype=tokenizer.dtype)
    contexts, continuations = [], []
    for head, whole in pairs:
        # A merge over the boundary may leave nothing after it; the last token is always asked.
        boundary = min(len(ids[head]), len(ids[whole]) - 1)
        contexts.append(np.concatenate([eot, ids[whole][:boundary]]))
        continuations.append(ids[whole][boundary:])
    sizes = np.array([text.answer_bytes for text in texts], dtype=np.int64)
    return Requests(contexts=contexts, continuations=continuations, bytes=sizes)


def suite_requests(suite: Suite, tokenizer: Tokenizer, cache: Path | None = None) -> Requests:
    """The requests of `suite`; kept in the folder `cache` per suite and tokenizer."""
    path = cache and cache / f"{suite.name}-{suite.hash}-{tokenizer.hash}.npz"
    if path and path.exists():
        return _load(path)
    requests = encode_requests(suite_texts(suite), tokenizer)
    if path:
        _save(requests, path)
    return requests


def conditioned(requests: Requests, token: int) -> Requests:
    """The requests with the control token `token` before each text, after the end-of-text token."""
    marked = np.array([token], dtype=requests.contexts[0].dtype)
    contexts = [np.concatenate([c[:1], marked, c[1:]]) for c in requests.contexts]
    return replace(requests, contexts=contexts)


def _text(context: str, answer: str, header: Header) -> Text:
    return Text(context=context, continuation=header.delimiter + answer, answer_bytes=_size(answer))


def _pair(item: MinimalPair) -> tuple[str, str]:
    return item.good, item.bad


def _size(text: str) -> int:
    return len(text.encode())


def _split(text: Text) -> tuple[str, str]:
    """The context without white space at its end, and all of the text."""
    return text.context.rstrip(), text.context + text.continuation


def _save(requests: Requests, path: Path) -> None:
    arrays: dict[str, Any] = {"bytes": requests.bytes}
    for name in ("contexts", "continuations"):
        rows = getattr(requests, name)
        arrays[name] = np.concatenate(rows)
        arrays[f"{name}_ends"] = np.cumsum([len(row) for row in rows])
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _load(path: Path) -> Requests:
    with np.load(path, allow_pickle=False) as arrays:
        rows = {
            name: np.split(arrays[name], arrays[f"{name}_ends"][:-1])
            for name in ("contexts", "continuations")
        }
        return Requests(**rows, bytes=arrays["bytes"])

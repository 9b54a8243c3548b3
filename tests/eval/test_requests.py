"""Requests: which texts an item asks for, and where context ends and continuation starts."""

from pathlib import Path

import numpy as np
import pytest

from eval.requests import Text, encode_requests, item_texts, suite_requests
from eval.suites.header import Header
from eval.suites.items import Item, ItemType, LmCompletion, MinimalPair, MultipleChoice, Schema
from eval.suites.suite import Suite
from train.tokenizer import Tokenizer


def header(kind: ItemType, unconditional: str | None = None, delimiter: str = " ") -> Header:
    return Header(
        name="s",
        version=1,
        type=kind,
        source="ours",
        licence="CC0-1.0",
        formulation="cloze",
        delimiter=delimiter,
        unconditional=unconditional,
    )


CHOICE = MultipleChoice(id="a", query="rain", choices=("été", "soil"), gold=0)


@pytest.mark.parametrize(
    ("item", "head", "expected"),
    [
        (CHOICE, header("multiple_choice"), [("rain", " été", 5), ("rain", " soil", 4)]),
        (
            CHOICE,
            header("multiple_choice", unconditional="A:", delimiter="\n"),
            [("rain", "\nété", 5), ("rain", "\nsoil", 4), ("A:", "\nété", 5), ("A:", "\nsoil", 4)],
        ),
        (
            Schema(id="a", context_options=("rain", "soil"), continuation="grew", gold=1),
            header("schema"),
            [("rain", " grew", 4), ("soil", " grew", 4)],
        ),
        (
            LmCompletion(id="a", context="rain", continuation="grew"),
            header("lm_completion"),
            [("rain", " grew", 4)],
        ),
        (
            MinimalPair(id="a", good="rain was", bad="rain were"),
            header("minimal_pair"),
            [("", "rain was", 8), ("", "rain were", 9)],
        ),
    ],
)
def test_item_asks_for(item: Item, head: Header, expected: list[tuple[str, str, int]]) -> None:
    texts = [(t.context, t.continuation, t.answer_bytes) for t in item_texts(item, head)]
    assert texts == expected


@pytest.mark.parametrize(
    ("context", "continuation", "expected"),
    [
        ("the soil", " was turned", ("the soil", " was turned")),
        ("the soil ", "was turned", ("the soil", " was turned")),  # the space changes sides
        ("the soil\n", " was", ("the soil", "\n was")),
        ("", "the soil", ("", "the soil")),
        ("  ", "soil", ("", "  soil")),
    ],
)
def test_white_space_at_the_end_of_a_context_goes_over(
    tokenizer: Tokenizer, context: str, continuation: str, expected: tuple[str, str]
) -> None:
    texts = [Text(context=context, continuation=continuation, answer_bytes=1)]
    found = encode_requests(texts, tokenizer)
    assert found.contexts[0][0] == tokenizer.eot
    assert tokenizer.decode(found.contexts[0][1:]) == expected[0]
    assert tokenizer.decode(found.continuations[0]) == expected[1]
    whole = [*found.contexts[0][1:], *found.continuations[0]]
    assert whole == tokenizer.encode([context + continuation])[0].tolist()


def test_a_merge_over_the_boundary_leaves_the_last_token_to_ask_for(tokenizer: Tokenizer) -> None:
    merged = tokenizer.decode([int(tokenizer.token_bytes.argmax())])
    assert len(merged) > 2
    texts = [Text(context=merged[:-1], continuation=merged[-1], answer_bytes=1)]
    found = encode_requests(texts, tokenizer)
    assert found.contexts[0].tolist() == [tokenizer.eot]
    assert tokenizer.decode(found.continuations[0]) == merged


def test_suite_is_tokenised_once_per_tokenizer(tokenizer: Tokenizer, tmp_path: Path) -> None:
    suite = Suite(header("multiple_choice", unconditional=""), (CHOICE,))
    made = suite_requests(suite, tokenizer, tmp_path)
    (path,) = tmp_path.glob("*.npz")
    assert suite.hash in path.name
    assert tokenizer.hash in path.name
    before = path.stat().st_mtime_ns
    found = suite_requests(suite, tokenizer, tmp_path)
    assert path.stat().st_mtime_ns == before
    for ours, theirs in (
        (made.contexts, found.contexts),
        (made.continuations, found.continuations),
        ([made.bytes], [found.bytes]),
    ):
        assert len(ours) == len(theirs)
        assert all(
            np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(ours, theirs, strict=True)
        )

"""datatrove's filters over many texts, with every text taken apart once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import pytest


@contextmanager
def taken_apart_once() -> Iterator[None]:
    """Within it, datatrove's functions that split texts remember what they gave.

    spaCy keeps what it knows of words, too, which it else forgets after each text.
    """
    from datatrove.pipeline.filters import (
        c4_filters,
        fineweb_quality_filter,
        gopher_quality_filter,
        gopher_repetition_filter,
    )
    from datatrove.utils import text

    words, sentences = cache(text.split_into_words), cache(text.split_into_sentences)
    places = [
        (c4_filters, "split_into_sentences", sentences),
        (fineweb_quality_filter, "split_into_words", words),
        (gopher_quality_filter, "split_into_words", words),
        (gopher_repetition_filter, "split_into_words", words),
        (_tokenizer(), "memory_zone", nullcontext),
    ]
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, value in places:
            patch.setattr(owner, name, value)
        yield


def _tokenizer() -> Any:
    from datatrove.utils.typeshelper import Languages
    from datatrove.utils.word_tokenizers import load_word_tokenizer

    return load_word_tokenizer(Languages.english).tokenizer


def judge(peer: Any, text: str) -> tuple[bool, str]:
    """Whether datatrove's filter drops a text, and what it leaves of it."""
    from datatrove.data import Document

    document = Document(text=text, id="")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mean length of no words
        kept = peer.filter(document)
    return kept is not True, document.text


def words_of(text: str) -> list[str]:
    """spaCy's tokens as datatrove has them."""
    from datatrove.pipeline.filters import gopher_quality_filter
    from datatrove.utils.typeshelper import Languages

    words: list[str] = gopher_quality_filter.split_into_words(text, Languages.english)
    return words


def sentences_of(line: str) -> list[str]:
    """The sentences of a line as datatrove has them."""
    from datatrove.pipeline.filters import c4_filters
    from datatrove.utils.typeshelper import Languages

    found: list[str] = c4_filters.split_into_sentences(line, Languages.english)
    return found

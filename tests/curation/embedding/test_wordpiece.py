"""Our WordPiece tokens are those of the model's own tokenizer."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow as pa
import pytest

from curation.embedding.models import Model, find_model
from curation.embedding.sentence_transformers import tokenizer
from curation.embedding.wordpiece import load_vocabulary, token_ids
from curation.errors import UserError
from tests.contracts.test_stage_contract import ODD_TEXTS
from tests.corpora import prose
from tests.curation.odd_texts import FRAGMENTS

MODEL = find_model("all-MiniLM-L6-v2")


def expected(text: str) -> list[int]:
    ours = tokenizer(MODEL)
    unknown = ours.token_to_id("[UNK]")
    return [i for i in ours.encode(text, add_special_tokens=False).ids if i != unknown]


def found(texts: list[str]) -> list[list[int]]:
    ids, bounds = token_ids(pa.chunked_array([texts], pa.string()), load_vocabulary(MODEL))
    return [ids[bounds[i] : bounds[i + 1]].tolist() for i in range(len(texts))]


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_wordpiece_equals_the_library_on_odd_texts(name: str) -> None:
    assert found([ODD_TEXTS[name]])[0] == expected(ODD_TEXTS[name])


def test_wordpiece_equals_the_library_on_generated_texts() -> None:
    draw = random.Random(0)
    texts = []
    for _ in range(200):
        parts = [*FRAGMENTS, *prose(draw.randrange(99), 2).split(" "), "Été", "ǅ", "İ", "ß", "ﬁ"]
        texts.append("".join(draw.choice(parts) for _ in range(draw.randrange(40))))
    for text, tokens in zip(texts, found(texts), strict=True):
        assert tokens == expected(text), text


@pytest.mark.parametrize("chars", [99, 100, 101])
def test_wordpiece_leaves_out_words_of_more_than_100_characters(chars: int) -> None:
    word = "e" * chars
    assert found([f"a {word} b"])[0] == expected(f"a {word} b")
    assert (len(found([word])[0]) > 0) == (chars <= 100)


def test_wordpiece_tokens_do_not_depend_on_other_texts() -> None:
    texts = [prose(i, 3) for i in range(20)]
    assert found(texts) == [found([text])[0] for text in texts]


def test_wordpiece_refuses_other_tokenizers(tmp_path: Path) -> None:
    about = {"model": {"type": "BPE", "vocab": {}, "merges": []}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(about))
    with pytest.raises(UserError, match="of type BPE: WordPiece is needed"):
        load_vocabulary(Model("bpe", tmp_path))

"""Tokenizer: round trips, exact bytes, and the same result every time."""

from pathlib import Path

import numpy as np
import pytest

from curation.errors import UserError
from train.tokenizer import EOT, Tokenizer, train_tokenizer

ODD_TEXTS = [
    "",
    " ",
    "plain ascii",
    "naïve café — “quotes”",
    "日本語のテキスト",
    "👩‍👩‍👧‍👦 🇫🇷 e\u0301\u200d",
    "a\u2028b\u0085c\x00d\ufeff",
    "tabs\tand\r\nlines\n\n\n",
    f"a document may spell {EOT} out",
    "\U0010ffff\ue000",
    "Ġ and Ċ are letters too",
]


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_encode_round_trips_and_counts_bytes_exactly(tokenizer: Tokenizer, text: str) -> None:
    (ids,) = tokenizer.encode([text])
    assert tokenizer.decode(ids) == text
    assert tokenizer.token_bytes[ids].sum() == len(text.encode())


def test_encode_never_yields_the_end_of_text_token(tokenizer: Tokenizer) -> None:
    (ids,) = tokenizer.encode([f"{EOT}x{EOT}"])
    assert tokenizer.eot not in ids
    assert tokenizer.token_bytes[tokenizer.eot] == 0


def test_encode_batch_equals_one_by_one(tokenizer: Tokenizer) -> None:
    together = tokenizer.encode(ODD_TEXTS)
    alone = [tokenizer.encode([text])[0] for text in ODD_TEXTS]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))
    assert together[2].dtype == np.uint16


def test_training_twice_gives_the_same_tokenizer() -> None:
    texts = [f"item {i} of {i * i % 37} things" for i in range(300)]
    assert train_tokenizer(texts, 400).hash == train_tokenizer(iter(texts), 400).hash
    assert train_tokenizer(texts, 400).hash != train_tokenizer(texts[:200], 400).hash


def test_save_and_load_keep_identity_and_encoding(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert loaded.hash == tokenizer.hash
    assert (loaded.vocab, loaded.eot) == (tokenizer.vocab, tokenizer.eot)
    text = f"the soil {EOT}"
    assert np.array_equal(loaded.encode([text])[0], tokenizer.encode([text])[0])


def test_vocabulary_has_the_asked_size(tokenizer: Tokenizer) -> None:
    assert tokenizer.vocab == 300


def test_train_without_text_still_covers_all_bytes() -> None:
    bare = train_tokenizer([], 300)
    assert bare.vocab == 257
    assert bare.decode(bare.encode(["été"])[0]) == "été"


def test_train_vocab_too_small_is_refused() -> None:
    with pytest.raises(UserError, match="257"):
        train_tokenizer(["x"], 256)


@pytest.mark.parametrize("content", [None, "not json", '{"version": "1.0"}'])
def test_load_of_something_else_names_the_file(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        Tokenizer.load(path)
    assert caught.value.where == str(path)

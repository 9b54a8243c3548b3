"""Byte-level BPE: one tokenizer per judge, trained once, the same for every recipe.

Every byte is in the vocabulary, so any text round-trips, and the bytes that a token stands for
are known exactly: bits per byte divides by them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as FastTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers

from curation.errors import UserError
from curation.files import write_bytes

# Trials and slices already run one per core; the library's own threads would fight with them.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

EOT = "<|endoftext|>"
MIN_VOCAB = 257  # 256 bytes and EOT


def marker(name: str) -> str:
    """How the control token `name` is spelled in a vocabulary."""
    return f"<|{name}|>"


@contextmanager
def all_cores() -> Iterator[None]:
    """Lets `encode` use every core inside: for a process that has the machine to itself."""
    before = os.environ["TOKENIZERS_PARALLELISM"]
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    try:
        yield
    finally:
        os.environ["TOKENIZERS_PARALLELISM"] = before


class Tokenizer:
    """Text to token ids and back. Made by `train_tokenizer` or `Tokenizer.load`."""

    def __init__(self, fast: Any) -> None:
        # A document that spells out the marker is text: only the pipeline places the real one.
        fast.encode_special_tokens = True
        self._fast = fast
        self.vocab: int = fast.get_vocab_size()
        self.eot: int = fast.token_to_id(EOT)
        self._special: dict[str, int] = {
            token.content: i for i, token in fast.get_added_tokens_decoder().items()
        }

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Reads what `save` wrote.

        Raises:
            UserError: the file is absent or is no tokenizer with an end-of-text token.
        """
        if not path.is_file():
            raise UserError("there is no such tokenizer file", where=str(path))
        try:
            fast = FastTokenizer.from_str(path.read_text(encoding="utf-8"))
        except Exception as err:  # the library raises plain Exception
            raise UserError(f"not a tokenizer.json: {err}", where=str(path)) from err
        if fast.token_to_id(EOT) is None:
            raise UserError(f"the tokenizer has no {EOT} token", where=str(path))
        return cls(fast)

    def save(self, path: Path) -> None:
        """Writes one `tokenizer.json`, atomically."""
        write_bytes(path, self._fast.to_str().encode())

    @cached_property
    def hash(self) -> str:
        """32 hex digits over the tokenizer's whole definition."""
        return hashlib.blake2b(self._fast.to_str().encode(), digest_size=16).hexdigest()

    @cached_property
    def token_bytes(self) -> NDArray[np.int64]:
        """Bytes that each token id stands for, shape (vocab,); 0 for end-of-text and control.

        For any text the sum over its tokens is the length of its UTF-8 form.
        """
        counts = np.zeros(self.vocab, dtype=np.int64)
        for token, index in self._fast.get_vocab().items():
            # The byte-level alphabet writes each byte as one character, whatever the character.
            counts[index] = 0 if token in self._special else len(token)
        return counts

    def control(self, name: str) -> int:
        """Id of the control token `name`.

        Raises:
            UserError: the vocabulary has no such token.
        """
        if marker(name) not in self._special:
            raise UserError(
                f"the tokenizer has no control token '{name}'",
                where="tokenizer.control",
                hint="Name it in the judge: the vocabulary is shared by all recipes.",
            )
        return self._special[marker(name)]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned type that holds every id."""
        return np.dtype(np.uint16 if self.vocab <= 65536 else np.uint32)

    def encode(self, texts: Sequence[str]) -> list[NDArray[Any]]:
        """Token ids of each text, without any end-of-text token; an empty text gives none."""
        encoded = self._fast.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(e.ids, dtype=self.dtype) for e in encoded]

    def decode(self, ids: Sequence[int] | NDArray[Any]) -> str:
        """The text of `ids`; end-of-text and control tokens are left out."""
        text: str = self._fast.decode([int(i) for i in ids], skip_special_tokens=True)
        return text


def train_tokenizer(texts: Iterable[str], vocab: int, control: Sequence[str] = ()) -> Tokenizer:
    """Learns merges from `texts`; the same texts in the same order give the same tokenizer.

    Args:
        texts: training texts, read once.
        vocab: size of the vocabulary, all bytes, the end-of-text token and control tokens
            included. The result is smaller where the texts do not hold enough distinct pairs.
        control: names of control tokens; see `train.control`.

    Raises:
        UserError: `vocab` is below 257 and the number of control tokens.
    """
    least = MIN_VOCAB + len(control)
    if vocab < least:
        raise UserError(f"must be an int >= {least}. Got {vocab}.", where="tokenizer.vocab")
    fast = FastTokenizer(models.BPE())
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[EOT, *map(marker, control)],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    fast.train_from_iterator(texts, trainer=trainer)
    return Tokenizer(fast)

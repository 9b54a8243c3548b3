"""Language identification by a fastText model from a file (Joulin et al. 2016, arXiv 1607.01759).

Its labels are `__label__` and a code: `en` in lid.176, `eng_Latn` in GlotLID.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curation.errors import UserError
from curation.langid import Ranked
from curation.scorers.fasttext_file import read_labels

PREFIX = "__label__"


def labels(path: Path) -> list[str]:
    """The codes that a model knows, sorted.

    Raises:
        UserError: the file is missing, damaged, no classifier, or has other labels.
    """
    return list(_labels(path, *_stamp(path)))


def rank(path: Path, texts: Sequence[str], k: int) -> Ranked:
    """The `k` likeliest codes of each text, which the model gets as one line."""
    model = _load(path, *_stamp(path))
    shape = (len(texts), k)
    ranked = Ranked(np.full(shape, "", object), np.zeros(shape))
    # The library's call for one text breaks with numpy 2; the one for a list does not.
    found = model.predict([text.replace("\n", " ") for text in texts], k=k) if texts else ((), ())
    for i, (names, chances) in enumerate(zip(*found, strict=True)):
        if texts[i] and not texts[i].isspace():  # the end of the line alone has a label, too
            ranked.labels[i, : len(names)] = [name.removeprefix(PREFIX) for name in names]
            ranked.scores[i, : len(names)] = np.clip(chances, 0, 1)  # the library adds 1e-5
    return ranked


def _stamp(path: Path) -> tuple[int, int]:
    """What changes with a file: its size and the time of its change."""
    try:
        stat = path.stat()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    return stat.st_size, stat.st_mtime_ns


@functools.lru_cache(maxsize=4)
def _load(path: Path, size: int, mtime_ns: int) -> Any:
    import fasttext

    _labels(path, size, mtime_ns)
    return fasttext.load_model(str(path))


@functools.lru_cache(maxsize=4)
def _labels(path: Path, size: int, mtime_ns: int) -> tuple[str, ...]:
    found = read_labels(path)
    for label in found:
        if not label.startswith(PREFIX):
            what = f"{path} has a label '{label}', which does not begin with {PREFIX}"
            raise UserError(what, hint="It takes language models such as lid.176.bin or GlotLID")
    return tuple(sorted(label.removeprefix(PREFIX) for label in found))

"""Whether a file is a whole fastText classifier, without loading it.

The library crashes on some damaged files, and loads others that are cut short and then answers
nothing. So their structure is walked first (`saveModel` of fastText 0.9.2): header, dictionary,
input matrix, output matrix, and nothing after.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from curation.errors import UserError

MAGIC, VERSIONS = 793712314, (11, 12)
SUPERVISED = 3  # of `model_name`
LABEL = 1  # of `entry_type`
_CENTROIDS = 256  # of a product quantiser

_HINT = "It takes the .bin or .ftz of `fasttext supervised`, or what this stage has trained"


def read_labels(path: Path) -> list[str]:
    """The labels of a classifier.

    Raises:
        UserError: the file is no fastText model, is one of word vectors, or is cut short.
    """
    with path.open("rb") as file:
        if path.stat().st_size < 8:
            raise UserError(f"{path} is not a fastText model: it is too short", hint=_HINT)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _Walk(data, path).labels()
            except (struct.error, ValueError, UnicodeDecodeError, OverflowError):
                raise UserError(f"{path} is damaged or cut short", hint=_HINT) from None


class _Walk:
    """A walk over the bytes of a model."""

    def __init__(self, data: mmap.mmap, path: Path) -> None:
        self.data, self.path, self.at = data, path, 0

    def take(self, shape: str) -> tuple[int, ...]:
        """The next values, little-endian without padding."""
        values = struct.unpack_from(f"<{shape}", self.data, self.at)
        self.at += struct.calcsize(f"<{shape}")
        return values

    def skip(self, size: int) -> None:
        if size < 0 or self.at + size > len(self.data):
            raise ValueError("beyond the end")
        self.at += size

    def labels(self) -> list[str]:
        """All labels; the whole file is walked."""
        magic, version = self.take("ii")
        if magic != MAGIC or version not in VERSIONS:
            raise UserError(f"{self.path} is not a fastText model", hint=_HINT)
        model = self.take("12i")[7]  # dim, ws, epoch, minCount, neg, wordNgrams, loss, model, ...
        if model != SUPERVISED:
            what = f"{self.path} is a fastText model of word vectors, not a classifier"
            raise UserError(what, hint=_HINT)
        self.skip(8)  # t
        labels = self._dictionary()
        (quantised,) = self.take("?")
        self._matrix(bool(quantised))
        (output_too,) = self.take("?")
        self._matrix(bool(quantised and output_too))
        if self.at != len(self.data):
            raise ValueError("bytes are left over")
        return labels

    def _dictionary(self) -> list[str]:
        size, _, n_labels = self.take("3i")
        _, pruned = self.take("2q")
        labels = []
        for _ in range(size):
            end = self.data.find(b"\0", self.at)
            word, self.at = (self.at, end), end + 1
            if end < 0:
                raise ValueError("no end of a word")
            if self.take("qb")[1] == LABEL:
                labels.append(self.data[word[0] : word[1]].decode())
        self.skip(8 * max(pruned, 0))
        if len(labels) != n_labels or not labels:
            raise ValueError("labels are missing")
        return labels

    def _matrix(self, quantised: bool) -> None:
        if not quantised:
            rows, columns = self.take("2q")
            self.skip(4 * rows * columns)
            return
        (normed,) = self.take("?")
        rows, _, size = self.take("2qi")
        self.skip(size)
        self._quantiser()
        if normed:
            self.skip(rows)
            self._quantiser()

    def _quantiser(self) -> None:
        dim, *_ = self.take("4i")
        self.skip(4 * dim * _CENTROIDS)

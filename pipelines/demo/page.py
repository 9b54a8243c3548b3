"""The Page: one document of the demo corpus, before it is rendered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import quote

Kind = Literal["readme", "licence", "docstring", "source"]
KINDS: tuple[Kind, ...] = get_args(Kind)  # one source of the corpus each
PROSE: tuple[Kind, ...] = ("readme", "licence", "docstring")


@dataclass(frozen=True)
class Page:
    """A text with its place in the imagined web: one site per package."""

    kind: Kind
    package: str  # lower-case, words joined by `-`; `python` for the standard library
    title: str
    path: str  # within the package, POSIX
    text: str  # Markdown, reStructuredText or plain; program text for `source`

    @property
    def host(self) -> str:
        """The site: the group by which documents are held out."""
        return f"{self.package}.docs.example"

    @property
    def url(self) -> str:
        """Where the page stands; no two pages of a corpus share it."""
        return f"https://{self.host}/{self.kind}/{quote(self.path)}"

    @property
    def size(self) -> int:
        """UTF-8 bytes of the text."""
        return len(self.text.encode())


def draw(seed: int, *key: str) -> int:
    """A 64-bit number that depends on `seed` and `key` only: the order of every sample here."""
    data = "\0".join((str(seed), *key)).encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")

"""Any datatrove filter, formatter or extractor as a stage: the ecosystem's blocks stay usable."""

from __future__ import annotations

import functools
import importlib
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa

from curation.errors import MissingPackage, UserError, closest
from curation.extraction import extract_pages
from curation.modifiers.html_text import decode
from curation.process import REFUSED
from curation.sandbox import sandbox
from curation.stage import Modifier, stages

_KINDS = ("filters", "formatters", "extractors")


@stages.register("datatrove")
@dataclass(frozen=True, kw_only=True)
class Datatrove(Modifier):
    """Runs a block of datatrove (`filters.GopherQualityFilter`) document by document.

    Its drop reason becomes ours, text that a filter edits stays edited, and new metadata goes to
    `meta`. An extractor runs in a child process with `timeout_s`. Blocks are as slow as they are:
    0.4 to 1.5 MB/s per core for the rule sets, which tilth has as compiled stages. What a block
    remembers between documents (a sampler's dice, whose turn a replacement is) starts anew with
    every slice, so that the result does not depend on what a worker did before.
    """

    block: str  # module and class below datatrove.pipeline, or the class with its kind
    params: dict[str, Any] = field(default_factory=dict)  # of the block's constructor
    timeout_s: float = 10.0  # seconds per page, for extractors

    requires: ClassVar[tuple[str, ...]] = ("datatrove",)

    def __post_init__(self) -> None:
        kind, _, name = self.block.partition(".")
        if kind not in _KINDS or not name:
            raise ValueError(
                f"'block' of datatrove must be one of {', '.join(_KINDS)}, a dot and a class. "
                f"Got '{self.block}' instead."
            )

    @property
    def extracts(self) -> bool:
        """True for extractor blocks."""
        return self.block.startswith("extractors.")

    def check(self) -> None:
        """The block must exist and take its parameters."""
        make_block(self.block, json.dumps(self.params))

    def edit(self, table: pa.Table) -> pa.Table:
        """Runs the block; see the class."""
        if self.extracts:
            return self._extract(table)
        block = make_block(self.block, json.dumps(self.params))
        texts, metas, reasons = [], [], []
        for row in table.select(["id", "text", "url", "date", "language", "meta"]).to_pylist():
            try:
                text, meta, reason = _run(block, row)
            except ImportError as error:  # of what the block needs only now
                raise _missing(self.block, error) from None
            texts.append(text)
            metas.append(meta)
            reasons.append(reason)
        for name, values in (("text", texts), ("meta", metas)):
            place = table.column_names.index(name)
            table = table.set_column(place, name, pa.array(values, pa.string()))
        return table.append_column(REFUSED, pa.array(reasons, pa.string()))

    def _extract(self, table: pa.Table) -> pa.Table:
        if "raw" not in table.column_names:
            return table
        options = {"block": self.block, "params": json.dumps(self.params)}
        child = sandbox("curation.modifiers.datatrove:extract", options, self.timeout_s)
        return extract_pages(table, child, lambda t, row: t["raw"][row].as_py())


def extract(page: bytes, block: str, params: str) -> str:
    """The text of one page; runs in the child."""
    return _own_block(block, params).extract(decode(page)) or ""


@functools.cache
def _own_block(block: str, params: str) -> Any:
    return make_block(block, params)


def make_block(block: str, params: str) -> Any:
    """A new datatrove object.

    Raises:
        MissingPackage: datatrove, or what the block needs, is not installed.
        UserError: no such block, or it does not take the parameters.
    """
    cls = _block_class(block)
    try:
        return cls(**json.loads(params))
    except ImportError as error:
        raise _missing(block, error) from None
    except Exception as error:  # a foreign constructor may raise anything
        raise UserError(f"datatrove's {block} cannot be made: {error}", hint=params) from None


def _block_class(block: str) -> Any:
    kind, _, name = block.partition(".")
    module_name, _, class_name = name.rpartition(".")
    path = ".".join(filter(None, ("datatrove.pipeline", kind, module_name)))
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        if not (error.name or "").startswith("datatrove.pipeline"):
            raise _missing(block, error) from None
        raise UserError(f"datatrove has no module '{path}'", hint=f"block: {block}") from None
    known = _names(module)
    if class_name not in known:
        raise UserError(
            f"datatrove's {kind} have no '{name}'.{closest(name, known)}",
            hint=f"Known: {', '.join(sorted(known))}",
        )
    return getattr(module, class_name)


def _missing(block: str, error: ImportError) -> MissingPackage:
    hint = f"pip install {error.name}" if error.name else str(error)
    return MissingPackage(f"datatrove's {block} needs {error.name or 'a package'}", hint=hint)


def _names(module: Any) -> list[str]:
    return [n for n, value in vars(module).items() if isinstance(value, type)]


def _run(block: Any, row: dict[str, Any]) -> tuple[str, str | None, str | None]:
    """(text, meta, reason to drop) after a filter or formatter."""
    from datatrove.data import Document

    if hasattr(block, "format"):
        return block.format(row["text"]), row["meta"], None
    known = {k: row[k] for k in ("url", "date", "language") if row[k] is not None}
    metadata = {**json.loads(row["meta"] or "{}"), **known}
    document = Document(text=row["text"], id=row["id"], metadata=dict(metadata))
    verdict = block.filter(document)
    keeps, reason = verdict if isinstance(verdict, tuple) else (verdict, None)
    extra = {k: v for k, v in document.metadata.items() if k not in known}
    changed = document.metadata != metadata
    meta = json.dumps(extra, ensure_ascii=False, default=str) if changed else row["meta"]
    return document.text, meta, None if keeps else reason or type(block).__name__

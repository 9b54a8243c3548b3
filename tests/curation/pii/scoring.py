"""Precision and recall of findings against labels, by exact span."""

import io
import json
from collections.abc import Sequence

import zstandard

from curation.pii.scan import KINDS
from tests.corpora import SHARED
from tests.curation.pii.finding import Entity
from tests.curation.pii.labelled import Labelled


def rates(
    cases: Sequence[Labelled], found: Sequence[Sequence[Entity]]
) -> dict[str, tuple[float, float, int]]:
    """(precision, recall, labels) of every kind that is labelled or found."""
    ours = {(i, *span) for i, spans in enumerate(found) for span in spans}
    true = {(i, *span) for i, case in enumerate(cases) for span in case.entities}
    out: dict[str, tuple[float, float, int]] = {}
    for kind in KINDS:
        mine, right = ({entity for entity in group if entity[3] == kind} for group in (ours, true))
        if mine or right:
            hits = len(mine & right)
            out[kind] = (hits / max(len(mine), 1), hits / max(len(right), 1), len(right))
    return out


def embedded(*, private_ips: bool = False) -> list[Labelled]:
    """The shared `pii/embedded`; whether its reserved addresses count is a choice."""
    with (SHARED / "pii" / "embedded.jsonl.zst").open("rb") as handle:
        stream = zstandard.ZstdDecompressor().stream_reader(handle, read_across_frames=True)
        rows = [json.loads(line) for line in io.TextIOWrapper(stream, "utf-8", newline="\n")]
    out = []
    for row in rows:
        chosen = [e for e in row["entities"] if private_ips or e["should_redact"]]
        spans = [(e["start"], e["end"], _kind(e)) for e in chosen]
        out.append(Labelled(row["text"], spans))
    return out


def _kind(entity: dict[str, str]) -> str:
    if entity["type"] == "IP_ADDRESS":
        return "ipv6" if entity["kind"].startswith("ipv6") else "ipv4"
    return entity["type"].lower()

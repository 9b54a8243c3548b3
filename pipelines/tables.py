"""Plain-text tables for the terminal, and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

TOP_REASONS = 3


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Aligned columns: the first `left` to the left, the others to the right."""
    every = [list(header), *map(list, rows)]
    widths = [max(len(row[i]) for row in every) for i in range(len(header))]
    lines = []
    for row in every:
        cells = [
            c.ljust(w) if i < left else c.rjust(w)
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def csv_text(rows: Sequence[dict[str, Any]]) -> str:
    """Rows under all their names, in the order in which these come up."""
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def funnel_text(manifest: dict[str, Any]) -> str:
    """The funnel: documents and bytes in and out of every stage, in all and of each source.

    A row that an alarm is about ends in `!`.
    """
    header = ("stage", "in", "out", "kept", "MB out", "chars cut", "seconds", "top reasons")
    rows = []
    raised = {(alarm["stage"], alarm["source"]) for alarm in manifest["alarms"]}
    for row in manifest["funnel"]:
        stage, parts = row["stage"], row["by_source"]
        split = len(parts) > 1
        loud = (stage, None) in raised or (not split and any((stage, s) in raised for s in parts))
        rows.append(_row(stage, row, loud))
        if split:
            rows += [_row(f"  {s}", counts, (stage, s) in raised) for s, counts in parts.items()]
    width = len(header) - 1
    plain = table(header[:width], [row[:width] for row in rows]).split("\n")
    reasons = [header[width], *(row[width] for row in rows)]
    return "\n".join(f"{a}  {b}".rstrip() for a, b in zip(plain, reasons, strict=True))


def _row(name: str, counts: dict[str, Any], loud: bool) -> tuple[str, ...]:
    before, after = counts["documents_in"], counts["documents_out"]
    kept = f"{after / before:.1%}" if before else "-"
    top = list(counts["reasons"].items())[:TOP_REASONS]
    return (
        f"{name} !" if loud else name,
        f"{before:,}",
        f"{after:,}",
        kept,
        f"{counts['bytes_out'] / 1e6:,.2f}",
        f"{counts['removed_chars']:,}",
        f"{counts['seconds']:.1f}",
        ", ".join(f"{reason} {count:,}" for reason, count in top),
    )


def sources_text(manifest: dict[str, Any]) -> str:
    """What was read: files, documents, records skipped and errors, per source."""
    lines = []
    for source in manifest["sources"]:
        skipped = ", ".join(f"{count:,} {kind}" for kind, count in source["skipped"].items())
        line = (
            f"{source['name']}: {source['documents']:,} documents from {source['files']:,} files"
            f" ({source['bytes'] / 1e6:,.1f} MB)"
        )
        line += f"; {source['errors']:,} errors" if source["errors"] else ""
        lines.append(line + (f"; skipped {skipped}" if skipped else ""))
    return "\n".join(lines)

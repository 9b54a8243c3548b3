"""The journey of one document: every rule, measured value, threshold and verdict, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds

from curation.errors import UserError
from curation.files import read_json
from pipelines.duplicates import Cluster, cluster_of, cluster_text, find

SHOWN_DUPLICATES = 20
MAX_CHARS = 60  # of a threshold on the terminal


@dataclass(frozen=True)
class Verdict:
    """One rule, or one stage without rules, as this document met it."""

    stage: str
    rule: str
    value: str | None
    threshold: str | None
    verdict: str  # keep, drop, off, not asked, not reached, applied


@dataclass(frozen=True)
class Journey:
    """What one recipe did with a document."""

    recipe: str
    id: str
    outcome: str  # `kept`, or `dropped by <stage>: <reason>`
    document: dict[str, Any]
    verdicts: list[Verdict]
    duplicates: list[str]  # ids of documents that went because this one stayed
    cluster: Cluster | None = None  # of a document that went as a duplicate

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def explain(folder: Path, document_id: str) -> list[Journey]:
    """The journeys of a document through the recipes of an output folder (or one recipe's).

    Raises:
        UserError: the folder holds no finished dataset, or no recipe has read the document.
    """
    homes = recipe_folders(folder)
    journeys = [j for home in homes if (j := _journey(home, document_id)) is not None]
    if not journeys:
        read = ", ".join(home.name for home in homes)
        raise UserError(
            f"no document '{document_id}' in {read}",
            where=str(folder),
            hint="Ids are in the `id` column of dataset/ and dropped/; quote them in the shell",
        )
    return journeys


def recipe_folders(folder: Path) -> list[Path]:
    """The folders of finished recipes in an output folder, or the folder itself if it is one.

    Raises:
        UserError: there is none.
    """
    found = [folder] if (folder / "dataset").is_dir() else []
    if not found and folder.is_dir():
        found = sorted(p.parent.parent for p in folder.glob("*/dataset/manifest.json"))
    if not found or not (found[0] / "dataset" / "manifest.json").exists():
        raise UserError(
            "holds no finished dataset", where=str(folder), hint="Run `tilth run RECIPE --out DIR`"
        )
    return found


def _journey(home: Path, document_id: str) -> Journey | None:
    manifest = read_json(home / "dataset" / "manifest.json")
    wanted = ds.field("id") == document_id
    for which in ("dataset", "dropped"):
        rows = find(home / which, wanted)
        if len(rows):
            row = rows.slice(0, 1).to_pylist()[0]
            outcome = "kept" if which == "dataset" else _why(row)
            copies = find(home / "dropped", ds.field("survivor_id") == document_id, ["id"])
            about = {k: row[k] for k in ("source", "url", "date", "language", "meta", "text")}
            return Journey(
                manifest["recipe"],
                document_id,
                outcome,
                about,
                list(_verdicts(manifest["stages"], row)),
                copies["id"].to_pylist(),
                cluster_of(home, row, SHOWN_DUPLICATES) if row.get("survivor_id") else None,
            )
    return None


def _why(row: dict[str, Any]) -> str:
    why = f"dropped by {row['drop_stage']}: {row['drop_reason']}"
    if row["survivor_id"] is not None:
        alike = f" (similarity {row['similarity']:.3f})" if row["similarity"] is not None else ""
        return f"{why} of {row['survivor_id']}{alike}"
    if row["drop_threshold"] is not None:
        return f"{why} (measured {row['drop_value']}, threshold {_cut(row['drop_threshold'])})"
    return f"{why} ({row['drop_value']})" if row["drop_value"] is not None else why


def _cut(threshold: str) -> str:
    """Lists may name dozens of values."""
    return threshold if len(threshold) <= MAX_CHARS else threshold[: MAX_CHARS - 3] + "..."


def _verdicts(stages: list[dict[str, Any]], row: dict[str, Any]) -> Iterator[Verdict]:
    ended = row.get("drop_stage") == "held_out"
    if ended:
        yield Verdict("held_out", "held_out", row["drop_value"], None, "drop")
    for stage in stages:
        dropped_here = row.get("drop_stage") == stage["label"]
        for rule in stage["rules"]:
            fired = dropped_here and row["drop_reason"] == rule["param"] and _is_asked(rule, row)
            fired = fired and str(row[rule["column"]]) == row["drop_value"]
            yield _verdict(stage["label"], rule, row, fired, ended)
            ended = ended or fired
        if "cuts" in stage.get("report", {}):
            yield _ranked(stage, row, dropped_here, ended)
        elif not stage["rules"]:
            state = "not reached" if ended else "drop" if dropped_here else "applied"
            reason = row["drop_reason"] if dropped_here else stage["kind"]
            value, limit = (
                (row["drop_value"], row["drop_threshold"])
                if dropped_here
                else (_added(stage, row), None)
            )
            yield Verdict(stage["label"], reason, value, f"< {limit}" if limit else None, state)
        ended = ended or dropped_here


def _added(stage: dict[str, Any], row: dict[str, Any]) -> str | None:
    """What a global stage that adds columns has found of a document."""
    columns = stage["columns"] if stage["kind"] == "global" else {}
    found = [f"{name.removeprefix(stage['label'] + '.')} {row[name]}" for name in columns]
    return ", ".join(found) if all(row[name] is not None for name in columns) and found else None


def _is_asked(rule: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether the rule is about this document."""
    when = rule.get("when")
    return when is None or (row[when["column"]] in when["values"]) != when["inverted"]


def _verdict(
    label: str, rule: dict[str, Any], row: dict[str, Any], fired: bool, ended: bool
) -> Verdict:
    value = row[rule["column"]]
    sign = {"min": ">=", "max": "<="}.get(rule["bound"], rule["bound"])
    off = rule["threshold"] is None
    threshold = None if off else f"{sign} {rule['threshold']}"
    shown = f"{value:.4g}" if isinstance(value, float) else None if value is None else str(value)
    # Rules after the one that fired were measured with it, but did not decide.
    asked = "keep" if _is_asked(rule, row) else "not asked"
    state = "drop" if fired else "off" if off else "not reached" if ended else asked
    return Verdict(label, f"{rule['param']} ({rule['column']})", shown, threshold, state)


def _ranked(stage: dict[str, Any], row: dict[str, Any], dropped: bool, ended: bool) -> Verdict:
    """How a document stood against the cut of its group, in a stage that keeps the best."""
    params, value = stage["params"], row[stage["params"]["column"]]
    cut = stage["report"]["cuts"].get(row["source"] if params["keep_by"] == "source" else "all")
    sign = ">=" if params["best"] == "highest" else "<="
    state = "not reached" if ended else "drop" if dropped else "keep"
    return Verdict(
        stage["label"],
        f"keep_frac ({params['column']})",
        None if value is None else f"{value:.4g}",
        None if cut is None else f"{sign} {float(cut):.4g}",
        state,
    )


def journey_text(journey: Journey) -> str:
    """A journey for the terminal."""
    lines = [f"{journey.recipe}: {journey.outcome}"]
    about = journey.document
    lines += [f"  {k}: {about[k]}" for k in ("source", "url", "date", "language") if about[k]]
    rows = [("stage", "rule", "value", "keeps if", "verdict")]
    rows += [
        (v.stage, v.rule, v.value or "", _cut(v.threshold or ""), v.verdict)
        for v in journey.verdicts
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines += [
        "  " + "  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows
    ]
    if journey.cluster:
        lines += cluster_text(journey.cluster)
    if journey.duplicates:
        shown = ", ".join(journey.duplicates[:SHOWN_DUPLICATES])
        lines.append(f"  stayed for {len(journey.duplicates)} duplicates: {shown}")
    text = (about["text"] or "").strip().replace("\n", " ")
    lines.append(f"  text: {text[:300]}{'...' if len(text) > 300 else ''}")
    return "\n".join(lines)

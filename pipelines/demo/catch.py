"""How much of the planted trouble a recipe caught, and how much unplanted text it dropped.

Only documents that the recipe read count, and `held_out` ones not at all. Caught means: of a
duplicate and its original at least one is gone; spam is gone; the planted address or passage no
longer stands in the document. A kind that no stage of the recipe treats is counted all the same:
some of it goes by the way, with documents dropped for other reasons.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.demo.trouble import TROUBLES

TREATED_BY: Mapping[str, frozenset[str]] = {  # the stages meant for a kind of trouble
    "exact_duplicate": frozenset({"exact_dedup", "minhash_dedup"}),
    "near_duplicate": frozenset({"minhash_dedup"}),
    "email": frozenset({"pii"}),
    "ip": frozenset({"pii"}),
    "spam": frozenset(
        {"gopher_quality", "gopher_repetition", "c4_quality", "fineweb_quality", "fasttext_score"}
    ),
    "leak": frozenset({"decontaminate"}),
}
NOT_TREATED = "not treated by this recipe"
ALL = "all"  # the sort of a row that sums up a kind

_COLUMNS = {"url": pl.String, "text": pl.String, "drop_stage": pl.String, "drop_reason": pl.String}


@dataclass(frozen=True)
class CatchRow:
    """One kind of planted trouble, or one sort of it."""

    kind: str
    sort: str
    planted: int  # in documents that the recipe read
    caught: int
    treated: bool  # whether the recipe has a stage meant for the kind
    caught_by: dict[str, int]  # dropped documents per stage; `edited` where the text lost it

    @property
    def missed(self) -> int:
        """What is still there."""
        return self.planted - self.caught

    @property
    def caught_frac(self) -> float | None:
        """The caught share; None where the recipe does not treat the kind or none was planted."""
        return self.caught / self.planted if self.treated and self.planted else None

    def to_dict(self) -> dict[str, object]:
        """The row as JSON types."""
        more = {"missed": self.missed, "caught_frac": self.caught_frac}
        return dataclasses.asdict(self) | more


@dataclass(frozen=True)
class Collateral:
    """Unplanted documents that one stage dropped."""

    stage: str
    documents: int
    documents_frac: float  # of all unplanted documents that were read
    text_bytes: int  # 0 where a recipe keeps no dropped text
    bytes_frac: float

    def to_dict(self) -> dict[str, object]:
        """The row as JSON types."""
        return dataclasses.asdict(self)


def catch_table(
    truth: Path, dataset: Path, dropped: Path, stages: Collection[str]
) -> list[CatchRow]:
    """Rows per kind (`sort` is `all`) and per sort, in the order of the kinds.

    Args:
        truth: `truth.parquet` of the corpus.
        dataset: folder of the Parquet shards of a finished recipe.
        dropped: folder of the shards of what it dropped.
        stages: names of the recipe's stages.
    """
    judged = _judge(pl.read_parquet(truth), _read(dataset), _read_dropped(dropped)).to_dicts()
    rows = []
    for kind in TROUBLES:
        of_kind = [row for row in judged if row["kind"] == kind]
        treated = not TREATED_BY[kind].isdisjoint(stages)
        rows.append(_count(kind, ALL, of_kind, treated))
        for sort in sorted({row["sort"] for row in of_kind}):
            of_sort = [row for row in of_kind if row["sort"] == sort]
            rows.append(_count(kind, sort, of_sort, treated))
    return rows


def collateral_table(truth: Path, dataset: Path, dropped: Path) -> list[Collateral]:
    """Unplanted text that was dropped: in all, then per stage from the most documents down.

    A duplicate's original is not counted: dropping it in place of the copy is no harm.
    """
    labels = pl.read_parquet(truth)
    spoken_for = pl.concat([labels["url"], labels["original_url"]]).drop_nulls().unique().to_list()
    frames = [_read(dataset), _read_dropped(dropped)]
    unplanted = pl.concat(frames).filter(~pl.col("url").is_in(spoken_for))
    sizes = unplanted.select("drop_stage", size=pl.col("text").str.len_bytes().fill_null(0))
    gone = sizes.drop_nulls("drop_stage")
    by_stage = gone.group_by("drop_stage").agg(pl.len().alias("n"), pl.col("size").sum())
    parts = [(ALL, len(gone), int(gone["size"].sum()))]
    parts += by_stage.sort(["n", "drop_stage"], descending=[True, False]).rows()
    n, size = max(len(sizes), 1), max(int(sizes["size"].sum()), 1)
    return [Collateral(stage, k, k / n, lost, lost / size) for stage, k, lost in parts]


def catch_text(rows: Iterable[CatchRow], collateral: Iterable[Collateral] = ()) -> str:
    """The tables as plain text."""
    lines = [f"{'planted trouble':<26}{'planted':>8}{'caught':>8}{'missed':>8}  share caught"]
    for row in rows:
        name = row.kind if row.sort == ALL else f"  {row.sort}"
        share = NOT_TREATED if row.caught_frac is None else f"{row.caught_frac:.1%}"
        lines.append(f"{name:<26}{row.planted:>8}{row.caught:>8}{row.missed:>8}  {share}")
    for loss in collateral:
        name = "unplanted text dropped" if loss.stage == ALL else f"  by {loss.stage}"
        share = f"{loss.documents_frac:.1%} of documents, {loss.bytes_frac:.1%} of bytes"
        lines.append(f"{name:<26}{loss.documents:>8}{'':>16}  {share}")
    return "\n".join(lines)


def _count(kind: str, sort: str, judged: list[dict[str, object]], treated: bool) -> CatchRow:
    caught_by = Counter(str(row["by"]) for row in judged if row["is_caught"])
    return CatchRow(
        kind, sort, len(judged), caught_by.total(), treated, dict(sorted(caught_by.items()))
    )


def _read(folder: Path) -> pl.DataFrame:
    """The columns of `_COLUMNS`, null where the shards lack them; no shards give no rows."""
    frames = [_read_shard(path) for path in sorted(folder.glob("*.parquet"))]
    return pl.concat([pl.DataFrame(schema=_COLUMNS), *frames])


def _read_shard(path: Path) -> pl.DataFrame:
    there = set(pl.read_parquet_schema(path))
    frame = pl.read_parquet(path, columns=[name for name in _COLUMNS if name in there])
    absent = [pl.lit(None, kind).alias(name) for name, kind in _COLUMNS.items()]
    missing = [column for column in absent if column.meta.output_name() not in there]
    return frame.with_columns(missing).select(*_COLUMNS)


def _read_dropped(folder: Path) -> pl.DataFrame:
    return _read(folder).filter(pl.col("drop_reason").ne_missing("held_out"))


def _judge(truth: pl.DataFrame, kept: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    """The truth of documents that were read, with `is_caught` and `by`."""
    stage = dict(gone.select("url", "drop_stage").iter_rows())
    text = dict(kept.select("url", "text").iter_rows())
    truth = truth.filter(pl.col("url").is_in([*stage, *text]))
    verdicts = [_verdict(row, stage, text) for row in truth.iter_rows(named=True)]
    by = pl.Series("by", verdicts, dtype=pl.String)
    return truth.with_columns(by).with_columns(is_caught=pl.col("by").is_not_null())


def _verdict(
    row: Mapping[str, str | None], stage: Mapping[str, str], text: Mapping[str, str]
) -> str | None:
    """What caught a planted thing: a stage, `edited`, or None."""
    url, original, value = row["url"] or "", row["original_url"], row["value"]
    if url in stage:
        return stage[url]
    if value is not None:
        is_there = url in text and value in " ".join(text[url].split())
        return None if is_there else "edited"
    return stage.get(original) if original else None

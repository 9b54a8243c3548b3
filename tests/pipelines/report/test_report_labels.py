"""The report's section on labels: counts by source and fate, of columns that hold labels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.backends import InlineBackend
from curation.document import conform, dataset_schema, dropped_schema
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.report import write_report
from pipelines.report.labels import MAX_LABELS, MAX_ROWS, MAX_SOURCES, count_labels, label_columns
from pipelines.report.results import load_results
from pipelines.run import run
from tests.corpora import prose, write_jsonl, write_yaml

Row = dict[str, Any]
KINDS = {"license.license": pa.string(), "language.score": pa.float64()}
LANGUAGE = {"label": "language", "rules": [{"param": "keep", "column": "language"}]}


def folder_of(
    home: Path, kept: Iterable[Row], dropped: Iterable[Row] = (), per_shard: int = 50
) -> Path:
    """A run folder of a recipe `web`, whose stages `language` and `license` gave labels."""
    for part, given, schema in (
        ("dataset", kept, dataset_schema(KINDS)),
        ("dropped", dropped, dropped_schema(KINDS)),
    ):
        rows = [{"source": "crawl", **row} for row in given]
        (home / "web" / part).mkdir(parents=True)
        for i in range(0, len(rows), per_shard):
            chunk = rows[i : i + per_shard]
            columns = {name: pa.array([row.get(name) for row in chunk]) for name in schema.names}
            path = home / "web" / part / f"{i:05d}.parquet"
            pq.write_table(conform(pa.table(columns), schema), path)
    rules = [rule | {"bound": "in", "threshold": None} for rule in LANGUAGE["rules"]]
    manifest = {
        "stages": [LANGUAGE | {"rules": rules}],
        "annotations": {name: str(kind) for name, kind in KINDS.items()},
    }
    (home / "web/dataset/manifest.json").write_text(json.dumps(manifest))
    return home


def licensed(*labels: str | None, **fields: Any) -> list[Row]:
    return [{"license.license": label, **fields} for label in labels]


def section(folder: Path) -> str:
    page = write_report(folder).read_text("utf-8")
    start = page.find('<section id="labels">')
    return page[start : page.find("</section>", start)] if start >= 0 else ""


def rows_of(markup: str, column: str) -> list[list[str]]:
    """The cells of a column's table, the header first, without markup."""
    start = markup.index(f"<caption>{column}, in documents</caption>")
    grid = markup[start : markup.index("</table>", start)]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in grid.split("<tr>")[1:]]
    return [[re.sub(r"<[^>]*>", "", cell) for cell in row] for row in cells]


def test_labels_are_counted_by_fate_and_source(tmp_path: Path) -> None:
    kept = [*licensed("MIT", "MIT", "none"), *licensed("MIT", source="docs")]
    gone = [*licensed("none"), *licensed("none", source="docs"), *licensed(None)]
    assert rows_of(section(folder_of(tmp_path, kept, gone)), "license.license") == [
        ["label", "read", "kept", "dropped", "share kept", "read, crawl", "read, docs"],
        ["MIT", "3", "3", "0", "100 %", "2", "1"],
        ["none", "3", "1", "2", "33.3 %", "2", "1"],
        ["not reached", "1", "0", "1", "0 %", "1", "0"],
    ]


def test_labels_of_documents_that_the_language_stage_did_not_see_are_not_its_own(
    tmp_path: Path,
) -> None:
    kept = [{"language": "en", "language.score": 0.9}]
    gone = [{"language": "de", "language.score": 0.8}, {"language": "xx"}, {"language": None}]
    found = rows_of(section(folder_of(tmp_path, kept, gone)), "language")
    assert [row[:4] for row in found[1:]] == [
        ["de", "1", "0", "1"],
        ["en", "1", "1", "0"],
        ["not reached", "2", "0", "2"],
    ]


def test_language_that_no_stage_fills_is_no_label() -> None:
    rule = {"param": "min_score", "column": "language.score"}
    manifest = {
        "stages": [{"label": "language", "rules": [rule]}],
        "annotations": {"a.b": "string"},
    }
    assert label_columns(manifest) == {"a.b": "a.b"}


def test_language_is_told_by_a_column_of_the_stage_that_fills_it() -> None:
    annotations = {"as.x.score": "double", "as.score": "double", "url.url_status": "string"}
    manifest = {"stages": [LANGUAGE | {"label": "as"}], "annotations": annotations}
    assert label_columns(manifest) == {"language": "as.score", "url.url_status": "url.url_status"}


def test_labels_beyond_the_most_frequent_share_a_row(tmp_path: Path) -> None:
    frequent = [f"l{i:02d}" for i in range(MAX_ROWS)]
    kept = licensed(*frequent, *frequent, "rare-a", "rare-b", "rare-b")
    found = rows_of(section(folder_of(tmp_path, kept, per_shard=7)), "license.license")
    assert [row[0] for row in found[1:]] == [*frequent, "2 other labels"]
    assert found[-1][1:4] == ["3", "3", "0"]


@pytest.mark.parametrize("extra", [0, 1])
def test_columns_of_too_many_labels_are_skipped_and_named(tmp_path: Path, extra: int) -> None:
    kept = licensed(*(f"v{i}" for i in range(MAX_LABELS)), None)
    gone = licensed(*(f"w{i}" for i in range(extra)), None)
    found = section(folder_of(tmp_path, kept, gone))
    told = f"Not shown, with more than {MAX_LABELS} distinct values each: license.license."
    assert (told in found) == bool(extra)
    assert ("license.license, in documents" in found) != bool(extra)


def test_labels_do_not_depend_on_shards(tmp_path: Path) -> None:
    rows = [row for i in range(90) for row in licensed(f"v{i % 7}", source=f"s{i % 2}")]
    one, many = (folder_of(tmp_path / str(n), rows, rows, n) for n in (200, 4))
    counts = [
        count_labels(load_results(f).recipes[0], *["license.license"] * 2) for f in (one, many)
    ]
    assert counts[0] == counts[1]
    assert counts[0] is not None
    assert counts[0].total() == 180


def test_labels_of_many_sources_sum_the_small_ones(tmp_path: Path) -> None:
    kept = [
        row
        for i in range(MAX_SOURCES + 2)
        for row in licensed("MIT", source=f"s{i}") * (20 if i < MAX_SOURCES else 1)
    ]
    header, row = rows_of(section(folder_of(tmp_path, kept)), "license.license")
    assert header[-2:] == [f"read, s{MAX_SOURCES - 1}", "read, 2 other sources"]
    assert row[-2:] == ["20", "2"]


def test_labels_and_sources_are_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\u202e\x00"
    labels = [hostile, "", " ", "not reached", "x" * 5_000, "</th></table><img src=x onerror=a>"]
    found = section(folder_of(tmp_path, licensed(*labels, source="<b>s</b>\"'&")))
    assert "<script" not in found
    assert "<img" not in found
    assert "&lt;script&gt;alert(1)&lt;/script&gt;‹U+202E›␀</th>" in found
    assert "read, &lt;b&gt;s&lt;/b&gt;&quot;&#x27;&amp;</th>" in found
    assert found.count('<span class="note">blank</span>') == 2
    # A label that says so is not the row of documents without one.
    assert '<th scope="row">not reached</th>' in found
    assert '<span class="note">not reached</span>' not in found
    assert f"{'x' * 120}…" in found
    assert "x" * 121 not in found


def test_columns_without_any_label_are_left_out(tmp_path: Path) -> None:
    assert section(folder_of(tmp_path, licensed(None, None))) == ""


def test_labels_that_shards_do_not_have_are_not_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, licensed("MIT"))
    older = conform(pa.table({"source": ["crawl"]}), dataset_schema({}))
    pq.write_table(older, folder / "web/dataset/99999.parquet")
    found = rows_of(section(folder), "license.license")
    assert [row[:2] for row in found[1:]] == [["MIT", "1"]]


def test_report_without_labels_has_no_section(make_example: Callable[..., Path]) -> None:
    assert section(make_example({"raw": 0.0})) == ""


def test_labels_of_a_real_run_add_up_to_what_was_read(tmp_path: Path) -> None:
    given = zip(["MIT", "CC-BY-4.0", None, "MIT"] * 2, ["https://a.org/", None] * 4, strict=True)
    rows = [
        {"id": f"d{i}", "text": prose(i), "license": licence, "url": url}
        for i, (licence, url) in enumerate(given)
    ]
    rows.append({"id": "copy", "text": prose(0), "language": "en"})
    rows.append({"id": "foreign", "text": "Der Bauer pflügt früh am Morgen den Boden. " * 9})
    write_jsonl(tmp_path / "docs.jsonl", rows)
    keys = {"name": "web", "sources": [{"name": "docs", "format": "jsonl", "path": "docs.jsonl"}]}
    stages = ["exact_dedup", "language", {"url": {"block_words": ["casino"]}}, "license"]
    path = write_yaml(tmp_path / "web.yaml", keys | {"curate": stages})
    run([load_recipe(path)], tmp_path / "out", InlineBackend(), silent, "dataset")
    found = section(tmp_path / "out")
    tables = {
        column: {row[0]: row[1:4] for row in rows_of(found, column)[1:]}
        for column in ("language", "license.license", "license.found_in", "url.url_status")
    }
    lost = {"not reached": ["2", "0", "2"]}  # the copy and what is not English
    assert tables == {
        "language": {
            "en": ["8", "8", "0"],
            "de": ["1", "0", "1"],
            "not reached": ["1", "0", "1"],
        },
        "license.license": {
            "MIT": ["4", "4", "0"],
            "CC-BY-4.0": ["2", "2", "0"],
            "none": ["2", "2", "0"],
            **lost,
        },
        "license.found_in": {"meta": ["6", "6", "0"], "none": ["2", "2", "0"], **lost},
        "url.url_status": {"missing": ["4", "4", "0"], "ok": ["4", "4", "0"], **lost},
    }

"""Catch and collateral on a small dataset with known answers."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from pipelines.demo.catch import ALL, catch_table, catch_text, collateral_table
from pipelines.demo.corpus import HELD_OUT_FRAC, TRUTH_SCHEMA
from pipelines.demo.recipes import JUDGE, RECIPES, write_recipes

TRUTH = [
    ("copy1", "exact_duplicate", "same_site", "orig1", None),  # the copy went
    ("copy2", "exact_duplicate", "other_site", "orig2", None),  # the original went
    ("copy3", "exact_duplicate", "other_site", "orig3", None),  # both stayed
    ("near", "near_duplicate", "words_edited", "orig3", None),  # both stayed
    ("mail1", "email", "plain", None, "a@example.com"),  # edited out
    ("mail2", "email", "plain", None, "b@example.com"),  # still there, across a line end
    ("mail3", "email", "tagged", None, "c@example.com"),  # the document went
    ("spam", "spam", "doorway", None, None),  # stayed
    ("leak", "leak", "sentences", "panel", "said in a panel"),  # stayed
    ("unread", "leak", "sentences", "panel", "said in a panel"),  # not in this recipe's sources
]
KEPT = [
    ("copy2", "two"),
    ("copy3", "three"),
    ("orig1", "one"),
    ("orig3", "three"),
    ("near", "threes"),
    ("mail1", "write to email@example.com"),
    ("mail2", "write to b@example.com now"),
    ("spam", "buy"),
    ("leak", "it was said\nin a panel before"),
    ("clean1", "12345678"),
]
DROPPED = [
    ("copy1", "one", "exact_dedup", "duplicate"),
    ("orig2", "two", "exact_dedup", "duplicate"),
    ("mail3", "c@example.com", "gopher_quality", "min_words"),
    ("clean2", "1234", "gopher_quality", "min_words"),
    ("clean3", None, "gopher_repetition", "max_dup_line_frac"),
    ("panel", "said in a panel", "hold_out", "held_out"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("dataset", "dropped"):
        (tmp_path / name).mkdir()
    pl.DataFrame(TRUTH, schema=TRUTH_SCHEMA.names, orient="row").write_parquet(
        tmp_path / "truth.parquet"
    )
    kept = pl.DataFrame(KEPT, schema=["url", "text"], orient="row")
    kept.head(4).write_parquet(tmp_path / "dataset" / "0.parquet")
    kept.tail(-4).write_parquet(tmp_path / "dataset" / "1.parquet")
    gone = pl.DataFrame(DROPPED, schema=["url", "text", "drop_stage", "drop_reason"], orient="row")
    gone.write_parquet(tmp_path / "dropped" / "0.parquet")
    return tmp_path


def paths(folder: Path) -> tuple[Path, Path, Path]:
    return folder / "truth.parquet", folder / "dataset", folder / "dropped"


def test_catch_table_known_answers(folder: Path) -> None:
    rows = catch_table(*paths(folder), stages=["gopher_quality", "exact_dedup", "pii"])
    found = {(r.kind, r.sort): (r.planted, r.caught, r.caught_frac, r.caught_by) for r in rows}
    assert found == {
        ("exact_duplicate", ALL): (3, 2, 2 / 3, {"exact_dedup": 2}),
        ("exact_duplicate", "other_site"): (2, 1, 0.5, {"exact_dedup": 1}),
        ("exact_duplicate", "same_site"): (1, 1, 1.0, {"exact_dedup": 1}),
        ("near_duplicate", ALL): (1, 0, None, {}),
        ("near_duplicate", "words_edited"): (1, 0, None, {}),
        ("email", ALL): (3, 2, 2 / 3, {"edited": 1, "gopher_quality": 1}),
        ("email", "plain"): (2, 1, 0.5, {"edited": 1}),
        ("email", "tagged"): (1, 1, 1.0, {"gopher_quality": 1}),
        ("ip", ALL): (0, 0, None, {}),
        ("spam", ALL): (1, 0, 0.0, {}),
        ("spam", "doorway"): (1, 0, 0.0, {}),
        ("leak", ALL): (1, 0, None, {}),
        ("leak", "sentences"): (1, 0, None, {}),
    }


def test_untreated_kind_is_counted_but_has_no_share(folder: Path) -> None:
    rows = catch_table(*paths(folder), stages=["html_text"])
    email = next(row for row in rows if row.kind == "email" and row.sort == ALL)
    assert email.to_dict() == {
        "kind": "email",
        "sort": ALL,
        "planted": 3,
        "caught": 2,
        "missed": 1,
        "caught_frac": None,
        "treated": False,
        "caught_by": {"edited": 1, "gopher_quality": 1},
    }


def test_collateral_counts_only_unplanted_documents(folder: Path) -> None:
    rows = collateral_table(*paths(folder))
    assert [(r.stage, r.documents, r.text_bytes) for r in rows] == [
        (ALL, 2, 4),
        ("gopher_quality", 1, 4),
        ("gopher_repetition", 1, 0),
    ]
    assert rows[0].documents_frac == pytest.approx(2 / 3)
    assert rows[0].bytes_frac == pytest.approx(4 / 12)


def test_catch_text_says_what_is_not_treated(folder: Path) -> None:
    rows = catch_table(*paths(folder), stages=["exact_dedup"])
    lines = catch_text(rows, collateral_table(*paths(folder))).splitlines()
    assert any("66.7%" in line and line.startswith("exact_duplicate") for line in lines)
    untreated = [line for line in lines if line.endswith("not treated by this recipe")]
    assert {line.split()[0] for line in untreated} >= {"near_duplicate", "email", "spam", "leak"}
    assert lines[-1].split()[:2] == ["by", "gopher_repetition"]


def test_recipe_that_dropped_nothing_has_no_shards(folder: Path) -> None:
    (folder / "dropped" / "0.parquet").unlink()
    rows = catch_table(*paths(folder), stages=["pii"])
    assert {row.kind: row.planted for row in rows if row.sort == ALL}["email"] == 2
    assert [row.documents for row in collateral_table(*paths(folder))] == [0]


def test_recipes_are_copied_and_agree_with_the_corpus(tmp_path: Path) -> None:
    written = write_recipes(tmp_path)
    assert [path.name for path in written] == list(RECIPES)
    raw, curated = (yaml.safe_load(path.read_text("utf-8")) for path in written)
    judge = yaml.safe_load((tmp_path / JUDGE).read_text("utf-8"))
    assert raw["sources"] == curated["sources"]
    assert raw["judge"] == curated["judge"] == JUDGE
    assert {panel["frac"] for panel in judge["panels"]} == {HELD_OUT_FRAC}

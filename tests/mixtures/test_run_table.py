"""Tables of measured runs: what is read from which columns, and every mistake by its place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.errors import UserError
from mixtures.columns import Columns, owner, short_names
from mixtures.run_table import Reading, RunTable, read_like, read_runs
from tests.corpora import SHARED

GOOD = "run,weights.web,weights.code,loss.web\na,0.25,0.75,3.5\nb,0.5,0.5,3.25\n"


def table(folder: Path, text: str, name: str = "runs.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def read(path: Path, apart: Path | None = None, **columns: tuple[str, ...]) -> RunTable:
    return read_runs(path, apart, Reading(columns=Columns(**columns)))


def refused(
    path: Path, *parts: str, losses: Path | None = None, how: Reading | None = None
) -> None:
    """Reading fails, and the message has all the parts."""
    with pytest.raises(UserError) as caught:
        read_runs(path, losses, how or Reading())
    for part in parts:
        assert part in str(caught.value)


def test_weights_and_losses_are_told_by_their_names(tmp_path: Path) -> None:
    found = read(table(tmp_path, GOOD))
    assert found.domains == ("weights.web", "weights.code")
    assert found.targets == ("loss.web",)
    assert found.keys == ("a", "b")
    assert found.weights.tolist() == [[0.25, 0.75], [0.5, 0.5]]
    assert found.column("loss.web").tolist() == [3.5, 3.25]
    assert (found.read, found.notes) == (2, ())


def test_losses_are_told_by_endings_and_weights_are_the_rest(tmp_path: Path) -> None:
    text = "id,web,code,seed,train_loss,web_bpb\n1,0.2,0.8,0,9,1.5\n2,0.6,0.4,0,9,1.25\n"
    with pytest.raises(UserError, match="sum to 10, not to 1"):  # train_loss is no held-out loss
        read(table(tmp_path, text))
    found = read(table(tmp_path, text), weights=("web", "code"))
    assert (found.domains, found.targets) == (("web", "code"), ("web_bpb",))


def test_patterns_decide(tmp_path: Path) -> None:
    text = "w_a,w_b,other,err\n0.5,0.5,7,2\n0.25,0.75,8,3\n"
    found = read(table(tmp_path, text), weights=("w_*",), losses=("err",))
    assert (found.domains, found.targets, found.keys) == (("w_a", "w_b"), ("err",), ("2", "3"))
    with pytest.raises(UserError, match=r"no column fits 'w_c'\. Did you mean 'w_"):
        read(table(tmp_path, text), weights=("w_c",), losses=("err",))


def test_two_files_are_joined_by_the_column_that_both_have(tmp_path: Path) -> None:
    mixtures = table(tmp_path, "index,web,code\n2,1,0\n1,0.5,0.5\n", "mixtures.csv")
    losses = table(tmp_path, "index,a,b\n1,3,4\n2,5,6\n", "losses.csv")
    found = read(mixtures, losses)
    assert (found.keys, found.targets) == (("2", "1"), ("a", "b"))
    assert found.losses.tolist() == [[5, 6], [3, 4]]


def test_other_formats_read_alike(tmp_path: Path) -> None:
    rows = [
        {"run": "a", "weights": {"web": 0.25, "code": 0.75}, "loss": {"web": 3.5}},
        {"run": "b", "weights": {"web": 0.5, "code": 0.5}, "loss": {"web": 3.25}},
    ]
    lines = table(tmp_path, "\n".join(map(json.dumps, rows)), "runs.jsonl")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "runs.parquet")
    tabs = table(tmp_path, GOOD.replace(",", "\t"), "runs.tsv")
    expected = read(table(tmp_path, "\ufeff" + GOOD.replace("\n", "\r\n")))
    for path in (lines, tmp_path / "runs.parquet", tabs):
        found = read(path)
        assert (found.domains, found.targets) == (expected.domains, expected.targets)
        assert np.array_equal(found.weights, expected.weights)
        assert np.array_equal(found.losses, expected.losses)


def test_unfinished_runs_are_left_out_and_counted(tmp_path: Path) -> None:
    text = (
        "run,state,weights.a,weights.b,panels.x.bpb,train.final_loss\n"
        "r1,done,0.5,0.5,3,8\nr2,failed,0.5,0.5,,\nr3,waiting,1,0,,\nr4,done,1,,4,8\n"
    )
    found = read(table(tmp_path, text))
    assert (found.keys, found.read, found.targets) == (("r1", "r4"), 4, ("panels.x.bpb",))
    assert set(found.notes) == {
        "1 rows left out: state is failed",
        "1 rows left out: state is waiting",
        "1 empty weights taken as 0",
    }


def test_rows_are_chosen_by_a_column(tmp_path: Path) -> None:
    text = "run,preset,weights.a,weights.b,loss.x\n1,s,0,1,3\n2,xs,0,1,4\n3,s,1,0,5\n"
    path = table(tmp_path, text)
    refused(path, "column 'preset'", "s (2 rows), xs (1 rows)", "--where preset=s")
    found = read_runs(path, None, Reading(only={"preset": "s"}))
    assert (found.keys, found.notes) == (("1", "3"), ("1 rows left out: preset is not s",))
    refused(path, "none of the 3 rows is left", how=Reading(only={"preset": "m"}))
    refused(path, "no column 'presets'", "'preset'", how=Reading(only={"presets": "s"}))


def test_rounded_weights_are_scaled_and_said_to_be(tmp_path: Path) -> None:
    inside = GOOD.replace("0.25,0.75", "0.2505,0.7505")  # two weights, each off by 5e-4
    found = read(table(tmp_path, inside))
    assert found.weights.sum(1).tolist() == pytest.approx([1, 1], abs=1e-15)
    assert found.notes == (
        "1 rows scaled to sum to 1, their weights are rounded: off by up to 0.001",
    )
    outside = table(tmp_path, GOOD.replace("0.25,0.75", "0.2506,0.7506"))
    refused(outside, "sum to 1.0012, not to 1", "row 2, columns 'weights.web' to 'weights.code'")


def test_normalize_takes_counts(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD.replace("0.25,0.75", "100,300"))
    refused(path, "sum to 400, not to 1", "--normalize")
    found = read_runs(path, None, Reading(normalize=True))
    assert found.weights[0].tolist() == [0.25, 0.75]
    assert found.notes == ("1 rows scaled to sum to 1, as asked: off by up to 399",)
    zero = table(tmp_path, GOOD.replace("0.25,0.75", "0,0"))
    refused(zero, "sum to 0", how=Reading(normalize=True))
    empty = table(tmp_path, GOOD.replace("0.25,0.75", ",300"))
    refused(empty, "row 2, column 'weights.web'", "is empty", how=Reading(normalize=True))


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("-0.25", "a weight is negative: -0.25"),
        ("nan", "is nan"),
        ("inf", "is inf"),
        ("much", "must be a number. Got 'much'."),
        ("25%", "Write shares as numbers in [0, 1]."),
        ("1_0", "must be a number. Got '1_0'."),
    ],
)
def test_weight_that_is_none_is_told_by_its_place(tmp_path: Path, cell: str, told: str) -> None:
    path = table(tmp_path, GOOD.replace("a,0.25", f"a,{cell}"))
    refused(path, f"{path}: row 2, column 'weights.web'", told)


@pytest.mark.parametrize(
    ("cell", "told"),
    [("", "is empty"), ("NaN", "is nan"), ('"3,25"', "decimal point"), ("div", "must be a number")],
)
def test_loss_that_is_none_is_told_by_its_place(tmp_path: Path, cell: str, told: str) -> None:
    path = table(tmp_path, GOOD.replace("0.5,3.25", f"0.5,{cell}"))
    refused(path, f"{path}: row 3, column 'loss.web'", told)


def test_keys_are_different(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD.replace("\nb,", "\na,"))
    refused(path, f"{path}: row 3, column 'run'", "'a' is the key of row 2 too", "--key A,B")
    seeds = "run,seed,weights.a,weights.b,loss\na,0,1,0,3\na,1,1,0,4\n"
    assert read(table(tmp_path, seeds), key=("run", "seed")).keys == ("a/0", "a/1")
    refused(table(tmp_path, GOOD.replace("\nb,", "\n,")), "row 3, column 'run'", "is empty")


def test_both_files_have_the_same_runs(tmp_path: Path) -> None:
    mixtures = table(tmp_path, "index,web,code\n1,1,0\n2,0.5,0.5\n", "mixtures.csv")
    few = table(tmp_path, "index,a\n1,3\n", "losses.csv")
    refused(mixtures, f"{few}: column 'index'", "1 keys of", "are missing: 2", losses=few)
    more = table(tmp_path, "index,a\n1,3\n2,4\n3,5\n", "losses.csv")
    refused(mixtures, f"{mixtures}: column 'index'", "are missing: 3", losses=more)
    twice = table(tmp_path, "index,a\n1,3\n2,4\n2,5\n", "losses.csv")
    refused(mixtures, f"{twice}: row 4", "'2' is the key of row 3 too", losses=twice)


def test_files_need_a_common_column(tmp_path: Path) -> None:
    mixtures = table(tmp_path, "index,web,code\n1,1,0\n", "mixtures.csv")
    other = table(tmp_path, "number,a\n1,3\n", "losses.csv")
    refused(mixtures, "have no column in common", "--key", losses=other)
    how = Reading(columns=Columns(key=("index",)))
    refused(mixtures, f"{other}: has no column 'index'", losses=other, how=how)


def test_table_without_losses_or_with_one_weight_is_refused(tmp_path: Path) -> None:
    refused(table(tmp_path, "run,web,code\n1,0.5,0.5\n"), "no column of losses", "run, web, code")
    refused(table(tmp_path, "run,web,loss\n1,1,3\n"), "two weights or more, found 1: web")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("run,a,b,loss\n", "has no rows"),
        ("run,a,a,loss\n1,2,3,4\n", "2 columns are named 'a'"),
        ("run,,b,loss\n1,2,3,4\n", "a column has no name"),
        ("run,a,b,loss\n1,0.5,0.5\n", "row 2: has 3 cells, the header 4"),
        ('run,a,b,loss\n1,"0.5"x,0.5,3\n', "row 2: is damaged"),
    ],
)
def test_damaged_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    refused(table(tmp_path, text), told)


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    refused(tmp_path / "none.csv", "none.csv: cannot be read: No such file")
    refused(table(tmp_path, GOOD, "runs.xlsx"), "is no table that can be read", ".csv")
    (tmp_path / "latin.csv").write_bytes("run,a,b,loss\né,1,0,2\n".encode("latin-1"))
    refused(tmp_path / "latin.csv", "is not UTF-8 text")
    refused(table(tmp_path, '{"a": 1}\n{"a": \n', "runs.jsonl"), "row 2: is no JSON")
    refused(table(tmp_path, "[1]\n", "runs.jsonl"), "row 1: must be a JSON object")
    refused(table(tmp_path, "PAR1", "runs.parquet"), "is damaged")


def test_second_table_has_the_domains_of_the_first(tmp_path: Path) -> None:
    first = read(table(tmp_path, GOOD))
    other = table(tmp_path, "weights.code,run,weights.web\n0.1,x,0.9\n", "test.csv")
    found = read_like(first, other, None, Reading())
    assert (found.domains, found.targets, found.keys) == (first.domains, (), ("x",))
    assert found.weights.tolist() == [[0.9, 0.1]]
    assert found.losses.shape == (1, 0)
    lacking = table(tmp_path, "run,weights.web,weights.cod\nx,0.9,0.1\n", "lacking.csv")
    with pytest.raises(UserError, match=re.escape("'weights.code', a weight of the first table")):
        read_like(first, lacking, None, Reading())
    losses = table(tmp_path, "run,loss.books\nx,3\n", "losses.csv")
    with pytest.raises(UserError, match="none of the losses of the first table"):
        read_like(first, other, losses, Reading())


def test_runs_of_one_mixture_are_averaged_in_order(tmp_path: Path) -> None:
    rows = "run,a,b,loss\ns1,0.7,0.3,3\nx,0.2,0.8,9\ns2,0.7,0.3,5\n"
    found = read(table(tmp_path, rows)).means()
    assert found.keys == ("s1", "x")
    assert found.weights.tolist() == [[0.7, 0.3], [0.2, 0.8]]
    assert found.losses.tolist() == [[4], [9]]


def test_short_names_lose_what_all_begin_with() -> None:
    assert short_names(("w.web", "w.wiki")) == ("web", "wiki")
    assert short_names(("web", "wiki")) == ("web", "wiki")
    assert short_names(("a_b_c", "a_b")) == ("b_c", "b")
    assert short_names(("only_one",)) == ("one",)


@pytest.mark.parametrize(
    ("target", "domain"),
    [
        ("panels.web.bpb", "w.web"),
        ("web_val_loss", "w.web"),
        ("webby_loss", None),
        ("panels.web_news.bpb", "w.web_news"),  # the longer name
        ("mean_bpb", None),
    ],
)
def test_target_belongs_to_the_domain_that_it_names(target: str, domain: str | None) -> None:
    assert owner(target, ("w.web", "w.web_news", "w.code")) == domain


@pytest.mark.shared
def test_published_runs_are_read_as_they_are() -> None:
    folder = SHARED / "mixture_runs" / "regmix"
    found = read(folder / "train_mixture_1m.csv", folder / "train_pile_loss_1m.csv")
    assert (found.weights.shape, found.losses.shape) == ((512, 17), (512, 13))
    assert found.weights.sum(1) == pytest.approx(np.ones(512), abs=1e-12)
    assert "off by up to 0.004" in found.notes[0]
    files = folder / "test_mixture_60m.csv", folder / "test_pile_loss_60m.csv"
    unseen = read_like(found, *files, Reading())
    assert (unseen.weights.shape, unseen.targets) == ((256, 17), found.targets)
    owners = [owner(target, found.domains) for target in found.targets]
    assert None not in owners
    assert owners[8] == "train_the_pile_pile_cc"

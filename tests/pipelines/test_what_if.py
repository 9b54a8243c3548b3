"""What-if against real reruns: the same documents enter and leave at the end of the segment."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from curation.backends import InlineBackend
from curation.errors import UserError
from curation.files import read_json, write_json
from curation.parts import Part
from curation.stage import Annotations, Filter, Modifier, Rule, Trained, stages
from pipelines.cli import main
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import run
from pipelines.what_if import answer_text, curve_text, sweep, what_if
from pipelines.what_if.changes import (
    Target,
    check_variant,
    find_segment,
    parse_change,
    vary,
)
from pipelines.what_if.flows import total
from pipelines.what_if.rejudge import rejudge
from tests.corpora import prose, write_jsonl, write_yaml

Write = Callable[..., Path]
STAGES = ["language", "gopher_repetition", "gopher_quality", "exact_dedup"]
GERMAN = (
    "Der Bauer hat den Boden früh am Morgen gepflügt.",
    "Nun wartet er geduldig auf den Regen.",
    "Im Garten hinter dem Haus blühen schon die ersten Bäume.",
    "Die Kinder laufen über die Wiese zum Fluss hinunter.",
    "Am Abend sitzen alle zusammen am Tisch und erzählen Geschichten.",
    "Manchmal hört man von weitem die Glocken der kleinen Kirche.",
)
BULLET = "- one of the many items that stand in the list of the garden\n"
RANDOM_TARGETS = (
    "language.min_score",
    "gopher_repetition.max_dup_line_frac",
    "gopher_repetition.max_dup_line_char_frac",
    "gopher_repetition.max_top_2_gram_char_frac",
    "gopher_repetition.max_dup_5_gram_char_frac",
    "gopher_quality.min_words",
    "gopher_quality.min_avg_word_len",
    "gopher_quality.max_bullet_line_frac",
    "gopher_quality.min_stop_words",
)


def _text(draw: random.Random) -> str:
    """Prose of any length: some of it German, some repeated, some a list."""
    kind, length = draw.random(), draw.randint(2, 14)
    if kind < 0.1:
        return " ".join(draw.choice(GERMAN) for _ in range(length))
    parts = [prose(draw.randrange(10**9), length)]
    if kind < 0.2:
        parts.append(GERMAN[0])
    elif kind < 0.4:
        parts += [prose(draw.randrange(10**9), 1)] * draw.randint(2, 5)
    elif kind < 0.5:
        parts.append(BULLET * draw.randint(1, 12))
    return "\n".join(parts)


def _write_corpus(folder: Path) -> None:
    draw = random.Random(3)
    texts = [_text(draw) for _ in range(240)]
    for i in range(8, 240, 12):
        texts[i] = texts[i - 7]  # a copy
    rows = [{"id": f"d{i}", "text": text} for i, text in enumerate(texts)]
    write_jsonl(folder / "web.jsonl", rows[:150])
    write_jsonl(folder / "books.jsonl", rows[150:])


def _recipe(folder: Path, stages_: Sequence[Any], name: str = "r", **keys: Any) -> Path:
    sources = [
        {"name": name, "format": "jsonl", "path": f"{name}.jsonl"} for name in ("web", "books")
    ]
    value = {"name": name, "sources": sources, "curate": list(stages_), **keys}
    return write_yaml(folder / f"{name}.yaml", value)


def _run(out: Path, *files: Path) -> Path:
    run([load_recipe(file) for file in files], out, InlineBackend(), silent, "dataset")
    return out


def _rows(home: Path, which: str) -> pl.DataFrame:
    return pl.read_parquet(home / which / "*.parquet")


def _passing(home: Path, later: Sequence[str] = ("exact_dedup",)) -> set[str]:
    """Ids of what passed the segment before the stages `later`."""
    dropped = _rows(home, "dropped").filter(pl.col("drop_stage").is_in(list(later)))
    return {*_rows(home, "dataset")["id"].to_list(), *dropped["id"].to_list()}


def _predict(home: Path, *changes: str) -> tuple[set[str], set[str], set[str]]:
    """Ids that enter and were measured, that enter and were not, and that leave."""
    parsed = [parse_change(text) for text in changes]
    segment = find_segment(home, [change.target for change in parsed])
    known, unknown, leave = set[str](), set[str](), set[str]()
    for moves in rejudge(home, segment, [vary(segment, parsed)]):
        ids = moves.table["id"].to_pylist()
        for i, name in enumerate(ids):
            entering = unknown if moves.unmeasured[0, i] else known
            (leave if moves.now[i] else entering).add(name)
    return known, unknown, leave


def _changed(changes: dict[str, Any], among: Sequence[Any] = STAGES) -> list[Any]:
    """A recipe's stages with parameters set, as `{"stage.param": value}`."""
    params: dict[str, dict[str, Any]] = {}
    for target, value in changes.items():
        stage, param = target.split(".")
        params.setdefault(stage, {})[param] = value
    return [{name: params[name]} if name in params else name for name in among]


def _spell(changes: dict[str, Any]) -> list[str]:
    return [f"{target}={'null' if v is None else v}" for target, v in changes.items()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus, and `out`, where recipe `r` ran over it."""
    folder = tmp_path_factory.mktemp("what_if")
    _write_corpus(folder)
    _run(folder / "out", _recipe(folder, STAGES))
    return folder


@pytest.fixture(scope="module")
def home(folder: Path) -> Path:
    return folder / "out" / "r"


def _random_change(home: Path, seed: int) -> dict[str, Any]:
    """A parameter and one of the values that its statistic has."""
    draw = random.Random(seed)
    target = draw.choice(RANDOM_TARGETS)
    stage, param = target.split(".")
    column = f"{stage}.{'num_' if param.endswith('words') else ''}{param[4:]}"
    values = [*_rows(home, "dataset")[column], *_rows(home, "dropped")[column].drop_nulls()]
    return {target: draw.choice(values)}


def _check_against_rerun(folder: Path, home: Path, again: Path, changes: dict[str, Any]) -> int:
    """Predictions equal what a rerun does; returns how many documents moved."""
    rerun = _run(again, _recipe(folder, _changed(changes), "again")) / "again"
    before, after = _passing(home), _passing(rerun)
    known, unknown, leave = _predict(home, *_spell(changes))
    assert leave == before - after
    assert known <= after - before <= known | unknown
    [answer] = what_if(home, _spell(changes))
    entering = total(answer.enter.values())
    assert (entering.documents, entering.unmeasured) == (len(known | unknown), len(unknown))
    leaving = _rows(home, "dataset").vstack(_rows(home, "dropped").select(_columns(home)))
    size = leaving.filter(pl.col("id").is_in(list(leave)))["text"].str.len_bytes().sum()
    assert (total(answer.leave.values()).documents, total(answer.leave.values()).bytes) == (
        len(leave),
        size,
    )
    return len(known | unknown | leave)


def _columns(home: Path) -> list[str]:
    return _rows(home, "dataset").columns


@pytest.mark.parametrize("seed", [0, 2, 6, 16, 17])  # those up to 17 that are not of one kind
def test_what_if_random_change_equals_a_rerun(
    folder: Path, home: Path, tmp_path: Path, seed: int
) -> None:
    assert _check_against_rerun(folder, home, tmp_path, _random_change(home, seed)) > 0


@pytest.mark.parametrize(
    "changes",
    [
        {"language.keep": ["en", "de"]},
        {"language.keep": None, "language.min_score": None},
        {"language.min_score": 0.999, "gopher_quality.min_words": 20},
        {"gopher_repetition.max_top_2_gram_char_frac": None, "gopher_quality.max_words": 150},
        {"gopher_quality.min_words": None, "gopher_quality.min_stop_words": 6},
    ],
)
def test_what_if_chosen_changes_equal_a_rerun(
    folder: Path, home: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert _check_against_rerun(folder, home, tmp_path, changes) > 5


def test_what_if_answers_per_source_with_examples(home: Path) -> None:
    [answer] = what_if(home, ["gopher_quality.min_words=120", "gopher_quality.max_words=null"])
    known, unknown, leave = _predict(
        home, "gopher_quality.min_words=120", "gopher_quality.max_words=null"
    )
    assert not known | unknown
    assert answer.segment == ["gopher_quality"]
    assert answer.judged_later == ["exact_dedup"]
    assert answer.changes == {
        "gopher_quality.min_words": {"from": 50, "to": 120},
        "gopher_quality.max_words": {"from": 100_000, "to": None},
    }
    by_source = {
        source: len(leave & set(rows["id"].to_list()))
        for (source,), rows in _rows(home, "dataset")
        .select("id", "source")
        .vstack(_rows(home, "dropped").select("id", "source"))
        .group_by("source")
    }
    assert {s: flow.documents for s, flow in answer.leave.items()} == by_source
    assert sum(flow.documents for flow in answer.now.values()) == len(_passing(home))
    assert len(answer.examples) == 5
    assert {example.id for example in answer.examples} <= leave
    for example in answer.examples:
        assert (example.stage, example.param) == ("gopher_quality", "min_words")
        assert int(example.value) < 120 == int(example.threshold)
        assert example.text
        assert not example.enters


def test_what_if_entering_examples_tell_why_they_went(home: Path) -> None:
    [answer] = what_if(home, ["language.keep=[en, de]"])
    examples = [example for example in answer.examples if example.enters]
    assert {(e.stage, e.param, e.value, e.threshold) for e in examples} == {
        ("language", "keep", "de", "en")
    }
    assert "enter, for example:" in answer_text(answer)


def test_what_if_unchanged_value_moves_nothing(home: Path) -> None:
    [answer] = what_if(home, ["gopher_quality.min_words=50"])
    assert total([*answer.enter.values(), *answer.leave.values()]).documents == 0
    assert answer.examples == []


def test_what_if_drop_of_an_earlier_stage_stays(home: Path) -> None:
    changes = [f"gopher_quality.{p}=null" for p in stages.get("gopher_quality").decides]  # type: ignore[attr-defined]
    known, unknown, leave = _predict(home, *changes)
    dropped = _rows(home, "dropped")
    here = dropped.filter(pl.col("drop_stage") == "gopher_quality")["id"].to_list()
    assert (known, unknown, leave) == (set(here), set(), set())
    assert len(here) > 5


def test_what_if_duplicates_of_what_leaves_are_counted(home: Path) -> None:
    [answer] = what_if(home, ["gopher_quality.min_words=120"])
    _, _, leave = _predict(home, "gopher_quality.min_words=120")
    copies = _rows(home, "dropped").filter(pl.col("survivor_id").is_in(list(leave)))
    assert answer.copies_of_leavers == len(copies) > 0
    assert f"{len(copies)} documents were dropped as duplicates" in answer_text(answer)


def test_what_if_does_not_depend_on_shards(
    folder: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curation.dataset.SHARD_BYTES", 1)
    monkeypatch.setattr("curation.slices.SLICE_ROWS", 40)
    monkeypatch.setattr("pipelines.what_if.rejudge.BATCH", 5)
    monkeypatch.setattr("pipelines.what_if.rejudge._TEXT_BATCH", 3)
    split = _run(tmp_path, _recipe(folder, STAGES)) / "r"
    assert len(list(split.glob("dataset/*.parquet"))) > 5
    changes = ["gopher_quality.min_words=80", "gopher_repetition.max_top_2_gram_char_frac=null"]
    assert what_if(split, changes) == what_if(home, changes)
    assert sweep(split, "gopher_quality.min_words") == sweep(home, "gopher_quality.min_words")


def test_what_if_documents_held_out_stay_where_they_are(
    recipe: Write, judge: Path, tmp_path: Path
) -> None:
    _run(tmp_path / "out", recipe(judge="judge.yaml"))
    home = tmp_path / "out/curated"
    assert "held_out" in _rows(home, "dropped")["drop_stage"].to_list()
    decides = stages.get("gopher_repetition").decides  # type: ignore[attr-defined]
    known, unknown, leave = _predict(home, *(f"gopher_repetition.{p}=null" for p in decides))
    dropped = _rows(home, "dropped").filter(pl.col("drop_stage") == "gopher_repetition")
    assert known | unknown
    assert known | unknown <= set(dropped["id"].to_list())
    assert not leave


@dataclass(frozen=True, kw_only=True)
class Trim(Filter, Modifier):
    """Drops long texts, fails on some, and cuts what it keeps down to its first line."""

    max_chars: int | None = 700
    decides: ClassVar[tuple[str, ...]] = ("max_chars",)

    def columns(self) -> Annotations:
        return {"chars": pa.int64()}

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        return {"chars": pc.utf8_length(table["text"]).cast(pa.int64()).combine_chunks()}

    def rules(self) -> tuple[Rule, ...]:
        return (Rule("max_chars", "chars", "max", self.max_chars),)

    def edit(self, table: pa.Table) -> pa.Table:
        texts = table["text"].to_pylist()
        if any("one of the many items" in text for text in texts):
            raise ValueError("a list")
        place = table.column_names.index("text")
        first = [text.partition("\n")[0] for text in texts]
        return table.set_column(place, "text", pa.array(first, pa.string()))


def test_what_if_filter_that_edits_leaves_entrants_unmeasured(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(stages)  # scan before the stage is put in
    monkeypatch.setattr(Trim, "name", "trim", raising=False)
    monkeypatch.setitem(stages._classes, "trim", Trim)
    kept = ["trim", "gopher_quality"]
    home = _run(tmp_path / "a", _recipe(folder, kept, "r", max_error_frac=1)) / "r"
    failed = _rows(home, "dropped").filter(pl.col("drop_reason") == "error")
    assert len(failed) > 0
    for value in (400, 900, None):
        changed = _changed({"trim.max_chars": value}, kept)
        rerun = _run(tmp_path / "b", _recipe(folder, changed, "s", max_error_frac=1)) / "s"
        known, unknown, leave = _predict(home, *_spell({"trim.max_chars": value}))
        before, after = _passing(home, ()), _passing(rerun, ())
        assert known == set()
        assert after - before <= unknown
        assert leave == before - after
        assert not unknown & set(failed["id"].to_list())
        assert (len(unknown) > 5) != (len(leave) > 5)
    [answer] = what_if(home, ["trim.max_chars=900"])
    assert "before later stages here measured or edited them" in answer_text(answer)


def test_what_if_without_dropped_text_does_not_make_bytes_up(folder: Path, tmp_path: Path) -> None:
    home = _run(tmp_path, _recipe(folder, STAGES, dropped_text="none")) / "r"
    [answer] = what_if(home, ["gopher_quality.min_words=20"])
    entering = total(answer.enter.values())
    assert entering.documents > 0
    assert entering.bytes is None
    assert "?" in answer_text(answer)
    [curve] = sweep(home, "gopher_quality.min_words")
    assert total(curve.points[0].kept.values()).bytes is None
    assert total(next(p for p in curve.points if p.value == 50).kept.values()).bytes is not None
    assert "?" in curve_text(curve)


@pytest.mark.parametrize(
    "param", ["gopher_quality.min_words", "gopher_repetition.max_dup_line_frac"]
)
def test_sweep_points_are_what_what_if_answers(home: Path, param: str) -> None:
    [curve] = sweep(home, param)
    assert len(curve.points) > 8
    for point in curve.points:
        [answer] = what_if(home, _spell({param: point.value}))
        for source, kept in point.kept.items():
            now, enter, leave = (f[source] for f in (answer.now, answer.enter, answer.leave))
            assert kept.documents == now.documents + enter.documents - leave.documents
            assert kept.bytes == (now.bytes or 0) + (enter.bytes or 0) - (leave.bytes or 0)
            assert kept.unmeasured == enter.unmeasured
    kept_documents = [total(point.kept.values()).documents for point in curve.points]
    assert kept_documents == sorted(kept_documents, reverse=curve.points[0].value is None)
    [present] = [point for point in curve.points if "now" in point.marks]
    assert present.marks == ["now", "default"]
    assert sum(flow.documents for flow in present.kept.values()) == len(_passing(home))


def test_sweep_takes_further_changes_and_skips_what_they_exclude(home: Path) -> None:
    [curve] = sweep(home, "gopher_quality.min_words", ["gopher_quality.max_words=100"])
    values = [point.value for point in curve.points]
    assert values[0] is None
    assert max(value for value in values if value is not None) <= 100
    [answer] = what_if(home, ["gopher_quality.max_words=100", "gopher_quality.min_words=null"])
    after = total(answer.now.values()).documents - total(answer.leave.values()).documents
    after += total(answer.enter.values()).documents
    assert total(curve.points[0].kept.values()).documents == after


def test_sweep_is_drawn_with_bars_in_proportion(home: Path) -> None:
    [curve] = sweep(home, "gopher_quality.min_words")
    lines = curve_text(curve).split("\n")
    assert lines[0] == "recipe r: gopher_quality.min_words"
    bars = {line.split()[0]: line.count("█") for line in lines[3:]}
    assert bars["off"] == max(bars.values()) > bars["50"] > 0
    assert [line.split()[0] for line in lines if line.endswith("now, default")] == ["50"]
    assert len(lines) == 3 + len(curve.points)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        (["gopher_qality.min_words=3"], ["gopher_qality", "Did you mean 'gopher_quality'?"]),
        (["gopher_quality.min_word=3"], ["min_word'", "Did you mean 'min_words'?"]),
        (["gopher_quality.min_words=many"], ["gopher_quality.min_words", "int", "many"]),
        (["gopher_quality.min_words=100001"], ["min_words", "max_words"]),
        (["language.min_score=1.5"], ["min_score", "[0, 1]"]),
        (["language.keep=[english]"], ["language", "english", "It knows: "]),
        (["language.keep=[]"], ["keep", "null"]),
        (["gopher_quality.min_words=[1"], ["gopher_quality.min_words", "YAML"]),
        (["gopher_quality.min_words"], ["gopher_quality.min_words", "STAGE.PARAM=VALUE"]),
        (["min_words=3"], ["min_words", "STAGE.PARAM=VALUE"]),
        (["exact_dedup.normalise=none"], ["normalise", "needs a new run", "no thresholds"]),
        ([], ["STAGE.PARAM=VALUE", "--sweep"]),
    ],
)
def test_what_if_mistake_is_named_with_its_fix(
    home: Path, changes: list[str], names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["what-if", str(home), *changes]) == 2
    message = capsys.readouterr().err
    assert all(name in message for name in names), message
    assert len(message.strip().split("\n")) <= 3


def test_sweep_of_what_is_no_number_is_refused(home: Path) -> None:
    with pytest.raises(UserError, match="no threshold on a number"):
        sweep(home, "language.keep")


def test_what_if_parameter_that_changes_measuring_needs_a_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages.get("gopher_quality"), "decides", ("min_words",))
    home = _run(tmp_path, _recipe(folder, ["gopher_quality"])) / "r"
    with pytest.raises(UserError, match=r"'max_words'.*needs a new run\n  Thresholds: min_words"):
        what_if(home, ["gopher_quality.max_words=3"])


def test_what_if_across_a_global_stage_is_refused(folder: Path, tmp_path: Path) -> None:
    late = {"gopher_quality": {"as": "late.quality", "min_words": 60}}
    home = _run(tmp_path, _recipe(folder, ["gopher_quality", "exact_dedup", late])) / "r"
    with pytest.raises(UserError, match="'exact_dedup' needs all that 'gopher_quality' leaves"):
        what_if(home, ["gopher_quality.min_words=40", "late.quality.min_words=70"])
    [answer] = what_if(home, ["late.quality.min_words=70"])
    assert answer.segment == ["late.quality"]
    assert answer.judged_later == []
    kept = _rows(home, "dataset")["late.quality.num_words"]
    assert total(answer.leave.values()).documents == (kept < 70).sum() > 0


@dataclass(frozen=True, kw_only=True)
class Learns(Trained):
    """A filter whose model, given or learned, is not here to be asked."""

    positives: tuple[str, ...] = ()
    min_score: float | None = 0.5
    decides: ClassVar[tuple[str, ...]] = ("min_score",)
    model_file: ClassVar[str] = "model.bin"

    def check(self) -> None:
        raise OSError("no such model")

    def columns(self) -> Annotations:
        return {"score": pa.float64()}

    def samples(self) -> dict[str, tuple[Part, ...]]:
        return {"positives": tuple(Part.parse(name) for name in self.positives)}

    def rules(self) -> tuple[Rule, ...]:
        return (Rule("min_score", "score", "min", self.min_score),)


@pytest.fixture
def learning_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A recipe folder with a manifest alone: `gopher_quality`, `learns`, `late`."""
    list(stages)
    monkeypatch.setattr(Learns, "name", "learns", raising=False)
    monkeypatch.setitem(stages._classes, "learns", Learns)

    def write(**params: Any) -> Path:
        names = {"gopher_quality": "gopher_quality", "learns": "learns", "late": "gopher_quality"}
        entries = [
            {"label": label, "name": name, "version": stages.get(name).version}
            | {"params": params if name == "learns" else {}}
            for label, name in names.items()
        ]
        manifest = {"stages": entries, "sources": [{"name": "web"}]}
        write_json(tmp_path / "dataset/manifest.json", manifest)
        return tmp_path

    return write


def test_what_if_segment_ends_before_a_stage_that_learns_from_what_it_leaves(
    learning_home: Callable[..., Path],
) -> None:
    early, late = Target("gopher_quality", "min_words"), Target("late", "min_words")
    home = learning_home(positives=["web"])
    assert find_segment(home, [early]).later == ["learns", "late"]
    assert find_segment(home, [Target("learns", "min_score"), late]).later == []
    with pytest.raises(UserError, match="'learns' needs all that 'gopher_quality' leaves"):
        find_segment(home, [early, late])
    home = learning_home(positives=["wiki"])  # a reference, which no filter touches
    assert find_segment(home, [early, late]).later == []


def test_what_if_needs_no_model_file_to_decide(learning_home: Callable[..., Path]) -> None:
    home = learning_home(model="models/elsewhere.bin")
    segment = find_segment(home, [Target("learns", "min_score")])
    variant = vary(segment, [parse_change("learns.min_score=0.9")])
    check_variant(segment, variant)
    assert [rule.threshold for rule in variant[0].rules()] == [0.9]


def test_what_if_field_that_a_later_stage_overwrote_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    again = {"language": {"as": "again", "keep": None, "min_score": None}}
    home = _run(tmp_path, _recipe(folder, ["language", "gopher_quality", again])) / "r"
    with pytest.raises(UserError, match="'again' has overwritten 'language'"):
        what_if(home, ["language.keep=[en, de]"])
    with pytest.raises(UserError, match="'again' has overwritten 'language'"):
        what_if(home, ["language.min_score={de: 0.9, default: 0.65}"])
    assert what_if(home, ["language.min_score=0.9"])
    assert what_if(home, ["again.keep=[en]"])


def test_what_if_stage_of_another_version_needs_a_run(folder: Path, tmp_path: Path) -> None:
    home = _run(tmp_path, _recipe(folder, ["gopher_repetition", "gopher_quality"])) / "r"
    path = home / "dataset/manifest.json"
    manifest = read_json(path)
    manifest["stages"][1]["version"] = 0
    write_json(path, manifest)
    with pytest.raises(UserError, match=r"'gopher_quality' measured this dataset as version 0"):
        what_if(home, ["gopher_repetition.max_dup_line_frac=0.5"])


def test_what_if_asks_every_recipe_that_has_the_stage(folder: Path, tmp_path: Path) -> None:
    files = [
        _recipe(folder, [], "raw"),
        _recipe(folder, ["gopher_quality"], "short"),
        _recipe(folder, STAGES, "whole"),
    ]
    out = _run(tmp_path, *files)
    change = ["gopher_quality.min_words=60"]
    assert [answer.recipe for answer in what_if(out, change)] == ["short", "whole"]
    assert [answer.recipe for answer in what_if(out, change, "short")] == ["short"]
    with pytest.raises(UserError, match=r"no recipe 'hole'. Did you mean 'whole'\?"):
        what_if(out, change, "hole")
    with pytest.raises(UserError, match="no stage 'gopher_quality'"):
        what_if(out, change, "raw")
    with pytest.raises(UserError, match=r"Its stages: language, gopher_repetition"):
        what_if(out, ["pii.x=1"])


def test_what_if_command_prints_text_and_json(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["what-if", str(home.parent), "gopher_quality.min_words=30"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("recipe r: gopher_quality.min_words 50 -> 30\n")
    assert "would still be judged by exact_dedup" in printed
    assert main([*command[:2], "--recipe", "r", command[2], "--json"]) == 0
    assert '"unmeasured": 0' in capsys.readouterr().out
    assert main(["what-if", str(home), "--sweep", "gopher_quality.min_words", "--json"]) == 0
    assert '"marks": [' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["what-if", "--help"])
    assert "tilth what-if out gopher_quality.min_words=30" in capsys.readouterr().out


def test_what_if_writes_unseen_characters_out(tmp_path: Path) -> None:
    text = prose(1, 2) + " \x1b[31m\u202ehidden"
    for name in ("web", "books"):
        write_jsonl(tmp_path / f"{name}.jsonl", [{"id": f"{name}\x1b]0;", "text": text}])
    home = _run(tmp_path / "out", _recipe(tmp_path, ["gopher_quality"])) / "r"
    [answer] = what_if(home, ["gopher_quality.min_words=1"])
    printed = answer_text(answer)
    assert answer.examples
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def test_what_if_of_an_empty_dataset(tmp_path: Path) -> None:
    for name in ("web", "books"):
        (tmp_path / f"{name}.jsonl").write_text("")
    home = _run(tmp_path / "out", _recipe(tmp_path, STAGES)) / "r"
    [answer] = what_if(home, ["gopher_quality.min_words=1"])
    assert total(answer.now.values()).documents == 0
    assert answer_text(answer)
    [curve] = sweep(home, "gopher_quality.min_words")
    assert [point.value for point in curve.points] == [None, 50]
    assert curve_text(curve)

"""What every registered stage promises, whoever wrote it."""

import dataclasses
import inspect
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.alarms import static_alarms
from curation.config import build, parameters
from curation.document import DOCUMENT_SCHEMA, DROP_FIELDS
from curation.errors import UserError
from curation.fingerprint import fingerprint
from curation.process import ROW, PlannedStage, drop_rows, process
from curation.ranking import RankingStage
from curation.rounds import DEFAULT_MEMORY, CorpusSlice, Rounds
from curation.slices import SliceStore
from curation.sources.inputs import Split
from curation.sources.source import Source, formats
from curation.stage import (
    DECISION_SCHEMA,
    EDIT_SCHEMA,
    Filter,
    GlobalStage,
    Modifier,
    Scorer,
    Stage,
    Trained,
    stages,
)
from curation.workshop import describe
from tests.classes import (
    SMALL,
    evidence_file,
    fasttext_model,
    linear_model,
    model_cache,
    two_classes,
    word_list,
)

# Parameters of stages that cannot be made without any.
NEEDED: dict[str, dict[str, Any]] = {
    "benchmark_rank": {"model": str(fasttext_model()), "min_score": 0.5},
    "cluster": {"k_init": 8, "k": 3, "sample": 12},
    "datatrove": {"block": "filters.RegexFilter", "params": {"regex_exp": "lorem ipsum"}},
    "decontaminate": {"against": [str(evidence_file())]},
    "fasttext_score": {"model": str(fasttext_model()), "min_score": 0.5},
    "keep_top": {"column": "quality.score", "keep_frac": 0.01},
    "line_dedup": {"min_count": 2},
    "embed": {"fast": True, "cache": str(model_cache())},
    "linear_score": {"model": str(linear_model()), "max_score": 0.6},
    "toxicity": {"word_lists": {"en": str(word_list())}, "max_matches": 3},
    "url": {"block_domains": ["example.com"], "soft_block_words": ["free", "cam"]},
}

PROSE = "The farmer turned the soil early and waited for the rain to come with patience. "
ODD_TEXTS = {
    "prose": PROSE * 5,
    "lorem ipsum": "Lorem ipsum dolor sit amet, and lorem ipsum again. " * 9,
    "empty": "",
    "white space": " \t\n\u00a0\u2003 ",
    "newlines": "\n" * 300,
    "one letter": "a",
    "one dot": ".",
    "emoji with joiners": "👨\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 " * 20,
    "right to left": "حرث الفلاح الأرض في الصباح الباكر وانتظر هطول المطر. " * 8,
    "marks": "e\u0301\u0301\u0301 a\u0308 \u0301\u0302\u0303 " * 30,
    "chinese": "农民一大早就翻了地，等着下雨。" * 12,
    "thai": "ชาวนาไถดินแต่เช้าตรู่และรอให้ฝนตก" * 12,
    "control characters": "a\x01b\x02\x1b[31m\x7f c\x0b\x0c\x1f" * 20,
    "carriage returns": "the rain\r\nand the soil\r\n\r\n" * 20,
    "line separators": "the rain\u2028and the soil\u2029with\u0085that " * 20,
    "not characters": "\ufffd\ufffe\uffff\U0010ffff",
    "megabyte": PROSE * (1_000_000 // len(PROSE)),
    "long word": "x" * 100_000,
    "repeated lines": "the same line of text\n" * 60,
    "bullets": "- one of the items\n" * 30,
    "code": "def f(x):\n    return {'a': [x ** 2 for _ in range(3)]}  # ...\n" * 12,
    "twin of prose": PROSE * 5,
}


def make(name: str) -> Stage:
    return build(stages.get(name), NEEDED.get(name, {}), where="test")


def names(kind: type[Stage]) -> list[str]:
    return [name for name in stages if issubclass(stages.get(name), kind)]


def table_of(texts: list[str | None]) -> pa.Table:
    values = {
        "id": [f"d{i}" for i in range(len(texts))],
        "text": texts,
        "source": ["s"] * len(texts),
        "url": [f"https://pages.test/{len(text or '') % 9}" for text in texts],
        "meta": ['{"n": 1}'] * len(texts),
    }
    empty = [None] * len(texts)
    columns = [pa.array(values.get(f.name, empty), f.type) for f in DOCUMENT_SCHEMA]
    table = pa.Table.from_arrays(columns, schema=DOCUMENT_SCHEMA)
    return table.append_column(ROW, pa.array(range(len(texts)), pa.int64()))


ODD = table_of(list(ODD_TEXTS.values()))
LOCAL = sorted({*names(Modifier), *names(Scorer)})


def run(name: str, table: pa.Table) -> tuple[pa.Table, pa.Table]:
    kept, dropped, _ = process(table, [PlannedStage("label", make(name))])
    return kept, dropped


def rows(*tables: pa.Table) -> list[dict[str, Any]]:
    """All rows in order of the input."""
    return sorted((row for t in tables for row in t.to_pylist()), key=lambda row: row[ROW])


@pytest.fixture(scope="module", params=LOCAL)
def local(request: pytest.FixtureRequest) -> tuple[str, pa.Table, pa.Table]:
    """(name, kept, dropped) of a local stage over the odd texts."""
    return request.param, *run(request.param, ODD)


# --- every stage


def test_stage_contract_covers_every_kind() -> None:
    assert sorted([*LOCAL, *names(GlobalStage)]) == list(stages)


@pytest.mark.parametrize("name", list(stages))
def test_stage_is_frozen(name: str) -> None:
    stage = make(name)
    first = dataclasses.fields(stage)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(stage, first, None)


@pytest.mark.parametrize("name", list(stages))
def test_stage_is_built_again_from_its_parameters(name: str) -> None:
    stage = make(name)
    loaded = json.loads(json.dumps(stage.parameters()))  # as a manifest or YAML file holds them
    assert build(type(stage), loaded, where="test") == stage


@pytest.mark.parametrize("name", list(stages))
def test_stage_pickles(name: str) -> None:
    stage = make(name)
    assert pickle.loads(pickle.dumps(stage)) == stage


@pytest.mark.parametrize("name", list(stages))
def test_stage_fingerprint_is_stable_and_sees_the_version(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [fingerprint(describe(PlannedStage(name, make(name)))) for _ in range(2)]
    assert before[0] == before[1]
    assert fingerprint(describe(PlannedStage("other", make(name)))) != before[0]
    monkeypatch.setattr(stages.get(name), "version", 1000)
    assert fingerprint(describe(PlannedStage(name, make(name)))) != before[0]


@pytest.mark.parametrize("name", list(stages))
def test_stage_docstring_says_what_it_does_in_one_line(name: str) -> None:
    first = (inspect.getdoc(stages.get(name)) or "").split("\n")[0]
    assert first.endswith(".")
    assert 20 < len(first) <= 100
    assert not first.startswith(f"{stages.get(name).__name__}(")  # what dataclasses fill in


@pytest.mark.parametrize("name", list(stages))
def test_stage_parameters_have_types_that_a_recipe_can_give(name: str) -> None:
    for text in parameters(stages.get(name)).values():
        assert re.match(r"(int|float|str|bool|path|list of|mapping of|'|[0-9]|null)", text), text


@pytest.mark.parametrize("name", names(Filter))
def test_filter_docstring_names_the_source_of_its_thresholds(name: str) -> None:
    cls = stages.get(name)
    module = inspect.getmodule(cls)
    said = f"{inspect.getdoc(cls)} {module and module.__doc__}"
    assert re.search(r"arXiv|et al|FineWeb|RefinedWeb|C4|https?://|appendix|table", said)


@pytest.mark.parametrize("name", names(Filter))
def test_filter_rules_read_declared_columns_and_own_parameters(name: str) -> None:
    stage = make(name)
    assert isinstance(stage, Filter)
    assert stage.rules()
    for rule in stage.rules():
        assert rule.param in stage.parameters()
        assert rule.column in stage.columns()
        assert rule.when is None or stage.columns()[rule.when] == pa.bool_()
    assert {rule.param for rule in stage.rules()} == set(stage.decides)


@pytest.mark.parametrize("name", names(Filter))
def test_filter_thresholds_that_only_decide_do_not_change_measurements(name: str) -> None:
    stage = make(name)
    assert isinstance(stage, Filter)
    off = dataclasses.replace(
        stage, **{p: None for p in stage.decides if "null" in parameters(type(stage))[p]}
    )
    assert off.measured_by() == stage.measured_by()
    assert all(off.measure(ODD)[c].equals(v) for c, v in stage.measure(ODD).items())


@pytest.mark.parametrize("name", names(Filter))
def test_filter_has_no_threshold_that_can_never_fire(name: str) -> None:
    assert static_alarms([PlannedStage(name, make(name))]) == []


# --- local stages


def test_local_stage_every_row_ends_in_kept_or_dropped(local: Any) -> None:
    _, kept, dropped = local
    ends = sorted([*kept[ROW].to_pylist(), *dropped[ROW].to_pylist()])
    assert ends == list(range(len(ODD)))


def test_local_stage_keeps_row_order(local: Any) -> None:
    _, kept, _ = local
    assert kept[ROW].to_pylist() == sorted(kept[ROW].to_pylist())


def test_local_stage_keeps_the_schema_and_adds_its_columns(local: Any) -> None:
    name, kept, dropped = local
    added = [pa.field(k, v) for k, v in PlannedStage("label", make(name)).columns().items()]
    wanted = pa.schema([*DOCUMENT_SCHEMA, pa.field(ROW, pa.int64()), *added])
    assert kept.schema == wanted
    assert set(dropped.schema.names) == {*wanted.names, *DROP_FIELDS.names}


def test_local_stage_leaves_ids_and_sources_alone(local: Any) -> None:
    _, *tables = local
    before = ODD.to_pylist()
    for row in rows(*tables):
        for column in ("id", "source", "url", "date"):
            assert row[column] == before[row[ROW]][column]


def test_local_stage_that_is_no_modifier_leaves_text_alone(local: Any) -> None:
    name, *tables = local
    if not issubclass(stages.get(name), Modifier):
        assert [row["text"] for row in rows(*tables)] == ODD["text"].to_pylist()


def test_local_stage_drops_carry_stage_and_reason(local: Any) -> None:
    name, _, dropped = local
    stage = make(name)
    for row in dropped.to_pylist():
        assert row["drop_stage"] == "label"
        assert row["drop_reason"]
        assert row["drop_reason"] != "error", row["drop_value"]
        emptied = isinstance(stage, Modifier) and row["drop_reason"] == "empty_text"
        if isinstance(stage, Filter) and not emptied:
            assert row["drop_reason"] in stage.decides
            assert row["drop_value"] is not None
            assert row["drop_threshold"] is not None


def test_local_stage_drop_is_what_its_rule_says(local: Any) -> None:
    """The shown value fails the shown threshold, and it is the first rule to fail."""
    name, kept, dropped = local
    stage = make(name)
    if not isinstance(stage, Filter):
        return
    for table, gone in ((kept, False), (dropped, True)):
        for i, row in enumerate(table.to_pylist()):
            planned = PlannedStage("label", stage)
            failing = [r for r in planned.rules() if r.fails(table[i : i + 1])[0].as_py()]
            emptied = isinstance(stage, Modifier) and row.get("drop_reason") == "empty_text"
            assert bool(failing) == (gone and not emptied)
            if failing:
                assert failing[0].param == row["drop_reason"]
                assert str(table[failing[0].column][i].as_py()) == row["drop_value"] or float(
                    row["drop_value"]
                ) == pytest.approx(table[failing[0].column][i].as_py())


def test_local_stage_measures_every_row_with_the_declared_type(local: Any) -> None:
    name, *_ = local
    stage = make(name)
    if not isinstance(stage, Scorer):
        return
    values = stage.measure(ODD)
    assert list(values) == list(stage.columns())
    for column, kind in stage.columns().items():
        assert values[column].type == kind
        assert len(values[column]) == len(ODD)
        assert values[column].null_count == 0
        if pa.types.is_floating(kind):
            assert np.isfinite(values[column].to_numpy(zero_copy_only=False)).all()


def test_local_stage_is_deterministic(local: Any) -> None:
    name, kept, dropped = local
    again = run(name, ODD)
    assert again[0].equals(kept)
    assert rows(again[1]) == rows(dropped)


def splits(step: int) -> list[pa.Table]:
    return [ODD[i : i + step] for i in range(0, len(ODD), step)]


@pytest.mark.parametrize("step", [1, len(ODD) // 2])
def test_local_stage_does_not_depend_on_the_other_rows(local: Any, step: int) -> None:
    name, kept, dropped = local
    parts = [run(name, part) for part in splits(step)]
    assert rows(*(k for k, _ in parts)) == rows(kept)
    assert rows(*(d for _, d in parts)) == rows(dropped)


def test_local_stage_does_not_depend_on_chunks_or_offsets(local: Any) -> None:
    name, kept, dropped = local
    chunked = pa.concat_tables([ODD[:3], ODD[3:4], ODD[4:4], ODD[4:]])
    found = run(name, chunked)
    assert rows(found[0]) == rows(kept)
    assert rows(found[1]) == rows(dropped)


def test_local_stage_does_not_change_its_input(local: Any) -> None:
    name, *_ = local
    table = table_of(list(ODD_TEXTS.values()))
    run(name, table)
    table.validate(full=True)
    assert table.equals(ODD)


@pytest.mark.parametrize("name", LOCAL)
def test_local_stage_takes_an_empty_table(name: str) -> None:
    kept, dropped = run(name, ODD[:0])
    assert len(kept) == len(dropped) == 0
    assert set(PlannedStage("label", make(name)).columns()) <= set(kept.column_names)


@pytest.mark.parametrize("name", LOCAL)
def test_local_stage_takes_a_table_of_null_text_without_losing_it(name: str) -> None:
    kept, dropped = run(name, table_of([None, PROSE * 5, None]))
    assert sorted([*kept[ROW].to_pylist(), *dropped[ROW].to_pylist()]) == [0, 1, 2]


@pytest.mark.parametrize("name", LOCAL)
def test_local_stage_works_twice_under_two_labels(name: str) -> None:
    planned = [PlannedStage("one", make(name)), PlannedStage("two", make(name))]
    kept, dropped, _ = process(ODD, planned)
    assert len(kept) + len(dropped) == len(ODD)
    assert kept[ROW].to_pylist() == run(name, ODD)[0][ROW].to_pylist()
    assert "two" not in dropped["drop_stage"].to_pylist()


# --- global stages

CORPUS = [*ODD_TEXTS.values(), "b", "a", "b ", " b", "c", "a", PROSE * 5, "", "d", PROSE * 5 + "x"]


def decide(
    stage: GlobalStage,
    folder: Path,
    texts: list[str | None],
    sizes: list[int],
    max_memory: int = DEFAULT_MEMORY,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Decisions, edits and annotations over slices of such sizes, placed as if in one slice."""
    table, slices, start = read_by(stage, texts), [], 0
    assert sum(sizes) == len(table)
    own = {*DOCUMENT_SCHEMA.names, ROW}
    columns = {f.name: f.type for f in table.schema if f.name not in own}
    store = SliceStore(folder / "slices", columns, {}, "run")
    for number, size in enumerate(sizes):
        part = table[start : start + size].drop_columns(ROW)
        part = part.append_column(ROW, pa.array(np.arange(size)))
        record = store.write(f"{number:06d}", "web", part, drop_rows(part[:0]), [], [])["kept"]
        key = f"{number:06d}"
        slices.append(CorpusSlice(number, "web", store, key, record["rows"], record["text_bytes"]))
        start += size
    rounds = Rounds(tuple(slices), folder / "rounds", 2, max_memory, in_reverse)
    rounds.folder.mkdir()
    verdicts = stage.decide(rounds)
    starts = np.cumsum([0, *sizes])
    found = []
    for files, schema in (
        (verdicts.decisions, DECISION_SCHEMA),
        (verdicts.edits, EDIT_SCHEMA),
        (verdicts.annotations, stage.annotation_schema()),
    ):
        tables = [pq.read_table(file) for file in files]
        assert all(t.schema.equals(schema) for t in tables)
        rows = [row for t in tables for row in t.to_pylist()]
        for row in rows:
            row["row"] += int(starts[row.pop("slice")])
        found.append(sorted(rows, key=lambda row: (row["row"], row.get("start", 0))))
    json.dumps(verdicts.report)
    return found[0], found[1], found[2]


def in_reverse(label: str, function: Any, jobs: list[Any], num_bytes: int) -> list[Any]:
    """Runs jobs in an order of their own, each twice: a killed one is done again."""
    assert label
    assert num_bytes >= 0
    for job in jobs:
        function(pickle.loads(pickle.dumps(job)))
    return [function(job) for job in reversed(jobs)]


def read_by(stage: GlobalStage, texts: list[str | None]) -> pa.Table:
    """Documents; columns that a stage reads and that are not their own hold some numbers."""
    table = table_of(texts)
    for name in stage.reads:
        if name.endswith(".vector"):
            embed = make("embed")
            assert isinstance(embed, Scorer)
            table = table.append_column(name, embed.measure(table)["vector"])
        elif name not in table.column_names:
            values = pa.array([len(text or "") % 7 / 7 for text in texts], pa.float64())
            table = table.append_column(name, values)
    return table


def make_global(name: str) -> GlobalStage:
    stage = make(name)
    assert isinstance(stage, GlobalStage)
    return stage


WHOLE = [len(CORPUS)]
EACH = [1] * len(CORPUS)
UNEVEN = [3, 0, 7, len(CORPUS) - 10]


@pytest.mark.parametrize("name", names(GlobalStage))
@pytest.mark.parametrize("sizes", [EACH, UNEVEN], ids=["each", "uneven"])
@pytest.mark.parametrize("max_memory", [DEFAULT_MEMORY, 20_000], ids=["plenty", "scarce"])
def test_global_stage_does_not_depend_on_slices_and_memory(
    name: str, sizes: list[int], max_memory: int, tmp_path: Path
) -> None:
    stage = make_global(name)
    texts: list[str | None] = list(CORPUS)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = decide(stage, tmp_path / "a", texts, WHOLE)
    assert decide(stage, tmp_path / "b", texts, sizes, max_memory) == whole


@pytest.mark.parametrize("name", names(GlobalStage))
def test_global_stage_decides_on_some_documents_once_with_a_reason(
    name: str, tmp_path: Path
) -> None:
    gone, edits, annotations = decide(make_global(name), tmp_path, list(CORPUS), WHOLE)
    rows_gone = [row["row"] for row in gone]
    assert len(gone) + len(edits) + len(annotations) > 0
    assert len(gone) < len(CORPUS)
    assert len(set(rows_gone)) == len(rows_gone)
    assert all(row["drop_reason"] for row in gone)
    assert not {row["row"] for row in edits} & set(rows_gone)


@pytest.mark.parametrize("name", names(GlobalStage))
def test_global_stage_cuts_whole_code_points_in_order(name: str, tmp_path: Path) -> None:
    _, edits, _ = decide(make_global(name), tmp_path, list(CORPUS), WHOLE)
    at: dict[int, int] = {}
    for edit in edits:
        data = CORPUS[edit["row"]].encode()
        assert at.get(edit["row"], 0) <= edit["start"] < edit["stop"] <= len(data)
        data[edit["start"] : edit["stop"]].decode()
        data[: edit["start"]].decode()
        at[edit["row"]] = edit["stop"]


@pytest.mark.parametrize("name", names(GlobalStage))
def test_global_stage_annotates_a_document_once_at_most(name: str, tmp_path: Path) -> None:
    _, _, annotations = decide(make_global(name), tmp_path, list(CORPUS), WHOLE)
    places = [row["row"] for row in annotations]
    assert len(set(places)) == len(places)
    assert set(places) <= set(range(len(CORPUS)))
    assert bool(annotations) == bool(make_global(name).columns())


@pytest.mark.parametrize("name", names(RankingStage))
def test_ranking_stage_drops_name_the_value_and_the_threshold(name: str, tmp_path: Path) -> None:
    for row in decide(make_global(name), tmp_path, list(CORPUS), WHOLE)[0]:
        assert float(row["drop_value"]) <= float(row["drop_threshold"])
        assert row["survivor_id"] is None


@pytest.mark.parametrize("name", names(GlobalStage))
def test_global_stage_duplicates_keep_one_survivor_which_stays(name: str, tmp_path: Path) -> None:
    gone, *_ = decide(make_global(name), tmp_path, list(CORPUS), WHOLE)
    ids = table_of(list(CORPUS))["id"].to_pylist()
    gone_ids = {ids[row["row"]] for row in gone}
    for row in gone:
        assert row["survivor_id"] not in gone_ids
        assert row["survivor_id"] is None or row["survivor_id"] in ids
        assert row["similarity"] is None or 0 <= row["similarity"] <= 1


@pytest.mark.parametrize("name", names(GlobalStage))
@pytest.mark.parametrize("sizes", [[], [0]], ids=["no slice", "an empty slice"])
def test_global_stage_takes_an_empty_corpus(name: str, sizes: list[int], tmp_path: Path) -> None:
    assert decide(make_global(name), tmp_path, [], sizes) == ([], [], [])


@pytest.mark.parametrize("name", names(GlobalStage))
def test_global_stage_takes_null_text(name: str, tmp_path: Path) -> None:
    gone, *_ = decide(make_global(name), tmp_path, [None, "a", None], [3])
    assert {row["row"] for row in gone} <= {0, 1, 2}


# --- trained stages

CLASSES = two_classes(30)
QUICK: dict[str, dict[str, Any]] = {"fasttext_score": SMALL}  # defaults are for large samples


RANKED: dict[str, Any] = {
    "documents": ["pool"],
    "targets": ["good"],
    "positive_frac": 0.5,
    "classifier_params": SMALL,
    "fast": True,
    "cache": str(model_cache()),
}


def learner(name: str) -> Trained:
    given = {"positives": ["good"], "negatives": ["bad"], **QUICK.get(name, {})}
    given = RANKED if name == "benchmark_rank" else given
    stage = build(stages.get(name), given, where="test")
    assert isinstance(stage, Trained)
    return stage


@pytest.mark.parametrize("name", names(Trained))
def test_trained_stage_learns_the_same_bytes_and_metrics_again(name: str, tmp_path: Path) -> None:
    found = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        metrics = learner(name).fit(samples_of(name), folder, seed=3)
        found.append((json.dumps(metrics), (folder / learner(name).model_file).read_bytes()))
        assert [path.name for path in folder.iterdir()] == [learner(name).model_file]
    assert found[0] == found[1]


@pytest.mark.parametrize("name", names(Trained))
def test_trained_stage_tells_the_classes_apart_with_what_it_learned(
    name: str, tmp_path: Path
) -> None:
    metrics = learner(name).fit(samples_of(name), tmp_path, seed=3)
    ready = learner(name).fitted(tmp_path)
    assert not ready.samples()
    good, bad = (table_of(table["text"].to_pylist()) for table in CLASSES.values())
    assert min(ready.measure(good)["score"].to_pylist()) > max(
        ready.measure(bad)["score"].to_pylist()
    )
    assert metrics["auc"]["value"] == 1


def samples_of(name: str) -> dict[str, pa.Table]:
    """The two classes as the roles of the stage, with what it attaches."""
    both = pa.concat_tables(CLASSES.values())
    mixed = both.take(pa.array(np.arange(len(both)).reshape(2, -1).T.reshape(-1)))
    ranked = {"documents": mixed, "targets[0]": CLASSES["positives"]}
    given = ranked if name == "benchmark_rank" else CLASSES
    return {role: learner(name).attach(table) for role, table in given.items()}


@pytest.mark.parametrize("name", names(Trained))
def test_trained_stage_needs_a_model_or_something_to_learn_from(name: str) -> None:
    one, other = [role.split("[")[0] for role in learner(name).samples()]
    for given in ({}, {one: ["good"]}, {"model": "m", other: ["bad"]}):
        with pytest.raises(UserError, match="needs either 'model', or"):
            build(stages.get(name), given, where="test")


# --- formats


def source_of(name: str) -> Source:
    return build(formats.get(name), {"name": "s", "path": "."}, where="test")


@pytest.mark.parametrize("name", list(formats))
def test_format_docstring_says_what_it_reads_in_one_line(name: str) -> None:
    cls = formats.get(name)
    first = (inspect.getdoc(cls) or "").split("\n")[0]
    assert first.endswith(".")
    assert 5 < len(first) <= 100
    assert not first.startswith(f"{cls.__name__}(")


@pytest.mark.parametrize("name", list(formats))
def test_format_needs_a_name_and_a_path_only(name: str) -> None:
    source = source_of(name)
    assert source.format == name
    assert (source.name, source.path) == ("s", ".")


@pytest.mark.parametrize("name", list(formats))
def test_format_is_frozen_and_pickles(name: str) -> None:
    source = source_of(name)
    assert pickle.loads(pickle.dumps(source)) == source
    with pytest.raises(dataclasses.FrozenInstanceError):
        source.path = "x"  # type: ignore[misc]


@pytest.mark.parametrize("name", list(formats))
def test_format_identity_leaves_out_where_files_lie(name: str) -> None:
    here, there = source_of(name), dataclasses.replace(source_of(name), path="elsewhere")
    assert fingerprint(here.identity_params()) == fingerprint(there.identity_params())


@pytest.mark.parametrize("name", list(formats))
def test_format_has_own_reading_and_parameter_types(name: str) -> None:
    cls = formats.get(name)
    assert cls.read is not Source.read
    assert inspect.signature(cls.read).parameters.keys() >= {"split", "log"}
    assert Split.__dataclass_fields__.keys() == {"file", "start", "end"}
    for text in parameters(cls).values():
        assert re.match(r"(int|float|str|bool|list of|mapping of|'|null)", text), text

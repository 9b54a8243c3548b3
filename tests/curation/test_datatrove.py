"""Blocks of datatrove as stages."""

import json
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter

from curation.config import build
from curation.errors import MissingPackage, UserError
from curation.modifiers.datatrove import Datatrove
from curation.process import PlannedStage, process

MakeTable = Callable[..., pa.Table]
ARTICLE = " ".join(["The farmer turned the soil early and waited for the rain."] * 8)


def run(table: pa.Table, block: str, **params: Any) -> tuple[pa.Table, pa.Table]:
    kept, dropped, _ = process(table, [PlannedStage("dt", Datatrove(block=block, params=params))])
    return kept, dropped


def test_datatrove_filter_drops_with_the_class_as_reason(documents: MakeTable) -> None:
    table = documents(["keep me", "lose spam", "keep too"])
    kept, dropped = run(table, "filters.RegexFilter", regex_exp="spam")
    assert kept["text"].to_pylist() == ["keep me", "keep too"]
    row = dropped.to_pylist()[0]
    assert (row["id"], row["drop_stage"], row["drop_reason"]) == ("d1", "dt", "RegexFilter")
    assert row["text"] == "lose spam"


def test_datatrove_filter_that_names_a_reason_keeps_it(documents: MakeTable) -> None:
    table = documents(["one\n\ntwo", "\n\n".join([ARTICLE] * 3)])
    kept, dropped = run(table, "filters.C4ParagraphFilter")
    assert kept["id"].to_pylist() == ["d1"]
    reason = dropped["drop_reason"][0].as_py()
    assert reason
    assert reason != "C4ParagraphFilter"


def test_datatrove_block_in_a_module_of_its_own_is_found(documents: MakeTable) -> None:
    kept, _ = run(documents(["a", "b"]), "filters.regex_filter.RegexFilter", regex_exp="a")
    assert kept["text"].to_pylist() == ["b"]


def test_datatrove_formatter_edits_text(documents: MakeTable) -> None:
    table = documents(["write to jane.doe@uni.edu now", "nothing here"])
    kept, dropped = run(table, "formatters.PIIFormatter", email_replacement="MAIL")
    assert kept["text"].to_pylist() == ["write to MAIL now", "nothing here"]
    assert len(dropped) == 0


def test_datatrove_edit_counts_removed_characters(documents: MakeTable) -> None:
    stage = Datatrove(block="formatters.PIIFormatter", params={"email_replacement": "X"})
    _, _, stats = process(documents(["to a.b@uni.edu"]), [PlannedStage("dt", stage)])
    assert stats[0].removed_chars == len("a.b@uni.edu") - 1


def test_datatrove_formatter_that_leaves_nothing_drops_as_empty(documents: MakeTable) -> None:
    _, dropped = run(documents(["a@uni.edu"]), "formatters.PIIFormatter", email_replacement="")
    assert dropped["drop_reason"].to_pylist() == ["empty_text"]


def test_datatrove_slices_do_not_depend_on_what_ran_before(documents: MakeTable) -> None:
    """Replacements take turns within the block: a worker's history must not show."""
    table = documents(["mail a@uni.edu", "mail b@uni.edu", "mail c@uni.edu"])
    first, _ = run(table, "formatters.PIIFormatter")
    again, _ = run(table, "formatters.PIIFormatter")
    assert first["text"].to_pylist() == again["text"].to_pylist()


def test_datatrove_sampler_with_a_seed_repeats(documents: MakeTable) -> None:
    table = documents([f"text {i}" for i in range(200)])
    ids = [run(table, "filters.SamplerFilter", rate=0.5, seed=1)[0]["id"].to_pylist() for _ in "ab"]
    assert ids[0] == ids[1]
    assert 60 < len(ids[0]) < 140


def test_datatrove_filter_leaves_meta_as_it_was(documents: MakeTable) -> None:
    metas = ['{"b": 1,   "a": "é"}', None]
    table = documents(["x", "y"], meta=metas, url=["http://a.example/", None])
    kept, _ = run(table, "filters.RegexFilter", regex_exp="z")
    assert kept["meta"].to_pylist() == metas
    assert kept["url"].to_pylist() == ["http://a.example/", None]


class Counting(BaseFilter):
    """A block as a user would write one: notes the words, drops texts of one."""

    def filter(self, doc: Document) -> bool:
        doc.metadata["words"] = len(doc.text.split())
        return doc.metadata["words"] > 1


def test_datatrove_new_metadata_goes_to_meta(
    documents: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("datatrove.pipeline.filters.counting")
    module.Counting = Counting  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    table = documents(["one two", "one"], meta=['{"a": "é"}', None], language=["en", None])
    kept, dropped = run(table, "filters.counting.Counting")
    assert json.loads(kept["meta"][0].as_py()) == {"a": "é", "words": 2}
    assert kept["language"].to_pylist() == ["en"]
    assert json.loads(dropped["meta"][0].as_py()) == {"words": 1}


def test_datatrove_filter_that_edits_text_keeps_the_edit(documents: MakeTable) -> None:
    lines = "This line has enough words to stay.\nThis one has no end mark\nSo does this one too."
    table = documents([lines, "a {curly} bracket in the text."])
    kept, dropped = run(table, "filters.C4QualityFilter", min_num_sentences=-1)
    assert kept["text"].to_pylist() == [
        "This line has enough words to stay.\nSo does this one too."
    ]
    assert dropped["drop_reason"].to_pylist() == ["curly_bracket"]


def test_datatrove_extractor_takes_pages(documents: MakeTable) -> None:
    page = f"<html><body><article><p>{ARTICLE}</p></article></body></html>".encode()
    table = documents([None, "came as text"])
    table = table.append_column("raw", pa.array([page, None], pa.binary()))
    table = table.append_column("content_type", pa.array(["text/html", None], pa.string()))
    kept, dropped = run(table, "extractors.Trafilatura")
    assert kept["text"].to_pylist() == [ARTICLE, "came as text"]
    assert len(dropped) == 0
    assert "raw" not in kept.column_names


def test_datatrove_only_extractors_extract() -> None:
    assert Datatrove(block="extractors.Trafilatura").extracts
    assert not Datatrove(block="filters.RegexFilter").extracts


@pytest.mark.parametrize("block", ["RegexFilter", "writers.JsonlWriter", "filters.", "", "."])
def test_datatrove_block_of_another_kind_is_an_error(block: str) -> None:
    with pytest.raises(UserError, match="filters, formatters, extractors"):
        build(Datatrove, {"block": block}, where="r.yaml")


def test_datatrove_unknown_block_names_the_closest(documents: MakeTable) -> None:
    with pytest.raises(UserError) as error:
        run(documents(["a"]), "filters.RegexFiltre")
    assert "Did you mean 'RegexFilter'?" in str(error.value)


def test_datatrove_unknown_module_is_an_error(documents: MakeTable) -> None:
    with pytest.raises(UserError, match="nowhere"):
        run(documents(["a"]), "filters.nowhere.Filter")


@pytest.mark.parametrize("params", [{"regex": "a"}, {}, {"regex_exp": "("}, {"regex_exp": 5}])
def test_datatrove_wrong_parameters_are_an_error(
    documents: MakeTable, params: dict[str, Any]
) -> None:
    with pytest.raises(UserError, match="RegexFilter"):
        run(documents(["a"]), "filters.RegexFilter", **params)


def test_datatrove_block_whose_package_is_absent_says_so(documents: MakeTable) -> None:
    try:
        import ftfy  # noqa: F401
    except ImportError:
        with pytest.raises(MissingPackage, match="ftfy"):
            run(documents(["a"]), "formatters.FTFYFormatter")
    else:
        pytest.skip("ftfy is installed")


def test_datatrove_failing_document_is_an_error_row(documents: MakeTable) -> None:
    table = documents(["a", "b", "c"], meta=[None, "not json", None])
    kept, dropped = run(table, "filters.RegexFilter", regex_exp="z")
    assert kept["text"].to_pylist() == ["a", "c"]
    assert [(r["id"], r["drop_reason"]) for r in dropped.to_pylist()] == [("d1", "error")]

"""Documents are kept by their language and how sure it is, whichever model says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curation.config import build
from curation.errors import UserError
from curation.filters.language import Language
from curation.fingerprint import fingerprint
from curation.process import PlannedStage, process
from curation.workshop import describe
from tests.curation.sentences import SENTENCES, train_model

MakeTable = Callable[..., pa.Table]
Measure = Callable[[Language, str], dict[str, Any]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_model(tmp_path_factory.mktemp("model")) / "model.bin"


def load(**values: Any) -> Language:
    return build(Language, values, where="r.yaml")


def run(documents: MakeTable, stage: Language) -> tuple[list[str], dict[str, str]]:
    """Languages kept; reason per language dropped."""
    table = documents([*SENTENCES.values(), ""])
    kept, dropped, _ = process(table, [PlannedStage("language", stage)])
    reasons = zip(dropped["language"].to_pylist(), dropped["drop_reason"].to_pylist(), strict=True)
    return kept["language"].to_pylist(), dict(reasons)


# --- parameters


@pytest.mark.parametrize("param", ["keep", "min_score"])
def test_language_unknown_code_is_an_error_naming_known_codes(param: str) -> None:
    stage = load(**{param: ["en", "klingon"] if param == "keep" else {"klingon": 0.5}})
    with pytest.raises(UserError) as error:
        stage.check()
    assert f"'{param}' of language has no code 'klingon'" in str(error.value)
    assert all(code in str(error.value) for code in SENTENCES)


@pytest.mark.parametrize("score", [-0.1, 1.1, {"en": 1.1}, {"default": -0.1}])
def test_language_impossible_score_is_an_error(score: Any) -> None:
    with pytest.raises(UserError, match=r"'min_score' of language must be in \[0, 1\]"):
        load(min_score=score)


def test_language_empty_keep_is_an_error() -> None:
    with pytest.raises(UserError, match="drops everything"):
        load(keep=[])


def test_language_top_k_below_one_is_an_error() -> None:
    with pytest.raises(UserError, match="'top_k' of language must be >= 1"):
        load(top_k=0)


def test_language_known_codes_pass_the_check() -> None:
    load(keep=["en", "de"], min_score={"de": 0.5, "default": 0.6}).check()


# --- decisions


def test_language_keep_null_and_no_score_keeps_all(documents: MakeTable) -> None:
    kept, dropped = run(documents, Language(keep=None, min_score=None))
    assert kept == [*SENTENCES, "und"]
    assert dropped == {}


def test_language_keep_null_still_asks_for_the_score(documents: MakeTable) -> None:
    kept, dropped = run(documents, Language(keep=None, min_score=1e-6))
    assert kept == list(SENTENCES)
    assert dropped == {"und": "min_score"}


def test_language_keeps_the_listed_codes_only(documents: MakeTable) -> None:
    kept, dropped = run(documents, Language(keep=("de", "ja"), min_score=None))
    assert kept == ["de", "ja"]
    assert set(dropped.values()) == {"keep"}


def test_language_drop_shows_label_and_list(documents: MakeTable) -> None:
    stage = Language(keep=("en", "de"))
    _, dropped, _ = process(documents([SENTENCES["fr"]]), [PlannedStage("language", stage)])
    row = dropped.to_pylist()[0]
    assert (row["drop_reason"], row["drop_value"], row["drop_threshold"]) == ("keep", "fr", "en,de")


def test_language_score_at_threshold_keeps_and_above_drops(
    documents: MakeTable, measure: Measure
) -> None:
    text = "Der Boden and the rain"
    found = measure(Language(), text)
    outcomes: list[Any] = []
    for threshold in (found["score"], min(found["score"] + 1e-9, 1.0)):
        stage = Language(keep=(found["language"],), min_score=threshold)
        kept, dropped, _ = process(documents([text]), [PlannedStage("language", stage)])
        outcomes.append((len(kept), dropped["drop_reason"].to_pylist()))
    assert outcomes == [(1, []), (0, ["min_score"])]


def test_language_score_by_code_judges_each_by_its_own(
    documents: MakeTable, measure: Measure
) -> None:
    """`default` is for those without their own; without it they are not judged."""
    scores = {code: measure(Language(), text)["score"] for code, text in SENTENCES.items()}
    unsure = {code for code, score in scores.items() if score < 0.95}
    assert {"es", "nl"} < unsure < set(SENTENCES)
    _, dropped = run(documents, load(keep=None, min_score={"es": 0.95}))
    assert dropped == {"es": "min_score"}
    _, dropped = run(documents, load(keep=None, min_score={"es": 0, "nl": 0, "default": 0.95}))
    assert dropped == dict.fromkeys(["und", *unsure - {"es", "nl"}], "min_score")


def test_language_drop_shows_the_score_and_the_threshold_of_its_language(
    documents: MakeTable, measure: Measure
) -> None:
    stage = load(keep=None, min_score={"de": 0.999999, "fr": 0.999998, "default": 0.999997})
    for code, threshold in {"de": "0.999999", "fr": "0.999998", "en": "0.999997"}.items():
        table = documents([SENTENCES[code][:20]])
        _, dropped, _ = process(table, [PlannedStage("language", stage)])
        row = dropped.to_pylist()[0]
        assert (row["drop_reason"], row["drop_threshold"]) == ("min_score", threshold)
        score = measure(stage, SENTENCES[code][:20])["score"]
        assert float(row["drop_value"]) == pytest.approx(score)


def test_language_other_scores_are_decided_without_measuring_again(documents: MakeTable) -> None:
    before, after = load(keep=None), load(keep=["de"], min_score={"de": 0.2, "default": 0.9})
    assert after.measured_by() == before.measured_by()
    table = documents(list(SENTENCES.values()))
    kept, _, _ = process(table, [PlannedStage("language", load(keep=None, min_score=None))])
    scores = kept["language.score"]
    kept = kept.set_column(kept.column_names.index("text"), "text", documents([""] * 23)["text"])
    again, _, _ = process(kept, [PlannedStage("language", after)])
    assert again["language"].to_pylist() == ["de"]  # of a text that is gone
    assert again["language.score"].to_pylist() == [scores[list(SENTENCES).index("de")].as_py()]


# --- what short and odd texts get


@pytest.mark.parametrize("text", ["", " ", "\n\n", "1", "\u2028", "\x01"])
def test_language_text_that_shows_nothing_is_und(text: str, measure: Measure) -> None:
    assert measure(Language(top_k=2), text) == {
        "language": "und",
        "score": 0,
        "languages": "und:0.0000",
    }


def test_language_short_text_is_labelled_and_falls_below_the_score(
    documents: MakeTable, measure: Measure
) -> None:
    scores = [measure(Language(), SENTENCES["en"][:n])["score"] for n in (5, 20, 80)]
    assert scores[0] < 0.65 < scores[2]
    assert scores == sorted(scores)
    _, dropped, _ = process(documents(["The f"]), [PlannedStage("language", load(keep=None))])
    assert dropped["drop_reason"].to_pylist() == ["min_score"]


# --- several languages


def test_language_top_k_lists_the_likeliest_best_first(measure: Measure) -> None:
    found = measure(Language(top_k=3), "Der Boden and the rain et la terre")
    pairs = [pair.split(":") for pair in found["languages"].split()]
    assert len(pairs) == 3
    assert pairs[0] == [found["language"], f"{found['score']:.4f}"]
    assert [float(score) for _, score in pairs] == sorted(
        (float(s) for _, s in pairs), reverse=True
    )


def test_language_top_k_changes_neither_label_nor_score(measure: Measure) -> None:
    for text in SENTENCES.values():
        one, many = measure(Language(), text), measure(Language(top_k=4), text)
        assert many.items() >= one.items()
        assert "languages" not in one


# --- a model by path


def test_language_fasttext_model_labels_and_decides(documents: MakeTable, model: Path) -> None:
    stage = load(model=str(model), keep=["de", "en"], min_score=0.1)
    stage.check()
    kept, dropped = run(documents, stage)
    assert kept == ["en", "de"]
    assert dropped["fr"] == dropped["und"] == "keep"


def test_language_fasttext_model_lists_top_k(measure: Measure, model: Path) -> None:
    found = measure(load(model=str(model), top_k=2), SENTENCES["fr"])
    pairs = found["languages"].split()
    assert len(pairs) == 2
    assert pairs[0] == f"fr:{found['score']:.4f}"


def test_language_fasttext_white_space_is_und(measure: Measure, model: Path) -> None:
    assert measure(load(model=str(model)), " \n") == {"language": "und", "score": 0}


def test_language_fasttext_model_knows_other_codes(model: Path) -> None:
    stage = load(model=str(model), keep=["af"])
    with pytest.raises(UserError) as error:
        stage.check()
    assert "no code 'af'" in str(error.value)
    assert f"It knows: {', '.join(sorted(SENTENCES))}" in str(error.value)


def test_language_missing_model_is_an_error_of_check(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.bin"):
        load(model=str(tmp_path / "absent.bin")).check()


def test_language_model_is_known_by_what_it_holds(model: Path, tmp_path: Path) -> None:
    copy, other = tmp_path / "copy.bin", tmp_path / "other.bin"
    copy.write_bytes(model.read_bytes())
    other.write_bytes(model.with_name("model.ftz").read_bytes())
    names = [
        fingerprint(describe(PlannedStage("language", Language(model=path))))
        for path in (model, copy, other, None)
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 3

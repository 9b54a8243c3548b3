"""The stage that ranks by benchmarks: what it keeps, learns and tells, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from curation.config import build
from curation.embedding.embedder import make_embedder
from curation.errors import UserError
from curation.filters.keep_top import KeepTop
from curation.scorers.benchmark_rank import BenchmarkRank
from curation.scorers.embedding_options import embed_finite
from curation.scorers.evaluation import spearman
from curation.scorers.keep_rate import keep_frac_of
from curation.scorers.splitting import VECTOR
from tests.classes import SMALL, advert, fasttext_model, linear_model, model_cache, sample
from tests.corpora import prose, write_jsonl

GIVEN: dict[str, Any] = {
    "documents": ["pool"],
    "targets": ["essays"],
    "positive_frac": 0.2,
    "classifier_params": SMALL,
    "fast": True,
    "cache": str(model_cache()),
}
# A fifth of the pool is like the targets.
POOL = [prose(i) if i % 5 == 0 else advert(i) for i in range(150)]


def stage(**changes: Any) -> BenchmarkRank:
    return build(BenchmarkRank, GIVEN | changes, where="test")


def fit(one: BenchmarkRank, folder: Path, pool: list[str], *targets: list[str]) -> dict[str, Any]:
    tables = {"documents": sample(pool, "pool")}
    tables |= {f"targets[{i}]": sample(texts, "target") for i, texts in enumerate(targets)}
    return one.fit({role: one.attach(table) for role, table in tables.items()}, folder, seed=0)


def essays(count: int) -> list[str]:
    return [prose(1000 + i) for i in range(count)]


@pytest.mark.parametrize(
    ("classifier", "params"), [("fasttext_score", SMALL), ("linear_score", {"word_ngrams": 1})]
)
def test_score_is_high_for_what_is_like_the_targets(
    tmp_path: Path, classifier: str, params: dict[str, Any]
) -> None:
    one = stage(classifier=classifier, classifier_params=params)
    metrics = fit(one, tmp_path, POOL, essays(30))
    assert [path.name for path in tmp_path.iterdir()] == [one.model_file]
    ready = one.fitted(tmp_path)
    assert not ready.samples()
    good, bad = (
        ready.measure(sample([make(5000 + i) for i in range(20)]))["score"].to_pylist()
        for make in (prose, advert)
    )
    assert min(good) > max(bad)
    assert metrics["auc"]["value"] == 1
    assert metrics["ranking"] == {
        "value": "max",
        "documents": 150,
        "without_vector": 0,
        "positives": 30,
        "spearman": metrics["ranking"]["spearman"],
        "targets": [{"name": "essays", "examples": 30, "without_vector": 0, "positives_frac": 1.0}],
    }
    assert metrics["ranking"]["spearman"] > 0.5


def test_target_sets_count_with_as_many_examples(tmp_path: Path) -> None:
    one = stage(targets=["essays", "shops"], positive_frac=0.4)
    shops = [advert(2000 + i) for i in range(60)]
    targets = fit(one, tmp_path, POOL, essays(12), shops)["ranking"]["targets"]
    assert [(t["name"], t["examples"]) for t in targets] == [("essays", 12), ("shops", 12)]
    assert sum(t["positives_frac"] for t in targets) == pytest.approx(1)


def test_duplicates_of_the_sample_are_ranked_once(tmp_path: Path) -> None:
    found = fit(stage(), tmp_path, POOL + POOL[:40] * 3, essays(30))["ranking"]
    assert found["documents"] == 150


def test_suites_of_evidence_are_targets(tmp_path: Path) -> None:
    rows = [
        {"suite": f"s{i % 2}", "item": str(i), "field": "question", "text": text}
        for i, text in enumerate(essays(40))
    ]
    path = write_jsonl(tmp_path / "evidence.jsonl", rows)
    folder = tmp_path / "fit"
    folder.mkdir()
    one = stage(targets=[], evidence=[str(path)], suites=["s1"])
    assert [t["name"] for t in fit(one, folder, POOL)["ranking"]["targets"]] == ["s1"]
    both = stage(targets=[], evidence=[str(tmp_path)])
    [(_, expanded)] = both.expand("rank")
    assert expanded.parameters()["evidence"] == (str(path),)
    assert expanded.made_from()["evidence"] != ""


def test_evidence_counts_by_what_it_holds(tmp_path: Path) -> None:
    rows = [{"text": text} for text in essays(30)]
    made = []
    for name, given in (("a.jsonl", rows), ("b.jsonl", rows), ("c.jsonl", rows[1:])):
        path = write_jsonl(tmp_path / name, given)
        made.append(stage(evidence=[str(path)]).made_from()["evidence"])
    assert made[0] == made[1] != made[2]


# --- how much is kept


@pytest.mark.parametrize(("compute", "percent"), [(1e20, 4.0), (1e22, 12.65), (1e23, 22.49)])
def test_keep_frac_by_compute_is_what_the_paper_prints(compute: float, percent: float) -> None:
    assert keep_frac_of(compute) * 100 == pytest.approx(percent, abs=0.01)
    assert keep_frac_of(1e40) == 1


def test_compute_expands_to_keep_top() -> None:
    one = stage(compute=1e20)
    (_, alone), (label, top) = one.expand("rank")
    assert label == "rank.keep_frac"
    assert isinstance(top, KeepTop)
    assert top.keep_frac == pytest.approx(0.04)
    assert alone.parameters()["compute"] is None
    fitted = stage(compute=6e13, compute_coefficient=1e-3, compute_exponent=0.3)
    assert fitted.kept_frac == pytest.approx(1e-5 * 6e13**0.3)


# --- what goes wrong


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"documents": []}, "needs either 'model', or"),
        ({"targets": []}, "needs either 'model', or"),
        ({"model": "m.bin"}, "needs either 'model', or"),
        ({"positive_frac": 0.0}, "'positive_frac' must be above 0"),
        ({"positive_frac": 0.51}, "'positive_frac' must be above 0"),
        ({"max_examples": 0}, "'max_examples' must be at least 1"),
        ({"max_documents": 0}, "'max_documents' and 'max_chars'"),
        ({"suites": []}, "'suites' is empty"),
        ({"keep_frac": 0.1, "compute": 1e20}, "in place of 'keep_frac'"),
        ({"compute": 0.0}, "must be > 0"),
        ({"keep_by": "source"}, "needs a 'keep_frac'"),
        ({"min_score": 1.5}, "must be in \\[0, 1\\]"),
        ({"classifier_params": {"dims": 4}}, "has no parameter 'dims'"),
        ({"chunks": "mean"}, "'chunks' is for 'fast: false'"),
    ],
)
def test_impossible_parameters(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        stage(**changes)


def test_documents_that_are_all_the_same_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="150 were drawn, 1 of them distinct"):
        fit(stage(), tmp_path, [prose(1)] * 150, essays(30))


def test_target_set_of_one_example_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'essays' has 1 distinct examples"):
        fit(stage(), tmp_path, POOL, essays(1) * 20)


def test_targets_of_a_judge_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no judge whose suites could be targeted"):
        fit(stage(targets="eval"), tmp_path, POOL)


def test_check_refuses_what_is_no_embedding_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither a folder nor in the cache"):
        stage(fast=False, cache=None, embedding_model="no-such-model").check()
    with pytest.raises(UserError, match="holds no sentence-transformers model"):
        stage(fast=False, cache=None, embedding_model=str(tmp_path)).check()


def test_check_refuses_what_is_no_classifier(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"junk" * 100)
    for classifier, good in (("fasttext_score", fasttext_model), ("linear_score", linear_model)):
        given = {"classifier": classifier, "model": str(tmp_path / "m")}
        with pytest.raises(UserError, match="is no"):
            build(BenchmarkRank, given, where="test").check()
        build(BenchmarkRank, given | {"model": str(good())}, where="test").check()


class Broken:
    """An embedder whose vector of a text with a marked word is not finite."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.real = make_embedder(fast=True, cache=model_cache())
        self.size = self.real.size

    def embed(self, texts: Any) -> np.ndarray:
        if any(self.word in text for text in pa.chunked_array([texts]).to_pylist()):
            raise ValueError("the model gives a vector that is not finite")
        return self.real.embed(texts)


def test_text_without_a_finite_vector_has_none_and_costs_no_other_its_own() -> None:
    found = embed_finite(Broken("voucher"), ["a voucher", "the river", "the stone"])  # type: ignore[arg-type]
    assert np.linalg.norm(found, axis=1) == pytest.approx([0, 1, 1])


def test_documents_and_examples_without_a_vector_are_counted(tmp_path: Path) -> None:
    one = stage()
    tables = {"documents": one.attach(sample(POOL)), "targets[0]": one.attach(sample(essays(30)))}
    for role, table in tables.items():
        vectors = table[VECTOR].combine_chunks()
        values = vectors.flatten().to_numpy().copy()
        values[: 2 * vectors.type.list_size] = np.nan if role == "documents" else 0
        column = pa.FixedSizeListArray.from_arrays(pa.array(values), vectors.type.list_size)
        tables[role] = table.set_column(table.column_names.index(VECTOR), VECTOR, column)
    found = one.fit(tables, tmp_path, seed=0)["ranking"]
    assert found["without_vector"] == 2
    assert found["documents"] == 148
    assert found["targets"][0]["without_vector"] == 2
    assert found["targets"][0]["examples"] == 28


def test_spearman_by_hand() -> None:
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])) == pytest.approx(0.8)
    assert spearman(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1)
    assert spearman(np.array([1.0, 1, 1]), np.array([3.0, 2, 1])) is None

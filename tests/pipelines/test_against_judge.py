"""`against: eval`: recipes are cleaned of what their judge asks; hits lie beside the dataset."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from curation.backends import InlineBackend
from curation.dataset import Dataset
from curation.errors import UserError
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import Outcome, run
from tests.corpora import prose, write_jsonl

QUERY = "The keeper of the lighthouse counts seven ships before the fog hides the harbour, and the"
ITEMS = [
    {"query": QUERY, "choices": ["eighth ship waits", "bell is silent"], "gold": 0},
    {"query": "An entirely different question of no use", "choices": ["one", "two"], "gold": 1},
]


@pytest.fixture
def leaky(corpus: Path, judge: Path) -> Path:
    """A corpus with two documents that hold an item of the judge's suite, and one with a panel."""
    write_jsonl(corpus / "quiz.jsonl", ITEMS)
    value = yaml.safe_load(judge.read_text()) | {"suites": ["quiz.jsonl"]}
    value["panels"].append({"name": "letters", "path": "letters.jsonl"})
    judge.write_text(yaml.safe_dump(value, sort_keys=False))
    letter = prose(777, sentences=12)
    write_jsonl(corpus / "letters.jsonl", [{"id": "letter", "text": letter}])
    quoted = " ".join(letter.split()[:80])
    texts = [f"{prose(500)}\n\n{QUERY}\n\n{prose(501)}", f"{prose(502)} {QUERY.upper()} eighth"]
    # Of this document less than half is panel text, so that it is not held out.
    texts.append(f"{prose(503, sentences=40)} {quoted}")
    rows = [{"id": f"leak-{i}", "text": text} for i, text in enumerate(texts)]
    write_jsonl(corpus / "docs" / "99.jsonl", rows)
    return corpus


def curated(folder: Path, file: Path) -> Outcome:
    recipe = load_recipe(file)
    return run([recipe], folder / "out", InlineBackend(), silent, until="dataset")


def texts(folder: Path, name: str = "curated") -> dict[str, str]:
    batches = Dataset(folder / "out" / name / "dataset").batches(["id", "text"])
    return {row["id"]: row["text"] for batch in batches for row in batch.to_pylist()}


def test_recipe_is_cleaned_of_suites_and_panels(leaky: Path, recipe: Callable[..., Path]) -> None:
    curate = [{"decontaminate": {"against": "eval"}}]
    outcome = curated(leaky, recipe(judge="judge.yaml", curate=curate))
    assert not [name for name in texts(leaky) if name.startswith("leak")]
    manifest = outcome.manifests["curated"]
    (stage,) = manifest["stages"]
    suites = stage["report"]["suites"]
    assert {name: suite["documents"] for name, suite in suites.items()} == {
        "quiz": 2, "panels.docs": 0, "panels.letters": 1,
    }  # fmt: skip
    assert suites["quiz"]["contaminated"] == 1
    assert manifest["artifacts"] == [
        {
            "stage": "decontaminate",
            "folder": "artifacts/decontaminate",
            "files": ["hits.parquet", "items.parquet"],
        }
    ]
    folder = leaky / "out" / "curated" / "artifacts" / "decontaminate"
    hits = pq.read_table(folder / "hits.parquet").to_pylist()
    assert sorted((hit["id"], hit["suite"]) for hit in hits) == [
        ("leak-0", "quiz"), ("leak-1", "quiz"), ("leak-2", "panels.letters"),
    ]  # fmt: skip
    states = pq.read_table(folder / "items.parquet").to_pylist()
    assert [row["state"] for row in states if row["suite"] == "quiz"] == ["contaminated", "clean"]


def test_finished_recipe_is_found_again_and_lost_artifacts_are_made_again(
    leaky: Path, recipe: Callable[..., Path]
) -> None:
    file = recipe(judge="judge.yaml", curate=[{"decontaminate": {"against": "eval"}}])
    first = curated(leaky, file)
    again = curated(leaky, file)
    assert again.found == {"curated"}
    assert again.manifests == first.manifests
    hits = leaky / "out" / "curated" / "artifacts" / "decontaminate" / "hits.parquet"
    before = hits.read_bytes()
    hits.unlink()
    curated(leaky, file)
    assert hits.read_bytes() == before


def test_items_are_cut_from_documents_that_stay(leaky: Path, recipe: Callable[..., Path]) -> None:
    curate = [{"decontaminate": {"against": "eval", "action": "cut"}}]
    curated(leaky, recipe(judge="judge.yaml", curate=curate))
    assert texts(leaky)["leak-0"] == f"{prose(500)}\n\n{prose(501)}"


def test_files_and_folders_serve_without_a_judge(leaky: Path, recipe: Callable[..., Path]) -> None:
    row = {"suite": "quiz", "item": "1", "field": "question", "text": QUERY}
    write_jsonl(leaky / "evidence" / "a.jsonl", [row])
    given: dict[str, Any] = {"against": ["evidence"], "action": "drop"}
    outcome = curated(leaky, recipe(curate=[{"decontaminate": given}]))
    assert sorted(n for n in texts(leaky) if n.startswith("leak")) == ["leak-2"]
    (stage,) = outcome.manifests["curated"]["stages"]
    assert stage["params"]["against"] == ["evidence/a.jsonl"]
    dropped = pq.read_table(leaky / "out" / "curated" / "dropped").to_pylist()
    values = {row["id"]: row["drop_value"] for row in dropped}
    assert values == {"leak-0": "quiz/1/1.000", "leak-1": "quiz/1/1.000"}
    assert json.dumps(stage["report"]["top"][0]["text"]).count("lighthouse") == 1


def test_eval_without_a_judge_is_an_error(leaky: Path, recipe: Callable[..., Path]) -> None:
    file = recipe(curate=[{"decontaminate": {"against": "eval"}}])
    with pytest.raises(UserError, match=r"curated.yaml: decontaminate.against: there is no judge"):
        curated(leaky, file)
    assert not (leaky / "out" / "curated").exists()


def test_missing_evidence_is_an_error_when_the_recipe_is_loaded(
    corpus: Path, recipe: Callable[..., Path]
) -> None:
    file = recipe(curate=[{"decontaminate": {"against": ["none.parquet"]}}])
    with pytest.raises(UserError, match=r"none.parquet cannot be read"):
        load_recipe(file)

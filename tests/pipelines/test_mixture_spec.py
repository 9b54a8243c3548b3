"""The mixture of a recipe: by any column, in the recipe or in a file of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.backends import InlineBackend
from curation.errors import UserError
from pipelines.progress import silent
from pipelines.recipe import load_recipe
from pipelines.run import run
from tests.corpora import write_yaml

Write = Callable[..., Path]


def test_mixture_of_a_file_is_the_mixture_written_in_the_recipe(
    recipe: Write, corpus: Path
) -> None:
    mixture = {"by": "language", "weights": {"en": 0.75, "none": 0.25}, "max_epochs": 2}
    write_yaml(corpus / "found/mixture.yaml", mixture)
    assert (
        load_recipe(recipe("r", mixture="found/mixture.yaml")).mixture
        == load_recipe(recipe("r", mixture=mixture)).mixture
    )


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ({"by": "langage"}, "mixture.by: the dataset has no column 'langage'.*mean 'language'"),
        ({"by": "text"}, "mixture.by: 'text' holds string, whose values are no domains"),
        ({"by": "gopher_quality.words"}, "mixture.by: the dataset has no column"),
        ({"by": "language", "weights": {"en": -1}}, "mixture.weights.en: a weight must be >= 0"),
        ({"by": "language", "weights": {"en": 0}}, "mixture.weights: the weights must not all be"),
        ({"weights": {"dcs": 1}}, "mixture.weights.dcs: there is no source 'dcs'.*mean 'docs'"),
        ("none.yaml", r"r.yaml: mixture.*none.yaml: there is no such file"),
        ("wrong.yaml", r"wrong.yaml.weigths: 'mixture' has no parameter.*Did you mean 'weights'"),
        ("unknown.yaml", r"unknown.yaml: weights.dcs: there is no source 'dcs'"),
        ("negative.yaml", r"negative.yaml: 'max_epochs' must be > 0"),
    ],
)
def test_mistakes_in_a_mixture_are_told_with_their_place(
    recipe: Write, corpus: Path, mixture: Any, message: str
) -> None:
    write_yaml(corpus / "wrong.yaml", {"weigths": {"docs": 1}})
    write_yaml(corpus / "unknown.yaml", {"weights": {"dcs": 1}})
    write_yaml(corpus / "negative.yaml", {"max_epochs": -1})
    with pytest.raises(UserError, match=message):
        load_recipe(recipe("r", mixture=mixture))


def test_column_of_numbers_with_a_point_is_no_domain(recipe: Write) -> None:
    curate = [{"language": {"keep": ["en"]}}]
    with pytest.raises(UserError, match=r"mixture.by: '.*' holds double") as caught:
        load_recipe(recipe("r", curate=curate, mixture={"by": "language.score"}))
    assert caught.value.hint == "It takes: source, url, date, language"


@pytest.mark.slow
def test_run_trains_on_the_mixture_of_a_column(recipe: Write, judge: Path, tmp_path: Path) -> None:
    value = yaml.safe_load(judge.read_text())
    value["train"] |= {"seeds": [0], "tokens": 8192}
    judge.write_text(yaml.safe_dump(value))
    source = {"name": "docs", "format": "jsonl", "path": "docs/*.jsonl"}
    for path in (judge.parent / "docs").glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for i, row in enumerate(rows):
            row["language"] = "en" if i % 3 else None
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    mixture = {"by": "language", "weights": {"en": 0.25, "none": 0.75}, "max_epochs": 99}
    write_yaml(judge.parent / "mixture.yaml", mixture)
    common: dict[str, Any] = {"judge": "judge.yaml", "curate": [], "sources": [source]}
    file = recipe("r", **common, mixture="mixture.yaml")
    out = tmp_path / "out"
    run([load_recipe(file)], out, InlineBackend(), silent)
    record = json.loads((out / "r/runs/seed-0/run.json").read_text())
    shards = json.loads((out / "r/tokens-language/manifest.json").read_text())["sources"]
    assert set(record["epochs"]) == set(shards) == {"en", "none"}
    drawn = {name: record["epochs"][name] * (shards[name]["tokens"] // 128) for name in shards}
    assert drawn["none"] == pytest.approx(3 * drawn["en"], rel=0.1)

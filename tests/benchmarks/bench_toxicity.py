"""Toxicity scorers on labelled posts they have not learned from, and on HateCheck.

HateCheck's cases are written to part hatred from the words it is put in: scorers that look at words
alone rank them worse than chance.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from curation.filters.language import Language
from curation.scorers.classifier import Classifier
from curation.scorers.evaluation import auc_interval
from curation.scorers.fasttext_score import FastTextScore
from curation.scorers.linear_score import LinearScore
from curation.scorers.toxicity import Toxicity
from curation.text import Rows
from tests.benchmarks.data import NO_PROSE, SHARED, json_lines, shared, size, texts
from tests.benchmarks.tables import Table
from tests.benchmarks.timing import Case, rates

PARTS: dict[str, Any] = {"positives": ("toxic",), "negatives": ("other",)}
SPEED_MB = 16.0
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
COUNTS = (1, 2, 3)  # matches from which a document is taken for toxic
LIST, FASTTEXT, LINEAR = "word list", "fasttext_score", "linear_score"


class Posts(NamedTuple):
    """Labelled texts."""

    texts: list[str]
    toxic: Any  # booleans


def run() -> list[Table]:
    """AUC, thresholds, removal per source and speed."""
    train, test = _davidson()
    sets = {"davidson, other half": test, "HateCheck": _hatecheck()}
    with tempfile.TemporaryDirectory() as folder:
        learned = _learn(train, Path(folder))
        return [
            _aucs(learned, sets),
            *_thresholds(learned, sets),
            _removed(learned),
            _speed(learned),
        ]


def _posts(rows: list[dict[str, Any]]) -> Posts:
    return Posts([row["text"] for row in rows], np.array([row["toxic"] for row in rows], bool))


def _davidson() -> tuple[Posts, Posts]:
    """Halves by a hash of the text, so that copies of one stay together."""
    rows = list(json_lines(shared("toxicity", "davidson.jsonl.zst")))
    halves: tuple[list[Any], list[Any]] = ([], [])
    for row in rows:
        halves[hashlib.blake2b(row["text"].strip().lower().encode()).digest()[0] & 1].append(row)
    return _posts(halves[0]), _posts(halves[1])


def _hatecheck() -> Posts:
    return _posts(list(json_lines(shared("toxicity", "hatecheck.jsonl.zst"))))


def _learn(train: Posts, folder: Path) -> dict[str, Classifier]:
    stages: dict[str, Classifier] = {
        # Words, pairs and parts of words, as DESIGN's baseline has them.
        FASTTEXT: FastTextScore(
            **PARTS, lowercase=True, lr=0.5, dim=50, epoch=10, word_ngrams=2, minn=2, maxn=5,
            bucket=200_000,
        ),
        LINEAR: LinearScore(**PARTS),
    }  # fmt: skip
    samples = {"positives": _sample(train, True), "negatives": _sample(train, False)}
    for name, stage in stages.items():
        (folder / name).mkdir()
        stage.fit(samples, folder / name, seed=0)
        stages[name] = stage.fitted(folder / name)
    return stages


def _sample(posts: Posts, toxic: bool) -> pa.Table:
    found = [
        text for text, is_toxic in zip(posts.texts, posts.toxic, strict=True) if is_toxic == toxic
    ]
    found.sort(key=lambda text: hashlib.blake2b(text.encode()).digest())  # a random order
    return _table(found, ["en"] * len(found)).append_column(
        "url", pa.array([None] * len(found), pa.string())
    )


def _table(found: list[str], languages: list[str | None] | pa.ChunkedArray) -> pa.Table:
    kinds = (
        languages if isinstance(languages, pa.ChunkedArray) else pa.array(languages, pa.string())
    )
    return pa.table({"text": pa.array(found, pa.string()), "language": kinds})


def _word_lists() -> Toxicity:
    lists = {path.stem: path for path in sorted(shared("toxicity", "ldnoobw").glob("*.txt"))}
    return Toxicity(word_lists=lists)


def _counts(found: list[str]) -> Any:
    """Matches of the English list, and matches per word."""
    measured = _word_lists().measure(_table(found, ["en"] * len(found)))
    return measured["num_matches"].to_numpy(), measured["match_frac"].to_numpy()


def _scores(stage: Classifier, found: list[str]) -> Rows:
    return stage.score(pa.chunked_array([found], pa.string()))


def _aucs(learned: dict[str, Classifier], sets: dict[str, Posts]) -> Table:
    rows = []
    for name in (LIST, *learned):
        row: list[Any] = [f"{name}, matches per word" if name == LIST else name]
        for posts in sets.values():
            english = name == LIST and _counts(posts.texts)[1]
            scores = english if name == LIST else _scores(learned[name], posts.texts)
            found = auc_interval(scores, posts.toxic, seed=0)
            row += [found["value"], f"{found['ci_low']:.3f} to {found['ci_high']:.3f}"]
        rows.append(tuple(row))
    columns = ("", *(part for name in sets for part in (f"AUC, {name}", "95 %")))
    notes = [
        f"{name}: {len(p.texts):,} texts, {p.toxic.mean():.0%} toxic." for name, p in sets.items()
    ]
    notes.append("0.5 is chance. Learned on the first half of davidson, by a hash of the text.")
    return Table("toxicity: how well toxic texts rank above others", columns, rows, notes)


def _thresholds(learned: dict[str, Classifier], sets: dict[str, Posts]) -> list[Table]:
    tables = []
    for name, posts in sets.items():
        rows = []
        counts, _ = _counts(posts.texts)
        for n in COUNTS:
            rows.append((f"{LIST}, matches >= {n}", *_at(counts >= n, posts.toxic)))
        for label, stage in learned.items():
            scores = _scores(stage, posts.texts)
            rows += [(f"{label} >= {t:g}", *_at(scores >= t, posts.toxic)) for t in THRESHOLDS]
        columns = ("taken for toxic", "precision", "recall", "of the others", "of all")
        tables.append(Table(f"toxicity: thresholds on {name}", columns, rows))
    return tables


def _at(taken: Any, toxic: Any) -> tuple[float | None, float, float, float]:
    """Precision, recall, share of the others that is taken, share of all."""
    precision = float(toxic[taken].mean()) if taken.any() else None
    return precision, float(taken[toxic].mean()), float(taken[~toxic].mean()), float(taken.mean())


def _removed(learned: dict[str, Classifier]) -> Table:
    """What thresholds would remove of ordinary sources, in per cent of their documents."""
    rows = []
    for file in sorted((SHARED / "text").glob("*.jsonl.zst")):
        name = file.name[:-10]
        if name in NO_PROSE:
            continue
        found = [row["text"] for row in json_lines(file)]
        labels = Language(keep=None).measure(_table(found, [None] * len(found)))["language"]
        measured = _word_lists().measure(_table(found, pa.chunked_array([labels])))
        shares = [measured["num_matches"].to_numpy() >= 1, measured["match_frac"].to_numpy() > 0.01]
        shares += [_scores(stage, found) >= t for stage in learned.values() for t in (0.5, 0.9)]
        rows.append((name, len(found), *(round(100 * float(s.mean()), 1) for s in shares)))
    both = [f"{label} >= {t}" for label in learned for t in (0.5, 0.9)]
    columns = ("source", "documents", "any match", "matches > 1 % of words", *both)
    notes = [
        "Per cent of documents. Lists by the language that `language` finds.",
        "The classifiers know tweets of one topic: what they say of other text is a guess.",
    ]
    return Table("toxicity: removed per source", columns, rows, notes)


def _speed(learned: dict[str, Classifier]) -> Table:
    found, name = texts(SPEED_MB)
    table = _table(found, ["en"] * len(found))
    stages = {LIST: _word_lists(), **learned}
    cases = []
    for label, stage in stages.items():
        stage.measure(table[:10])  # compiled, loaded
        cases.append(Case(label, lambda s=stage: s.measure(table), size(found)))  # type: ignore[misc]
    measured = rates(cases)
    rows = [(label, measured[label].typical) for label in stages]
    return Table(
        "toxicity, one core", ("", "MB/s per core"), rows, [f"{size(found):.1f} MB of {name}."]
    )

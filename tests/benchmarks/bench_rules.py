"""Rules and language identification: megabytes per second on one core, and the cost of a start."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from curation.filters.c4_quality import C4Quality
from curation.filters.compression import Compression
from curation.filters.fineweb_quality import FinewebQuality
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.language import Language
from curation.filters.refinedweb_lines import RefinedwebLines
from curation.filters.text_stats import TextStats
from curation.process import PlannedStage, process
from curation.stage import Filter
from tests.benchmarks.data import as_table, size, texts
from tests.benchmarks.tables import Table
from tests.benchmarks.timing import Case, quotients, rates, spread

MANY_MB, FEW_MB = 16.0, 0.5  # ours alone; with a peer, which may take seconds per megabyte
REPEAT = 5  # of ours per round on the few
LANGUAGE = "language"
STAGES: dict[str, Filter] = {
    "gopher_quality": GopherQuality(),
    "gopher_repetition": GopherRepetition(),
    "c4_quality": C4Quality(),
    "fineweb_quality": FinewebQuality(),
    LANGUAGE: Language(),
}
RULES = tuple(name for name in STAGES if name != LANGUAGE)
COMPILED = ("gopher_quality", LANGUAGE)
TOGETHER = "the four in one pass"
OTHERS: dict[str, Filter] = {
    "refinedweb_lines": RefinedwebLines(),
    "text_stats": TextStats(),
    "compression": Compression(),
}
FIRST_CALL = """
import pyarrow as pa, time
from curation.stage import stages
stage, table = stages.get({name!r})(), pa.table({{"id": ["a"], "text": ["Some words of text."]}})
begin = time.process_time()
stage.measure(table)
print(time.process_time() - begin)
"""
Peer = Callable[[str], Any]


def run() -> list[Table]:
    """Rates against peers, then the cost of a first call."""
    return [_speed(), _starts()]


def _speed() -> Table:
    many, name = texts(MANY_MB)
    few = many[:: max(1, round(size(many) / FEW_MB))]
    peers, notes = _peers()
    combinations = {name: (name,) for name in STAGES} | {TOGETHER: RULES}
    alone = rates([_ours(stages, many, 1) for stages in combinations.values()])
    rows = []
    for label, stages in combinations.items():
        row = (label, alone[_name(stages)].typical)
        rows.append(row + _against(_ours(stages, few, REPEAT), peers.get(label), few))
    for label in OTHERS:
        rate = rates([_ours((label,), many, 1)])[label].typical
        rows.append((label, rate, None, "none", None, None, None))
    columns = ("", "MB/s per core", "of few", "peer", "MB/s per core, of few", "ratio", "spread")
    about = f"{size(many):.1f} MB of {name}; few: {len(few)} documents of it, {size(few):.2f} MB."
    ours = (
        "Ours: `process`, which measures, decides, edits and makes the tables of kept and dropped."
    )
    all_four = "datatrove's four filters run on every document, not only on those that still stand."
    return Table(
        "rules, one core", columns, rows, [about, ours, all_four, *notes, *_same_labels(few)]
    )


def _name(stages: Sequence[str]) -> str:
    return ", ".join(stages)


def _ours(stages: Sequence[str], found: list[str], repeat: int) -> Case:
    known = STAGES | OTHERS
    planned, table = [PlannedStage(name, known[name]) for name in stages], as_table(found)
    process(table[:10], planned)  # compiled, or from the cache
    return Case(_name(stages), partial(process, table, planned), size(found), repeat)


def _against(ours: Case, peer: tuple[str, Peer] | None, few: list[str]) -> tuple[Any, ...]:
    """Our rate, the peer's name and rate, their ratio and its spread."""
    if peer is None:
        return (rates([ours])[ours.name].typical, "absent", None, None, None)
    name, judge = peer
    judge(few[0])
    found = rates([ours, Case("peer", partial(_each, judge, few), ours.amount)])
    mine, theirs = found[ours.name], found["peer"]
    ratios = quotients(mine, theirs)
    return (mine.typical, name, theirs.typical, median(ratios), spread(ratios))


def _each(judge: Peer, found: list[str]) -> None:
    for text in found:
        judge(text)


def _peers() -> tuple[dict[str, tuple[str, Peer]], list[str]]:
    """Per combination, the peer's name and its judgement of one text; what is missing."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    peers: dict[str, tuple[str, Peer]] = {LANGUAGE: ("py3langid", identifier.classify)}
    if importlib.util.find_spec("spacy") is None:
        return peers, ["datatrove's rules need spaCy, which is not installed: not measured."]
    return peers | _datatrove_rules(), []


def _datatrove_rules() -> dict[str, tuple[str, Peer]]:
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    made = (GopherQualityFilter, GopherRepetitionFilter, C4QualityFilter, FineWebQualityFilter)
    filters = dict(zip(RULES, (one() for one in made), strict=True))

    def judge(names: Sequence[str], text: str) -> list[Any]:
        return [filters[name].filter(Document(text=text, id="")) for name in names]

    chains = {**{name: (name,) for name in RULES}, TOGETHER: RULES}
    return {label: ("datatrove", partial(judge, names)) for label, names in chains.items()}


def _same_labels(few: list[str]) -> list[str]:
    """Whether the speed of `language` costs agreement with its peer."""
    _, classify = _peers()[0][LANGUAGE]
    ours = Language().measure(as_table(few))["language"].to_pylist()
    same = sum(label == classify(text)[0] for label, text in zip(ours, few, strict=True))
    return [f"`language` gives py3langid's label to {same} of the {len(few)} documents."]


def _starts() -> Table:
    rows = [(name, *_first_calls(name)) for name in COMPILED]
    columns = ("", "s compiling", "s from the cache")
    note = "The second kind is what every later process pays; includes character tables and models."
    return Table("first call of a process", columns, rows, [note, "The rules share one kernel."])


def _first_calls(name: str) -> tuple[float, float]:
    """Seconds with an empty cache of kernels, and with a filled one."""
    with tempfile.TemporaryDirectory() as cache:
        first, second = (_first_call(name, cache) for _ in range(2))
    return first, second


def _first_call(name: str, cache: str) -> float:
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", FIRST_CALL.format(name=name)]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, check=True
    )
    return float(done.stdout)

"""Measures parity on all documents and writes the tables into README.md, about ten minutes.

python -m tests.curation.parity            # from the repository root
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tests.curation.parity import corpus
from tests.curation.parity.agreement import Agreement, Flags, compare
from tests.curation.parity.causes import causes_of, example_of
from tests.curation.parity.pairs import LINE_RULES, RULES, WHOLE, Pair
from tests.curation.parity.peer import taken_apart_once

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- measured:begin -->", "<!-- measured:end -->"
OTHERS = {
    "code": ("code_python",),
    "technical": ("docs_tech",),
    "TeX": ("math",),
    "de, fr": ("lang_de", "lang_fr"),
    "ru": ("lang_ru",),
    "ja, zh": ("lang_ja", "lang_zh"),
}
MOST_OTHERS = 300  # documents of each file
EXAMPLES = 3


def main() -> None:
    with taken_apart_once():
        prose = corpus.unique([*corpus.all_prose(), *corpus.edited()])
        found = {
            (stage, p.name): (p, _compare(p, prose)) for stage, ps in RULES.items() for p in ps
        }
        parts = [
            _about(prose),
            _table(_rule_rows(found, prose)),
            _table(_filter_rows(prose)),
            _table(_line_rows()),
            _table(_cause_rows(found, prose)),
            _table(_other_rows()),
        ]
    text = "\n\n".join(parts)
    print(text)
    old = README.read_text("utf-8")
    new = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{text}\n{END}", old, flags=re.S)
    README.write_text(new, "utf-8")


def _compare(pair: Pair, texts: Sequence[str]) -> Agreement:
    print(pair.name, file=sys.stderr, flush=True)
    return compare(pair, texts)


def _about(prose: list[str]) -> str:
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("datatrove", "spacy"))
    size = sum(map(len, prose)) / 1e6
    return f"{len(prose):,} documents, {size:.0f} million characters; {', '.join(versions)}."


def _near(pair: Pair, texts: Sequence[str]) -> Flags:
    """The texts whose statistic, as either measures it, is within NEAR of the threshold."""
    low, high = (
        compare(pair.scaled(factor), texts) for factor in (1 - corpus.NEAR, 1 + corpus.NEAR)
    )
    return (low.ours != high.ours) | (low.theirs != high.theirs)


def _rule_rows(
    found: dict[tuple[str, str], tuple[Pair, Agreement]], texts: Sequence[str]
) -> Iterator[Sequence[str]]:
    yield "rule", "drops", "agreement", "F1 on drops", "near the threshold", "agreement there"
    for (stage, name), (pair, all_) in found.items():
        near = _near(pair, texts)
        there = (str(near.sum()), f"{all_.among(near).agreement:.4f}") if near.any() else ("", "")
        yield f"`{stage}`: `{name}`", *_figures(all_), *there


def _figures(found: Agreement) -> tuple[str, str, str]:
    return f"{found.theirs.sum():,}", f"{found.agreement:.4f}", f"{found.f1:.4f}"


def _filter_rows(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    yield "filter, all rules", "drops", "agreement", "F1 on drops", "same text left"
    for pair in WHOLE:
        found = _compare(pair, texts)
        same = f"{found.same_text_frac:.4f}" if pair.edits else ""
        yield f"`{pair.name}`", *_figures(found), same


def _line_rows() -> Iterator[Sequence[str]]:
    lines = corpus.unique([*corpus.lines_of(corpus.drawn_prose()), *corpus.edited_lines()])
    yield f"{len(lines):,} lines", "drops", "agreement", "F1 on drops", "same text left"
    for pair in LINE_RULES:
        found = _compare(pair, lines)
        yield f"`c4_quality`: `{pair.name}`", *_figures(found), f"{found.same_text_frac:.4f}"


def _cause_rows(
    found: dict[tuple[str, str], tuple[Pair, Agreement]], texts: Sequence[str]
) -> Iterator[Sequence[str]]:
    """What explains the disagreements; one may have several causes."""
    yield "cause", "disagreements", "rules", "such as"
    count: Counter[str] = Counter()
    rules: dict[str, Counter[str]] = {}
    examples: dict[str, list[str]] = {}
    for pair, all_ in found.values():
        for row in np.flatnonzero(all_.differ):
            for cause in causes_of(pair, texts[row]) or ["unexplained"]:
                count[cause] += 1
                rules.setdefault(cause, Counter())[pair.name] += 1
                examples.setdefault(cause, []).append(example_of(cause, texts[row]))
    for cause, times in count.most_common():
        where = ", ".join(f"`{name}` {n}" for name, n in rules[cause].most_common())
        shown = dict.fromkeys(text for text in examples[cause] if text)
        yield cause, str(times), where, "; ".join([*shown][:EXAMPLES])


def _other_rows() -> Iterator[Sequence[str]]:
    texts = {
        group: corpus.unique([t for name in names for t in corpus.documents(name)[:MOST_OTHERS]])
        for group, names in OTHERS.items()
    }
    yield "agreement (drops)", *(f"{group}: {len(found)}" for group, found in texts.items())
    for stage, pairs in {**RULES, "all rules": WHOLE}.items():
        for pair in pairs:
            cells = (_compare(pair, found) for found in texts.values())
            shown = [f"{cell.agreement:.3f} ({cell.theirs.sum()})" for cell in cells]
            yield f"`{stage}`: `{pair.name}`", *shown


def _table(rows: Iterator[Sequence[str]]) -> str:
    head, *body = rows
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))


if __name__ == "__main__":
    main()

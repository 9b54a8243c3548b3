"""Rules of ours and of datatrove's that should decide alike, each alone: all others are off."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curation.filters.c4_quality import C4Quality
from curation.filters.fineweb_quality import FinewebQuality
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.text_rules import TextRules

# The definitions of datatrove, where ours differ.
QUALITY = GopherQuality(words="spacy", bullets=("•", "-"))
REPETITION = GopherRepetition(words="spacy")
FINEWEB = FinewebQuality(words="spacy")
C4 = C4Quality(end_marks=".?!\"'")

QUALITY_OFF = dict.fromkeys(
    [
        *("min_doc_words", "max_doc_words", "min_avg_word_length", "max_avg_word_length"),
        *("max_symbol_word_ratio", "max_bullet_lines_ratio", "max_ellipsis_lines_ratio"),
        *("max_non_alpha_words_ratio", "min_stop_words"),
    ]
)
REPETITION_OFF: dict[str, Any] = {
    **dict.fromkeys(["dup_line_frac", "dup_para_frac", "dup_line_char_frac", "dup_para_char_frac"]),
    "top_n_grams": (),
    "dup_n_grams": (),
}
FINEWEB_OFF = {
    "line_punct_thr": 0,
    "short_line_thr": 1,
    "char_duplicates_ratio": 1,
    "new_line_ratio": float("inf"),
}
C4_OFF = {
    "remove_citations": False,
    "filter_no_terminal_punct": False,
    "min_num_sentences": -1,
    "min_words_per_line": -1,
    "max_word_length": -1,
    "filter_lorem_ipsum": False,
    "filter_javascript": False,
    "filter_curly_bracket": False,
    "filter_policy": False,
}
C4_LINES_OFF: dict[str, Any] = {
    "end_marks": None,
    "min_words_per_line": None,
    "max_word_chars": None,
    "cut_citations": False,
    "cut_javascript": False,
    "cut_policies": False,
}


@dataclass(frozen=True)
class Pair:
    """One rule of ours, or a whole filter, and its peer."""

    name: str
    ours: TextRules
    peer: Callable[[], Any]  # makes datatrove's filter, which is imported only here
    edits: bool = False  # what matters is which text is left


def _filter(kind: str, params: dict[str, Any]) -> Callable[[], Any]:
    def make() -> Any:
        from datatrove.pipeline import filters

        return getattr(filters, kind)(**params)

    return make


def _only(stage: TextRules, **params: Any) -> TextRules:
    """The stage with no rule but these."""
    return dataclasses.replace(stage, **{**dict.fromkeys(stage.decides), **params})


def _at_default(stage: TextRules, *names: str) -> TextRules:
    return _only(stage, **{name: getattr(stage, name) for name in names})


MOST_WORDS = 300  # documents of 100,000 words, the default, are too many megabytes for a test


def _quality() -> list[Pair]:
    off, quality = QUALITY_OFF, "GopherQualityFilter"
    peers = {
        "min_words": {"min_doc_words": 50},
        "min_avg_word_len": {"min_avg_word_length": 3},
        "max_avg_word_len": {"max_avg_word_length": 10},
        "max_symbol_word_ratio": {"max_symbol_word_ratio": 0.1},
        "max_bullet_line_frac": {"max_bullet_lines_ratio": 0.9},
        "max_ellipsis_line_frac": {"max_ellipsis_lines_ratio": 0.3},
        "min_alpha_word_frac": {"max_non_alpha_words_ratio": 0.8},
        "min_stop_words": {"min_stop_words": 2},
    }
    most = Pair(
        f"max_words: {MOST_WORDS}",
        _only(QUALITY, max_words=MOST_WORDS),
        _filter(quality, {**off, "max_doc_words": MOST_WORDS}),
    )
    return [most] + [
        Pair(name, _at_default(QUALITY, name), _filter(quality, {**off, **params}))
        for name, params in peers.items()
    ]


def _repetition() -> list[Pair]:
    peers: dict[str, dict[str, Any]] = {}
    for param in REPETITION.decides:
        value, name = getattr(REPETITION, param), param.removeprefix("max_")
        kind, n = name.split("_")[:2]
        if kind == "dup" and not n.isdigit():
            peers[param] = {name: value}
        else:
            peers[param] = {f"{kind}_n_grams": ((int(n), value),)}
    return [
        Pair(
            name,
            _at_default(REPETITION, name),
            _filter("GopherRepetitionFilter", {**REPETITION_OFF, **params}),
        )
        for name, params in peers.items()
    ]


def _c4() -> list[Pair]:
    c4, off = "C4QualityFilter", C4_OFF
    unedited = dataclasses.replace(C4, **C4_LINES_OFF)
    # Without a rule on words, datatrove counts a sentence in every blank line.
    sentences = {**off, "min_num_sentences": 5, "min_words_per_line": 1}
    return [
        Pair("min_sentences", _at_default(unedited, "min_sentences"), _filter(c4, sentences)),
        Pair(
            "max_lorem_ipsum_lines",
            _at_default(unedited, "max_lorem_ipsum_lines"),
            _filter(c4, {**off, "filter_lorem_ipsum": True}),
        ),
        Pair(
            "max_curly_bracket_lines",
            _at_default(unedited, "max_curly_bracket_lines"),
            _filter(c4, {**off, "filter_curly_bracket": True}),
        ),
    ]


def _fineweb() -> list[Pair]:
    peers: dict[str, dict[str, Any]] = {
        "min_line_punct_frac": {"line_punct_thr": 0.12},
        "max_short_line_frac": {"short_line_thr": 0.67},
        "max_dup_line_char_frac": {"char_duplicates_ratio": 0.01},
        "max_newline_word_ratio": {"new_line_ratio": 0.3},
    }
    return [
        Pair(
            name,
            _at_default(FINEWEB, name),
            _filter("FineWebQualityFilter", {**FINEWEB_OFF, **params}),
        )
        for name, params in peers.items()
    ]


RULES = {
    "gopher_quality": _quality(),
    "gopher_repetition": _repetition(),
    "c4_quality": _c4(),
    "fineweb_quality": _fineweb(),
}
WHOLE = [
    Pair("gopher_quality", QUALITY, _filter("GopherQualityFilter", {})),
    Pair("gopher_repetition", REPETITION, _filter("GopherRepetitionFilter", {})),
    Pair("c4_quality", C4, _filter("C4QualityFilter", {}), edits=True),
    Pair("fineweb_quality", FINEWEB, _filter("FineWebQualityFilter", {})),
]


def _line(name: str, ours: dict[str, Any], peer: dict[str, Any]) -> Pair:
    stage = _only(dataclasses.replace(C4, **{**C4_LINES_OFF, **ours}))
    return Pair(name, stage, _filter("C4QualityFilter", {**C4_OFF, **peer}), edits=True)


# Judged line by line: a line is a document, and dropped if nothing is left of it.
LINE_RULES = [
    _line("end_marks", {"end_marks": C4.end_marks}, {"filter_no_terminal_punct": True}),
    _line("min_words_per_line", {"min_words_per_line": 3}, {"min_words_per_line": 3}),
    _line("max_word_chars", {"max_word_chars": 1000}, {"max_word_length": 1000}),
    _line("cut_citations", {"cut_citations": True}, {"remove_citations": True}),
    _line("cut_javascript", {"cut_javascript": True}, {"filter_javascript": True}),
    _line("cut_policies", {"cut_policies": True}, {"filter_policy": True}),
]

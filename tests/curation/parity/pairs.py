"""Rules of ours and of datatrove's that should decide alike, each alone: all others are off."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curation.filters.c4_quality import C4Quality
from curation.filters.fineweb_quality import FinewebQuality
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.text_rules import TextRules

# Set to the definitions of datatrove, where they differ from the defaults.
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
MOST_WORDS = 300  # documents of 100,000 words, the default, are too many megabytes for a test


@dataclass(frozen=True)
class Pair:
    """A filter of ours, with all rules or one, and its peer, datatrove's class `kind`."""

    name: str
    ours: TextRules
    kind: str
    params: dict[str, Any]
    rule: dict[str, Any] = dataclasses.field(default_factory=dict)  # the threshold, among `params`
    edits: bool = False  # what matters is which text is left

    def peer(self) -> Any:
        """datatrove's filter."""
        from datatrove.pipeline import filters

        return getattr(filters, self.kind)(**self.params, **self.rule)

    def scaled(self, factor: float) -> Pair:
        """With other thresholds, where they are numbers above 0."""
        ours = {
            rule.param: _scale(rule.threshold, factor, math.ceil if rule.bound == "min" else int)
            for rule in self.ours.rules()
            if rule.threshold
        }
        rule = {name: _scale(value, factor, float) for name, value in self.rule.items()}
        return dataclasses.replace(self, ours=dataclasses.replace(self.ours, **ours), rule=rule)


def _scale(value: Any, factor: float, whole: Callable[[float], float]) -> Any:
    """`value` times `factor`; `whole` makes what a count is compared with."""
    if isinstance(value, tuple):
        return tuple((n, limit * factor) for n, limit in value)
    if isinstance(value, bool):
        return value
    return whole(value * factor) if isinstance(value, int) else value * factor


def _only(stage: TextRules, **params: Any) -> TextRules:
    """The stage with no rule but these."""
    return dataclasses.replace(stage, **{**dict.fromkeys(stage.decides), **params})


def _pairs(
    stage: TextRules, kind: str, off: dict[str, Any], rules: dict[str, dict[str, Any]]
) -> list[Pair]:
    """A pair for each rule: our parameter, at its value, to datatrove's parameters."""
    return [
        Pair(
            name,
            _only(stage, **{name: getattr(stage, name)}),
            kind,
            {key: value for key, value in off.items() if key not in rule},
            rule,
        )
        for name, rule in rules.items()
    ]


def _repetition() -> dict[str, dict[str, Any]]:
    rules = {}
    for param in REPETITION.decides:
        limit, name = getattr(REPETITION, param), param.removeprefix("max_")
        kind, n = name.split("_")[:2]
        rules[param] = {f"{kind}_n_grams": ((int(n), limit),)} if n.isdigit() else {name: limit}
    return rules


RULES = {
    "gopher_quality": _pairs(
        dataclasses.replace(QUALITY, max_words=MOST_WORDS),
        "GopherQualityFilter",
        QUALITY_OFF,
        {
            "min_words": {"min_doc_words": 50},
            "max_words": {"max_doc_words": MOST_WORDS},
            "min_avg_word_len": {"min_avg_word_length": 3},
            "max_avg_word_len": {"max_avg_word_length": 10},
            "max_symbol_word_ratio": {"max_symbol_word_ratio": 0.1},
            "max_bullet_line_frac": {"max_bullet_lines_ratio": 0.9},
            "max_ellipsis_line_frac": {"max_ellipsis_lines_ratio": 0.3},
            "min_alpha_word_frac": {"max_non_alpha_words_ratio": 0.8},
            "min_stop_words": {"min_stop_words": 2},
        },
    ),
    "gopher_repetition": _pairs(
        REPETITION, "GopherRepetitionFilter", REPETITION_OFF, _repetition()
    ),
    "c4_quality": _pairs(
        dataclasses.replace(C4, **C4_LINES_OFF),
        "C4QualityFilter",
        # Without a rule on words, datatrove counts a sentence in every blank line.
        {**C4_OFF, "min_words_per_line": 1},
        {
            "min_sentences": {"min_num_sentences": 5},
            "max_lorem_ipsum_lines": {"filter_lorem_ipsum": True},
            "max_curly_bracket_lines": {"filter_curly_bracket": True},
        },
    ),
    "fineweb_quality": _pairs(
        FINEWEB,
        "FineWebQualityFilter",
        FINEWEB_OFF,
        {
            "min_line_punct_frac": {"line_punct_thr": 0.12},
            "max_short_line_frac": {"short_line_thr": 0.67},
            "max_dup_line_char_frac": {"char_duplicates_ratio": 0.01},
            "max_newline_word_ratio": {"new_line_ratio": 0.3},
        },
    ),
}
WHOLE = [
    Pair("gopher_quality", QUALITY, "GopherQualityFilter", {}),
    Pair("gopher_repetition", REPETITION, "GopherRepetitionFilter", {}),
    Pair("c4_quality", C4, "C4QualityFilter", {}, edits=True),
    Pair(
        "c4_quality: {end_marks: null}",
        dataclasses.replace(C4, end_marks=None),
        "C4QualityFilter",
        {"filter_no_terminal_punct": False},
        edits=True,
    ),
    Pair("fineweb_quality", FINEWEB, "FineWebQualityFilter", {}),
]


def _line(name: str, ours: dict[str, Any], rule: dict[str, Any]) -> Pair:
    stage = _only(dataclasses.replace(C4, **{**C4_LINES_OFF, **ours}))
    params = {key: value for key, value in C4_OFF.items() if key not in rule}
    return Pair(name, stage, "C4QualityFilter", params, rule, edits=True)


# Judged line by line: a line is a document, and dropped if nothing is left of it.
LINE_RULES = [
    _line("end_marks", {"end_marks": C4.end_marks}, {"filter_no_terminal_punct": True}),
    _line("min_words_per_line", {"min_words_per_line": 3}, {"min_words_per_line": 3}),
    _line("max_word_chars", {"max_word_chars": 1000}, {"max_word_length": 1000}),
    _line("cut_citations", {"cut_citations": True}, {"remove_citations": True}),
    _line("cut_javascript", {"cut_javascript": True}, {"filter_javascript": True}),
    _line("cut_policies", {"cut_policies": True}, {"filter_policy": True}),
]

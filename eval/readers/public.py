"""Public data sets as their authors or hubs publish them."""

from __future__ import annotations

import re

from eval.readers.reader import Reader, Record

_ARTEFACT = re.compile(r"\[[a-z_]+\]")  # WikiHow's [title], [header], [step], [substeps]


def _blimp(record: Record) -> Record:
    return {
        "good": record["sentence_good"],
        "bad": record["sentence_bad"],
        "phenomenon": record.get("UID", ""),
    }


def _hellaswag(record: Record) -> Record:
    label = record.get("activity_label")
    query = f"{label}: {record['ctx']}" if label else record["ctx"]
    choices = [_plain(ending) for ending in record["endings"]]
    return {"query": _plain(query), "choices": choices, "gold": int(record["label"])}


def _plain(text: str) -> str:
    return " ".join(_ARTEFACT.sub(" ", text).split())


def _arc(record: Record) -> Record:
    question = record["question"]
    if isinstance(question, dict):  # as AI2 publishes it: the choices are within
        question, choices = question["stem"], question["choices"]
    else:
        choices = record["choices"]
    if isinstance(choices, dict):  # as the hub has it: columns
        texts, labels = choices["text"], choices["label"]
    else:
        texts = [choice["text"] for choice in choices]
        labels = [choice["label"] for choice in choices]
    return {
        "query": f"Question: {question}\nAnswer:",
        "choices": texts,
        "gold": labels.index(record["answerKey"]),
    }


def _piqa(record: Record) -> Record:
    return {
        "query": f"Question: {record['goal']}\nAnswer:",
        "choices": [record["sol1"], record["sol2"]],
        "gold": int(record["label"]),
    }


def _human_eval(record: Record) -> Record:
    return {"context": record["prompt"], "continuation": record["canonical_solution"]}


READERS = (
    Reader(
        format="blimp",
        keys=frozenset({"sentence_good", "sentence_bad"}),
        type="minimal_pair",
        fields=_blimp,
        formulation="sentence",
    ),
    Reader(
        format="hellaswag",
        keys=frozenset({"ctx", "endings", "label"}),
        type="multiple_choice",
        fields=_hellaswag,
        normalisation="bytes",
        unconditional="",
    ),
    Reader(
        format="arc",
        keys=frozenset({"question", "answerKey"}),
        type="multiple_choice",
        fields=_arc,
        normalisation="bytes",
        unconditional="Answer:",
    ),
    Reader(
        format="piqa",
        keys=frozenset({"goal", "sol1", "sol2", "label"}),
        type="multiple_choice",
        fields=_piqa,
        normalisation="bytes",
        unconditional="Answer:",
    ),
    Reader(
        format="human_eval",
        keys=frozenset({"prompt", "canonical_solution"}),
        type="lm_completion",
        fields=_human_eval,
        delimiter="",
    ),
)

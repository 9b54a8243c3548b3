"""MosaicML llm-foundry's in-context learning tasks: four shapes of record.

Its loader puts one space before a continuation that has none; here the delimiter is that space,
and a continuation's own is taken off.
"""

from __future__ import annotations

from eval.readers.reader import Reader, Record

FORMAT = "llm_foundry"


def _multiple_choice(record: Record) -> Record:
    choices = [choice.lstrip() for choice in record["choices"]]
    return {"query": record["query"], "choices": choices, "gold": record["gold"]}


def _schema(record: Record) -> Record:
    return {
        "context_options": record["context_options"],
        "continuation": record["continuation"].lstrip(),
        "gold": record["gold"],
    }


def _completion(record: Record) -> Record:
    return {"context": record["context"], "continuation": record["continuation"].lstrip()}


def _question(record: Record) -> Record:
    return {"context": record["context"], "continuation": record["answer"].lstrip()}


READERS = (
    Reader(
        format=FORMAT,
        keys=frozenset({"query", "choices", "gold"}),
        type="multiple_choice",
        fields=_multiple_choice,
        normalisation="bytes",
        unconditional="Answer:",
    ),
    Reader(
        format=FORMAT,
        keys=frozenset({"context_options", "continuation", "gold"}),
        type="schema",
        fields=_schema,
    ),
    Reader(
        format=FORMAT,
        keys=frozenset({"context", "continuation"}),
        type="lm_completion",
        fields=_completion,
    ),
    Reader(
        format=FORMAT,
        keys=frozenset({"context", "answer"}),
        type="lm_completion",
        fields=_question,
    ),
)

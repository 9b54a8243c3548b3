"""What the stages measure and decide on a fixed corpus: must not change unless somebody means it.

When a change is meant: run `python -m tests.contracts.test_stage_golden` from the root, review the
diff, and bump the `version` of the stage.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curation.config import build
from curation.document import DOCUMENT_SCHEMA
from curation.process import ROW, PlannedStage, process
from curation.stage import Scorer, stages
from tests.contracts.test_stage_contract import NEEDED
from tests.corpora import prose

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "stages.json"
EXPECTED: dict[str, Any] = json.loads(GOLDEN.read_text("utf-8"))
SCORERS = [name for name in stages if issubclass(stages.get(name), Scorer) and name not in NEEDED]

CORPUS = {
    "prose": prose(1),
    "short": prose(2, sentences=2),
    "twice": f"{prose(3)}\n\n{prose(3)}",
    "menu": "- home\n- products\n- the company\n" * 12,
    "teasers": "\n".join(f"{prose(i, 1)[:60]}..." for i in range(12)),
    "tags": " ".join(f"#{word}" for word in prose(4).split()),
    "numbers": " ".join(str(i * i) for i in range(90)),
    "chorus": "and the rain comes to the garden again\n" * 20,
    "code": "for i in range(10):\n    print(i, x[i] ** 2)  # to the end\n" * 6,
    "german": "Der Bauer pflügte am frühen Morgen den Boden und wartete auf den Regen. " * 6,
    "french": "Le fermier a retourné la terre tôt le matin, il attendait la pluie. " * 6,
    "chinese": "农民一大早就翻了地，等着下雨。" * 6,
    "accents": "e\u0301te\u0301 nai\u0308ve cafe\u0301 … 👩\u200d🌾 " * 12,
    "empty": "",
}


def outcome(name: str) -> dict[str, Any]:
    """Per text: why it goes (null if it stays) and all that was measured."""
    texts = list(CORPUS.values())
    empty = [None] * len(texts)
    values = {"id": list(CORPUS), "text": texts, "source": ["golden"] * len(texts)}
    columns = [pa.array(values.get(f.name, empty), f.type) for f in DOCUMENT_SCHEMA]
    table = pa.Table.from_arrays(columns, schema=DOCUMENT_SCHEMA)
    table = table.append_column(ROW, pa.array(range(len(texts)), pa.int64()))
    stage = build(stages.get(name), {}, where="golden")
    assert isinstance(stage, Scorer)
    kept, dropped, _ = process(table, [PlannedStage(name, stage)])
    found = {}
    for row in [*kept.to_pylist(), *dropped.to_pylist()]:
        columns = [PlannedStage(name, stage).column(column) for column in stage.columns()]
        measured = [round(v, 4) if isinstance(v := row[c], float) else v for c in columns]
        found[row["id"]] = {"reason": row.get("drop_reason"), "measured": measured}
    return {key: found[key] for key in CORPUS}


@pytest.mark.parametrize("name", EXPECTED)
def test_stage_golden_outcome_is_unchanged(name: str) -> None:
    golden = EXPECTED[name]
    found = outcome(name)
    assert {k: v["reason"] for k, v in found.items()} == {k: v["reason"] for k, v in golden.items()}
    for key, row in found.items():
        for value, expected in zip(row["measured"], golden[key]["measured"], strict=True):
            if isinstance(
                expected, float
            ):  # machines round the last digit of a softmax differently
                assert value == pytest.approx(expected, abs=2e-4)
            else:
                assert value == expected


if __name__ == "__main__":
    lines = []
    for scorer in SCORERS:
        rows = ",\n".join(
            f"  {json.dumps(key)}: {json.dumps(row)}" for key, row in outcome(scorer).items()
        )
        lines.append(f" {json.dumps(scorer)}: {{\n{rows}\n }}")
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")

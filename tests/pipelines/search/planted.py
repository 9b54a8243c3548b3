"""A corpus of three domains that differ to the letter, tiny presets, specs that take seconds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tests.corpora import write_jsonl, write_yaml
from train.config import ModelConfig, Preset, TrainConfig

ALPHABETS = {"art": "ijklmnop", "bio": "qrstuvwx", "law": "abcdefgh"}
STEP = 256  # tokens


def text(domain: str, seed: int, words: int = 60) -> str:
    """Words of an alphabet that no other domain has."""
    draw = random.Random(f"{domain} {seed}")
    letters = ALPHABETS[domain]
    made = ["".join(draw.choices(letters, k=draw.randint(2, 5))) for _ in range(words)]
    return " ".join(made) + "."


def tiny(name: str, width: int) -> Preset:
    """A model that trains in a fraction of a second."""
    model = ModelConfig(vocab=300, width=width, n_layer=1, n_head=1, head_dim=16, context=32)
    train = TrainConfig(tokens=20 * STEP, batch_tokens=STEP, checkpoint_every=5)
    return Preset(name=name, model=model, train=train)


def plant(folder: Path, documents: int = 66) -> Path:
    """A file per domain, `web.yaml`, and `judge.yaml` with panels of law; law alone matters."""
    for domain in ALPHABETS:
        rows = [
            {"id": f"{domain}{i}", "text": text(domain, i), "language": ["x", "y", None][i % 3]}
            for i in range(documents)
        ]
        write_jsonl(folder / f"{domain}.jsonl", rows)
    sources = [{"name": d, "format": "jsonl", "path": f"{d}.jsonl"} for d in ALPHABETS]
    write_yaml(folder / "web.yaml", {"name": "web", "sources": sources, "judge": "judge.yaml"})
    judge: dict[str, Any] = {
        "panels": [{"name": "statutes", "hold_out": "law", "frac": 0.2}],
        "tokenizer": {"vocab": 300, "train_on": list(ALPHABETS), "sample_mb": 1},
        "train": {"preset": "tiny", "tokens": 20 * STEP},
    }
    write_yaml(folder / "judge.yaml", judge)
    return folder


def spec_in(folder: Path, **changes: Any) -> Path:
    """Six random mixtures of 15 steps, for a target of 60, in which law may fill two thirds."""
    keys: dict[str, Any] = {
        "recipe": "web.yaml",
        "method": "random",
        "budget": {"runs": 6, "tokens": 15 * STEP},
        "proxy": {"presets": ["tiny"]},
        "constraints": {"max_epochs": 1},
        "target": {"preset": "tiny", "tokens": 60 * STEP},
        "confirm": {"top": 2, "seeds": 3},
        "seeds": [0, 1],
    }
    return write_yaml(folder / "search.yaml", keys | changes)

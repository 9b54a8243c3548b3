"""A tokenizer, a slightly trained model, and scorecards with known numbers."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from eval.bpb import PanelScore
from eval.scorecard import Scorecard, make_scorecard
from train.config import ModelConfig, TrainConfig
from train.model import GPT
from train.optim import Optimizer
from train.tokenizer import Tokenizer, train_tokenizer

WORDS = ("the", "soil", "was", "turned", "before", "rain", "and", "grain", "grew", "slowly", "été")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny products on two threads of a busy machine mostly wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def texts() -> list[str]:
    rng = random.Random(0)
    lengths = [0, 1, 2, 3, 30, 60, 200, 5, 90]
    return [" ".join(rng.choices(WORDS, k=length)) for length in lengths]


@pytest.fixture(scope="session")
def tokenizer(texts: list[str]) -> Tokenizer:
    return train_tokenizer(texts, vocab=290)


@pytest.fixture(scope="session")
def model() -> GPT:
    """Has no symmetry left from its initial weights."""
    config = ModelConfig(vocab=290, width=32, n_layer=2, n_head=2, head_dim=16, context=32)
    model = GPT(config)
    optimizer = Optimizer(dict(model.named_parameters()), TrainConfig(tokens=1), torch.float32)
    ids = torch.randint(290, (4, 33), generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        model(ids[:, :-1], ids[:, 1:]).backward()
        optimizer.step(1.0)
    return model


@pytest.fixture
def make_card() -> Callable[..., Scorecard]:
    """A scorecard whose one panel has the bits per byte given by seed."""

    def make(recipe: str, bpb: Mapping[int, float], **changes: Any) -> Scorecard:
        run = {
            "tokens": 1000,
            "unique_tokens": 800,
            "epochs": {"web": 1.25},
            "steps": 10,
            "params": 64,
            "flops": 99,
            "final_loss": 2.0,
            "dataset_fingerprint": f"data of {recipe}",
        }
        runs = [{**run, "seed": seed, **changes} for seed in bpb]
        scores = {seed: {"books": score(value)} for seed, value in bpb.items()}
        judge = changes.get("judge", "judge")
        return make_scorecard(recipe, judge, "panels.mean_bpb", runs, scores)

    return make


def score(bpb: float) -> PanelScore:
    """Two documents of 100 and 300 bytes, both at `bpb`."""
    sizes = np.array([100, 300])
    return PanelScore(nats=sizes * bpb * np.log(2), bytes=sizes)

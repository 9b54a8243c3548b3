"""A tiny corpus, tokenizer, and model that trains in seconds on one core."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from train.config import ModelConfig, TrainConfig
from train.numerics import Numerics
from train.shards import TokenShards, tokenize_dataset
from train.spec import ProxySpec
from train.tokenizer import Tokenizer, train_tokenizer

WORDS = ("the", "soil", "was", "turned", "before", "rain", "and", "grain", "grew", "slowly", "été")


def sentences(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(5, 40))) + "." for _ in range(count)]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny products on two threads of a busy machine mostly wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return train_tokenizer(sentences(0, 200), vocab=300)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dataset") / "part.parquet"
    texts = sentences(1, 400)
    sources = ["web" if i % 4 else "books" for i in range(400)]
    pq.write_table(pa.table({"text": texts, "source": sources}), path, row_group_size=150)
    return path


@pytest.fixture(scope="session")
def shards(
    tmp_path_factory: pytest.TempPathFactory, dataset: Path, tokenizer: Tokenizer
) -> TokenShards:
    return tokenize_dataset([dataset], tokenizer, tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="session")
def tiny() -> ModelConfig:
    return ModelConfig(vocab=300, width=32, n_layer=2, n_head=2, head_dim=16, context=32)


@pytest.fixture
def make_spec(shards: TokenShards, tiny: ModelConfig) -> Callable[..., ProxySpec]:
    """A spec of 30 steps; keyword arguments replace fields of it or of its `train`."""

    def make(train: dict[str, Any] | None = None, **changes: Any) -> ProxySpec:
        budget = TrainConfig(tokens=30 * 256, batch_tokens=256, checkpoint_every=7)
        spec = ProxySpec(
            recipe="tiny",
            shards=shards.folder,
            weights="natural",
            max_epochs=None,
            preset="tiny",
            model=tiny,
            train=replace(budget, **(train or {})),
            numerics=Numerics(),
            seed=0,
            judge="judge",
            dataset_fingerprint="dataset",
        )
        return replace(spec, **changes)

    return make

"""From shards to verdict: a corpus of sentences beats one of scrambled letters; twins are tied."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.bpb import Panel, score_panel, tokenize_panel
from eval.compare import compare
from eval.scorecard import Scorecard, make_scorecard, read_scorecard, write_scorecard
from train.config import ModelConfig, TrainConfig
from train.numerics import Numerics
from train.run import load_model, run_proxy
from train.shards import tokenize_dataset
from train.spec import ProxySpec
from train.tokenizer import Tokenizer, train_tokenizer

WORDS = ("the", "soil", "was", "turned", "before", "rain", "and", "grain", "grew", "slowly", "été")
SEEDS = (0, 1, 2)
MODEL = ModelConfig(vocab=300, width=32, n_layer=2, n_head=2, head_dim=16, context=32)
TRAIN = TrainConfig(tokens=40 * 256, batch_tokens=256)


def sentences(seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=30)) for _ in range(300)]


def scrambled(texts: list[str]) -> list[str]:
    rng = random.Random(0)
    return ["".join(rng.sample(text, len(text))) for text in texts]


def card(name: str, texts: list[str], tokenizer: Tokenizer, panel: Panel, out: Path) -> Scorecard:
    out.mkdir()
    pq.write_table(pa.table({"text": texts, "source": ["all"] * len(texts)}), out / "data.parquet")
    shards = tokenize_dataset([out / "data.parquet"], tokenizer, out / "shards")
    runs, scores = [], {}
    for seed in SEEDS:
        spec = ProxySpec(
            recipe=name,
            shards=shards.folder,
            weights="natural",
            max_epochs=4,
            preset="tiny",
            model=MODEL,
            train=TRAIN,
            numerics=Numerics(),
            seed=seed,
            judge="judge",
            dataset_fingerprint=name,
        )
        runs.append(run_proxy(spec, out / f"seed{seed}"))
        scores[seed] = {"held_out": score_panel(load_model(out / f"seed{seed}"), panel)}
    made = make_scorecard(name, "judge", "panels.mean_bpb", runs, scores)
    write_scorecard(made, scores, out)
    return read_scorecard(out)


@pytest.mark.slow
def test_planted_better_recipe_wins_and_its_twin_is_tied(tmp_path: Path) -> None:
    good = sentences(1)
    tokenizer = train_tokenizer(good + scrambled(good), vocab=300)
    panel = tokenize_panel("held_out", sentences(2)[:40], tokenizer)
    corpora = {"good": good, "scrambled": scrambled(good), "twin": good}
    cards = [card(n, texts, tokenizer, panel, tmp_path / n) for n, texts in corpora.items()]
    verdicts = {(p.a, p.b): p.verdict for p in compare(cards).pairs}
    assert verdicts[("scrambled", "good")] == "worse"
    assert verdicts[("twin", "good")] == "tied"
    assert verdicts[("scrambled", "twin")] == "worse"

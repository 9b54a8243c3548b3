"""The scorer against a plain forward pass, for any batch, any length and any sharing."""

import math

import numpy as np
import pytest
import torch

from eval.requests import Requests, Text, encode_requests
from eval.scorer import Scores, score
from train.config import ModelConfig
from train.model import GPT
from train.tokenizer import Tokenizer

Pairs = list[tuple[list[int], list[int]]]
WINDOW = 32  # of the `model` fixture


def plain(model: GPT, context: list[int], continuation: list[int]) -> tuple[float, bool]:
    """One request by one pass over all logits; the context is cut on the left."""
    ids = torch.tensor([*context, *continuation][-(model.config.context + 1) :])
    with torch.no_grad():
        log_probs = model.logits(ids[None, :-1])[0].log_softmax(-1)[-len(continuation) :]
    targets = ids[-len(continuation) :]
    right = bool((log_probs.argmax(1) == targets).all())
    return float(log_probs.gather(1, targets[:, None]).double().sum()), right


def requests(pairs: Pairs) -> Requests:
    return Requests(
        contexts=[np.array(context, dtype=np.uint16) for context, _ in pairs],
        continuations=[np.array(ids, dtype=np.uint16) for _, ids in pairs],
        bytes=np.array([len(ids) for _, ids in pairs], dtype=np.int64),
    )


def drawn(count: int, longest: int = 40) -> Pairs:
    """Requests of all lengths; three in a row share their context."""
    rng = np.random.default_rng(0)
    pairs: Pairs = []
    while len(pairs) < count:
        context = [0, *rng.integers(1, 290, rng.integers(0, longest)).tolist()]
        for _ in range(3):
            pairs.append((context, rng.integers(1, 290, rng.integers(1, 12)).tolist()))
    return pairs[:count]


def test_score_equals_a_plain_pass(model: GPT) -> None:
    pairs = drawn(90)
    scores = score(model, requests(pairs))
    expected = [plain(model, *pair) for pair in pairs]
    assert scores.log_prob == pytest.approx([e[0] for e in expected], abs=1e-4)
    assert scores.greedy.tolist() == [e[1] for e in expected]
    assert scores.tokens.tolist() == [len(ids) for _, ids in pairs]


def test_batch_of_1_equals_batch_of_32(model: GPT) -> None:
    found = requests(drawn(96))
    alone = score(model, found, batch_tokens=1)
    for rows in (2, 32, 1000):
        together = score(model, found, batch_tokens=rows * WINDOW)
        assert np.abs(together.log_prob - alone.log_prob).max() < 1e-4
        assert (together.greedy == alone.greedy).all()


def test_order_of_requests_does_not_matter(model: GPT) -> None:
    pairs = drawn(30)
    straight, turned = score(model, requests(pairs)), score(model, requests(pairs[::-1]))
    assert turned.log_prob[::-1] == pytest.approx(straight.log_prob, abs=1e-4)


def test_greedy_is_true_for_the_models_own_words(model: GPT) -> None:
    context = [0, 17, 5]
    own: list[int] = []
    with torch.no_grad():
        for _ in range(4):
            own.append(int(model.logits(torch.tensor([context + own]))[0, -1].argmax()))
    other = [*own[:3], (own[3] + 1) % 290]
    assert score(model, requests([(context, own), (context, other)])).greedy.tolist() == [
        True,
        False,
    ]


@pytest.mark.parametrize("length", [WINDOW - 1, WINDOW])
def test_continuation_that_fits_the_window_needs_no_pieces(model: GPT, length: int) -> None:
    pair = ([0, 9, 8, 7], [(i * 7) % 289 + 1 for i in range(length)])
    assert score(model, requests([pair])).log_prob[0] == pytest.approx(
        plain(model, *pair)[0], abs=1e-4
    )


def test_longer_continuation_is_scored_in_pieces_that_reread_a_quarter(model: GPT) -> None:
    ids = [(i * 7) % 289 + 1 for i in range(70)]
    keep = WINDOW // 4
    step = WINDOW + 1 - keep
    expected = plain(model, [0], ids[:WINDOW])[0]
    for start in range(WINDOW, len(ids), step):
        expected += plain(model, ids[start - keep : start], ids[start : start + step])[0]
    scores = score(model, requests([([0], ids)]))
    assert scores.log_prob[0] == pytest.approx(expected, abs=1e-3)
    assert scores.tokens[0] == 70


def test_uniform_model_gives_the_log_of_the_vocabulary(tokenizer: Tokenizer) -> None:
    blank = GPT(ModelConfig(vocab=290, width=8, n_layer=1, n_head=1, head_dim=8, context=16))
    torch.nn.init.zeros_(blank.embedding)
    texts = [Text(context="the soil", continuation=" été 🌱", answer_bytes=10)]
    scores = score(blank, encode_requests(texts, tokenizer))
    assert scores.log_prob[0] == pytest.approx(-scores.tokens[0] * math.log(290), rel=1e-6)
    assert scores.bytes[0] == 10


def test_no_requests_give_no_scores(model: GPT) -> None:
    scores = score(model, requests([]))
    assert all(len(array) == 0 for array in vars(scores).values())
    assert isinstance(scores, Scores)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpu_scores_as_the_cpu_does(model: GPT) -> None:
    found = requests(drawn(60))
    cpu = score(model, found)
    try:
        gpu = score(model.to("cuda"), found)
    finally:
        model.to("cpu")
    assert np.abs(cpu.log_prob - gpu.log_prob).max() < 1e-3

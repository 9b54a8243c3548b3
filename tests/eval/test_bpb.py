"""Bits per byte against a hand sum, for any batch and any text."""

import math

import numpy as np
import pytest
import torch

from curation.errors import UserError
from eval.bpb import PanelScore, score_panel, tokenize_panel
from train.config import ModelConfig
from train.model import GPT
from train.tokenizer import Tokenizer


def hand_sum(model: GPT, tokenizer: Tokenizer, text: str) -> float:
    """Nats of a document, one prediction at a time, each in the context the rule gives it."""
    ids = [tokenizer.eot, *(int(i) for i in tokenizer.encode([text])[0])]
    context = model.config.context
    stride = context - context // 4
    nats = 0.0
    for target in range(1, len(ids)):
        window = max(0, math.ceil((target - context) / stride))
        read = torch.tensor([ids[window * stride : target]])
        with torch.no_grad():
            nats -= model.logits(read)[0, -1].log_softmax(0)[ids[target]].item()
    return nats


def test_score_equals_the_hand_sum(model: GPT, tokenizer: Tokenizer, texts: list[str]) -> None:
    score = score_panel(model, tokenize_panel("p", texts, tokenizer))
    expected = [hand_sum(model, tokenizer, text) for text in texts]
    assert score.nats == pytest.approx(expected, rel=1e-5, abs=1e-6)
    n_bytes = sum(len(text.encode()) for text in texts)
    assert score.bpb == pytest.approx(sum(expected) / n_bytes / math.log(2), rel=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 50, 700, 100_000])
def test_score_does_not_depend_on_the_batch(
    model: GPT, tokenizer: Tokenizer, texts: list[str], batch_tokens: int
) -> None:
    panel = tokenize_panel("p", texts, tokenizer)
    default, other = score_panel(model, panel), score_panel(model, panel, batch_tokens)
    assert other.nats == pytest.approx(default.nats, rel=1e-6, abs=1e-5)
    assert other.bpb == pytest.approx(default.bpb, abs=1e-6)


def test_score_of_a_document_does_not_depend_on_its_neighbours(
    model: GPT, tokenizer: Tokenizer, texts: list[str]
) -> None:
    together = score_panel(model, tokenize_panel("p", texts, tokenizer)).nats
    for i in (1, 4, 6):
        alone = score_panel(model, tokenize_panel("p", [texts[i]], tokenizer)).nats
        assert alone[0] == pytest.approx(together[i], rel=1e-5)


def test_uniform_model_costs_the_log_of_the_vocabulary_per_token(tokenizer: Tokenizer) -> None:
    text = "the soil was turned 🌱 before rain"
    panel = tokenize_panel("p", [text], tokenizer)
    blank = GPT(ModelConfig(vocab=290, width=8, n_layer=1, n_head=1, head_dim=8, context=16))
    torch.nn.init.zeros_(blank.embedding)
    expected = len(panel.ids[0]) * math.log2(290) / len(text.encode())
    assert score_panel(blank, panel).bpb == pytest.approx(expected, rel=1e-6)


def test_empty_document_costs_nothing(model: GPT, tokenizer: Tokenizer) -> None:
    score = score_panel(model, tokenize_panel("p", ["", "rain"], tokenizer))
    assert score.nats[0] == 0.0
    assert list(score.bytes) == [0, 4]


@pytest.mark.parametrize("empty", [[], ["", ""]])
def test_panel_without_text_is_refused(tokenizer: Tokenizer, empty: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        tokenize_panel("books", empty, tokenizer)
    assert caught.value.where == "panels.books"


def test_bpb_weighs_documents_by_their_bytes() -> None:
    nats = np.array([100 * math.log(2), 900 * 2 * math.log(2)])
    assert PanelScore(nats=nats, bytes=np.array([100, 900])).bpb == pytest.approx(1.9)

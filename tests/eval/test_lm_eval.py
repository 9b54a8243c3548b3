"""Our scores against lm-evaluation-harness: its requests, its split of texts, its metrics."""

import json
import logging
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages that it imports
    lm_eval = pytest.importorskip("lm_eval", exc_type=ImportError)

from eval.bpb import score_panel, tokenize_panel
from eval.lm_eval_adapter import LmEvalModel
from eval.metrics import suite_metrics
from eval.requests import encode_requests, suite_requests, suite_texts
from eval.scorer import score
from eval.suites.built_in import built_in
from eval.suites.header import Header
from eval.suites.items import Item, ItemType, LmCompletion, MinimalPair, MultipleChoice
from eval.suites.suite import Suite
from train.config import ModelConfig
from train.model import GPT
from train.tokenizer import Tokenizer, train_tokenizer

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
COUNT = 200
KINDS: tuple[ItemType, ...] = ("multiple_choice", "lm_completion", "minimal_pair")


class PlainModel(LmEvalModel):
    """Scores as one would first write it: one request at a time, all logits."""

    def _loglikelihood_tokens(
        self,
        requests: Sequence[tuple[tuple[str, str], list[int], list[int]]],
        disable_tqdm: bool = False,
        **kwargs: Any,
    ) -> list[tuple[float, bool]]:
        found = []
        for _, context, continuation in requests:
            ids = torch.tensor([*context, *continuation][-(self._model.config.context + 1) :])
            with torch.no_grad():
                log_probs = self._model.logits(ids[None, :-1])[0].log_softmax(-1)
            targets = ids[-len(continuation) :]
            mine = log_probs[-len(continuation) :]
            greedy = bool((mine.argmax(1) == targets).all())
            found.append((float(mine.gather(1, targets[:, None]).sum()), greedy))
        return found


@pytest.fixture(scope="module")
def words() -> list[str]:
    pairs = [i for i in built_in("minimal_pairs").items if isinstance(i, MinimalPair)]
    return [item.good for item in pairs]


@pytest.fixture(scope="module")
def tokenizer(words: list[str]) -> Tokenizer:
    return train_tokenizer(words, vocab=600)


@pytest.fixture(scope="module")
def model() -> GPT:
    """Random weights of a size that makes its choices differ from each other."""
    config = ModelConfig(vocab=600, width=32, n_layer=2, n_head=2, head_dim=16, context=48)
    model = GPT(config)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.2, generator=generator)
    return model.eval()


def suite(kind: ItemType, words: list[str]) -> Suite:
    """200 items; contexts of all lengths, some beyond the model's window, some with white space."""
    header = Header(
        name=kind,
        version=1,
        type=kind,
        source="ours",
        licence="CC0-1.0",
        formulation="cloze",
        unconditional="" if kind == "multiple_choice" else None,
    )
    return Suite(header, tuple(_item(kind, i, words) for i in range(COUNT)))


def _item(kind: ItemType, i: int, words: list[str]) -> Item:
    if kind == "minimal_pair":
        pair = built_in("minimal_pairs").items[9 * i]
        assert isinstance(pair, MinimalPair)
        return pair
    context = " ".join(words[(i * 7 + j) % len(words)] for j in range(i % 5 + 1)) + "\n" * (i % 2)
    ends = tuple(words[(i * 11 + j * 13) % len(words)] for j in range(3))
    if kind == "lm_completion":
        return LmCompletion(id=f"{i}", context=context, continuation=ends[0].split()[1])
    return MultipleChoice(id=f"{i}", query=context, choices=ends, gold=i % 3)


def task(kind: ItemType, made: Suite, folder: Path) -> dict[str, Any]:
    """The same suite as a task of lm-evaluation-harness over a local file."""
    path = folder / f"{kind}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for item in made.items:
            file.write(json.dumps(_row(item)) + "\n")
    metrics = {
        "multiple_choice": ["acc", "acc_bytes", "acc_mutual_info"],
        "lm_completion": ["acc", "perplexity"],
        "minimal_pair": ["acc"],
    }[kind]
    choice = kind != "lm_completion"
    return {
        "task": f"ours_{kind}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(path)}, "cache_dir": str(folder / "cache")},
        "test_split": "test",
        "output_type": "multiple_choice" if choice else "loglikelihood",
        "doc_to_text": "{{context}}",
        "doc_to_target": "{{gold}}" if choice else "{{answer}}",
        "target_delimiter": "" if kind == "minimal_pair" else " ",
        **({"doc_to_choice": "{{choices}}"} if choice else {}),
        "metric_list": [{"metric": m} for m in metrics],
    }


def _row(item: Item) -> dict[str, Any]:
    if isinstance(item, MinimalPair):
        return {"context": "", "choices": [item.good, item.bad], "gold": 0}
    if isinstance(item, LmCompletion):
        # Where there are no choices, the delimiter is part of the target.
        return {"context": item.context, "answer": f" {item.continuation}"}
    assert isinstance(item, MultipleChoice)
    return {"context": item.query, "choices": list(item.choices), "gold": item.gold}


@pytest.mark.parametrize("kind", KINDS)
def test_scores_and_metrics_equal_those_of_lm_eval(
    kind: ItemType, model: GPT, tokenizer: Tokenizer, words: list[str], tmp_path: Path
) -> None:
    logging.disable(logging.WARNING)
    made = suite(kind, words)
    found = lm_eval.simple_evaluate(
        model=PlainModel(model, tokenizer),
        tasks=[task(kind, made, tmp_path)],
        bootstrap_iters=0,
        log_samples=True,
        verbosity="ERROR",
    )
    scores = score(model, suite_requests(made, tokenizer))
    samples = sorted(found["samples"][f"ours_{kind}"], key=lambda s: s["doc_id"])
    assert len(samples) == COUNT
    theirs = [float(r[0][0]) for sample in samples for r in sample["resps"]]
    assert scores.log_prob == pytest.approx(theirs, abs=1e-3)
    results = found["results"][f"ours_{kind}"]
    ours = suite_metrics(made, scores)
    assert ours["accuracy"].mean == pytest.approx(results["acc,none"])
    if kind == "multiple_choice":
        assert ours["accuracy_per_byte"].mean == pytest.approx(results["acc_bytes,none"])
        assert ours["accuracy_pmi"].mean == pytest.approx(results["acc_mutual_info,none"])
        assert len({ours[m].mean for m in ("accuracy", "accuracy_per_byte")}) == 2
    if kind == "lm_completion":
        assert [bool(s["resps"][0][0][1]) for s in samples] == scores.greedy.tolist()
        perplexity = math.exp(ours["nats_per_answer"].mean)
        assert perplexity == pytest.approx(results["perplexity,none"], rel=1e-4)


def test_adapter_splits_texts_as_our_requests_do(
    model: GPT, tokenizer: Tokenizer, words: list[str]
) -> None:
    adapter = LmEvalModel(model, tokenizer)
    texts = suite_texts(suite("multiple_choice", words))
    ours = encode_requests(texts, tokenizer)
    for i, text in enumerate(texts):
        if text.context:
            context, continuation = adapter._encode_pair(text.context, text.continuation)
            assert (context, continuation) == (
                ours.contexts[i].tolist(),
                ours.continuations[i].tolist(),
            )


class Request:
    """What a harness passes."""

    def __init__(self, *args: Any) -> None:
        self.args = args


def test_adapter_scores_equal_a_plain_pass(
    model: GPT, tokenizer: Tokenizer, words: list[str]
) -> None:
    made = [Request(a, " " + b) for a, b in zip(["", *words[:60]], words[60:121], strict=True)]
    ours = LmEvalModel(model, tokenizer).loglikelihood(made, disable_tqdm=True)
    plain = PlainModel(model, tokenizer).loglikelihood(made, disable_tqdm=True)
    assert [o[0] for o in ours] == pytest.approx([p[0] for p in plain], abs=1e-4)
    assert [o[1] for o in ours] == [p[1] for p in plain]


def test_adapter_rolls_over_whole_texts(model: GPT, tokenizer: Tokenizer, words: list[str]) -> None:
    texts = [" ".join(words[:9]), words[0]]
    found = LmEvalModel(model, tokenizer).loglikelihood_rolling([Request(t) for t in texts])
    expected = score_panel(model, tokenize_panel("p", texts, tokenizer)).nats
    assert found == pytest.approx((-expected).tolist())


def test_adapter_generates_until_a_stop_string(
    model: GPT, tokenizer: Tokenizer, words: list[str]
) -> None:
    adapter = LmEvalModel(model, tokenizer)
    (free,) = adapter.generate_until([Request(words[0], {"max_gen_toks": 12})])
    again = tokenizer.encode([words[0]])[0].tolist()
    with torch.no_grad():
        ids = [tokenizer.eot, *again]
        for _ in range(12):
            ids.append(int(model.logits(torch.tensor([ids[-48:]]))[0, -1].argmax()))
    assert free == tokenizer.decode(ids[len(again) + 1 :])
    stop = free[len(free) // 2 : len(free) // 2 + 2]
    (cut,) = adapter.generate_until([Request(words[0], {"max_gen_toks": 12, "until": [stop]})])
    assert cut == free[: free.find(stop)]

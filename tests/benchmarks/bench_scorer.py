"""Items per CPU second of the scorer against lm-evaluation-harness on the same model, one thread.

    python -m tests.benchmarks scorer

2,000 items each of three kinds; the model is the xs preset with random weights. The harness scores
with a model class that does what its own Hugging Face one does: requests by length, padded batches
of 32, all logits, log-softmax. Start-up (the time of 20 items) is taken off both. CPU seconds, so
that other jobs on the machine count little.
"""

import json
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from eval.metrics import suite_metrics
from eval.readers.read import read_suite
from eval.requests import suite_requests
from eval.scorer import score
from eval.suites.items import Item, LmCompletion, MinimalPair, MultipleChoice
from eval.suites.suite import Suite
from tests.benchmarks.data import shared
from tests.benchmarks.tables import Table
from train.config import preset
from train.model import GPT
from train.tokenizer import Tokenizer, train_tokenizer

ITEMS, START_UP = 2000, 20
BATCH = 32
# Choices of the first kind come from two files; their contexts fit the model's window.
TASKS = {
    "arc_easy, openbook_qa": ("arc_easy", "openbook_qa"),
    "lambada_openai": ("lambada_openai",),
    "blimp": ("blimp",),
}


def run() -> list[Table]:
    """As a benchmark of `python -m tests.benchmarks`."""
    suites = {name: _suite(files) for name, files in TASKS.items()}
    texts = [str(value) for s in suites.values() for i in s.items for value in vars(i).values()]
    size = preset("xs").model
    tokenizer = train_tokenizer(texts, size.vocab)
    model = _random_model()
    rows = [_measured(name, suite, model, tokenizer) for name, suite in suites.items()]
    columns = ("", "type", "items/CPU s, ours", "items/CPU s, lm-eval", "x lm-eval")
    note = "Tokenising, scoring and metrics; start-up apart. One thread, float32."
    return [Table("scorer, xs, 2,000 items a task", columns, rows, [note])]


def _suite(files: Sequence[str]) -> Suite:
    parts = [read_suite(shared("bench", f"{name}.jsonl.zst")) for name in files]
    # PMI doubles the requests and the harness does not measure it unless asked.
    header = replace(parts[0].header, unconditional=None)
    items = [item for part in parts for item in part.items]
    return Suite(header, tuple(items[:: len(items) // ITEMS][:ITEMS]))  # of all paradigms


def _random_model() -> GPT:
    model = GPT(preset("xs").model)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.05, generator=generator)
    return model.eval()


def _measured(name: str, suite: Suite, model: GPT, tokenizer: Tokenizer) -> tuple[Any, ...]:
    torch.set_num_threads(1)
    ours = _items_per_second(suite, lambda part: _score_ours(part, model, tokenizer))
    try:
        theirs = _items_per_second(suite, _harness(model, tokenizer))
    except ImportError:
        return name, suite.header.type, ours, None, None
    return name, suite.header.type, ours, theirs, ours / theirs


def _items_per_second(suite: Suite, evaluate: Callable[[Suite], None]) -> float:
    few = Suite(suite.header, suite.items[:START_UP])
    evaluate(few)
    seconds = [_timed(evaluate, part) for part in (few, suite)]
    return (len(suite.items) - START_UP) / (seconds[1] - seconds[0])


def _timed(evaluate: Callable[[Suite], None], suite: Suite) -> float:
    start = time.process_time()
    evaluate(suite)
    return time.process_time() - start


def _score_ours(suite: Suite, model: GPT, tokenizer: Tokenizer) -> None:
    suite_metrics(suite, score(model, suite_requests(suite, tokenizer)))


def _harness(model: GPT, tokenizer: Tokenizer) -> Callable[[Suite], None]:
    """Evaluates a suite by lm-evaluation-harness."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    import lm_eval

    from eval.lm_eval_adapter import LmEvalModel

    class PaddedBatches(LmEvalModel):
        """As the harness's own models score."""

        def _loglikelihood_tokens(
            self,
            requests: Sequence[tuple[tuple[str, str], list[int], list[int]]],
            disable_tqdm: bool = False,
            **kwargs: Any,
        ) -> list[tuple[float, bool]]:
            return _padded(model, [(context, ids) for _, context, ids in requests])

    def evaluate(suite: Suite) -> None:
        with tempfile.TemporaryDirectory() as folder:
            lm_eval.simple_evaluate(
                model=PaddedBatches(model, tokenizer),
                tasks=[_task(suite, Path(folder))],
                bootstrap_iters=0,
                log_samples=False,
            )

    return evaluate


def _padded(model: GPT, pairs: Sequence[tuple[list[int], list[int]]]) -> list[tuple[float, bool]]:
    window = model.config.context
    rows = [[*context, *ids][-(window + 1) :] for context, ids in pairs]
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    found: list[tuple[float, bool]] = [(0.0, False)] * len(rows)
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        tokens = torch.zeros(len(batch), len(rows[batch[0]]), dtype=torch.long)
        for row, i in enumerate(batch):
            tokens[row, : len(rows[i])] = torch.tensor(rows[i])
        with torch.inference_mode():
            log_probs = torch.log_softmax(model.logits(tokens[:, :-1]), dim=-1)
        for row, i in enumerate(batch):
            count, end = min(len(pairs[i][1]), window), len(rows[i]) - 1
            targets = tokens[row, end - count + 1 : end + 1]
            mine = log_probs[row, end - count : end]
            greedy = bool((mine.argmax(-1) == targets).all())
            found[i] = (float(mine.gather(1, targets[:, None]).sum()), greedy)
    return found


def _task(suite: Suite, folder: Path) -> dict[str, Any]:
    path = folder / "items.jsonl"
    path.write_text("".join(json.dumps(_row(item)) + "\n" for item in suite.items), "utf-8")
    choice = suite.header.type != "lm_completion"
    return {
        "task": f"ours_{suite.name}_{len(suite.items)}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(path)}, "cache_dir": str(folder / "cache")},
        "test_split": "test",
        "output_type": "multiple_choice" if choice else "loglikelihood",
        "doc_to_text": "{{context}}",
        "doc_to_target": "{{gold}}" if choice else "{{answer}}",
        "target_delimiter": "" if suite.header.type == "minimal_pair" else " ",
        **({"doc_to_choice": "{{choices}}"} if choice else {}),
        "metric_list": [{"metric": m} for m in ("acc", *(("acc_bytes",) if choice else ()))],
    }


def _row(item: Item) -> dict[str, Any]:
    if isinstance(item, MinimalPair):
        return {"context": "", "choices": [item.good, item.bad], "gold": 0}
    if isinstance(item, LmCompletion):
        return {"context": item.context, "answer": f" {item.continuation}"}
    assert isinstance(item, MultipleChoice)
    return {"context": item.query, "choices": list(item.choices), "gold": item.gold}

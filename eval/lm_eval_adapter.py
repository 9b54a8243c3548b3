"""Any lm-evaluation-harness task on our models, and our scorer under its tasks.

    from lm_eval import simple_evaluate
    simple_evaluate(model=LmEvalModel(model, tokenizer), tasks=["arc_easy"], bootstrap_iters=0)

Needs the optional package `lm_eval` (`pip install 'tilth[lm-eval]'`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from curation.errors import MissingPackage
from eval.bpb import BATCH_TOKENS, score_panel, tokenize_panel
from eval.requests import Requests
from eval.scorer import score
from train.model import GPT
from train.numerics import torch_threads
from train.tokenizer import Tokenizer

try:
    from lm_eval.api.model import TemplateLM
except ModuleNotFoundError as error:
    raise MissingPackage(
        "lm-evaluation-harness is not installed", hint="pip install 'tilth[lm-eval]'"
    ) from error

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

MAX_NEW_TOKENS = 256  # as lm-evaluation-harness has it where a task says nothing


class LmEvalModel(TemplateLM):  # type: ignore[misc]  # untyped package
    """A model of ours as lm-evaluation-harness wants one."""

    def __init__(self, model: GPT, tokenizer: Tokenizer, batch_tokens: int = BATCH_TOKENS) -> None:
        super().__init__()
        self._model, self._encoder, self._batch_tokens = model, tokenizer, batch_tokens

    @property
    def eot_token_id(self) -> int:
        """Starts every context, as it does every document in training."""
        return self._encoder.eot

    def tok_encode(
        self, string: str, add_special_tokens: bool | None = None, **kwargs: Any
    ) -> list[int]:
        """Token ids, after the end-of-text token unless `add_special_tokens` is False."""
        ids: list[int] = self._encoder.encode([string])[0].tolist()
        return ids if add_special_tokens is False else [self.eot_token_id, *ids]

    def _loglikelihood_tokens(
        self,
        requests: Sequence[tuple[tuple[str, str], list[int], list[int]]],
        disable_tqdm: bool = False,
        **kwargs: Any,
    ) -> list[tuple[float, bool]]:
        dtype = self._encoder.dtype
        ours = Requests(
            contexts=[np.array(context, dtype=dtype) for _, context, _ in requests],
            continuations=[np.array(ids, dtype=dtype) for _, _, ids in requests],
            bytes=np.array([len(texts[1].encode()) for texts, _, _ in requests]),
        )
        scores = score(self._model, ours, self._batch_tokens)
        found = list(zip(scores.log_prob.tolist(), scores.greedy.tolist(), strict=True))
        for (texts, _, _), result in zip(requests, found, strict=True):
            self.cache_hook.add_partial("loglikelihood", texts, result)
        return found

    def loglikelihood_rolling(
        self, requests: Sequence[Instance], disable_tqdm: bool = False
    ) -> list[float]:
        """Log-probability of whole texts, by the windows of `eval.bpb`."""
        texts = [str(request.args[0]) for request in requests]
        panel = tokenize_panel("lm_eval", texts, self._encoder)
        return [-float(nats) for nats in score_panel(self._model, panel, self._batch_tokens).nats]

    def generate_until(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[str]:
        """The likeliest token after another, until a stop string or the number asked for."""
        return [self._generate(*request.args) for request in requests]

    def _generate(self, context: str, options: dict[str, Any]) -> str:
        stops = options.get("until") or []
        stops = [stops] if isinstance(stops, str) else stops
        window = self._model.config.context
        ids = self.tok_encode(context)
        text, start = "", len(ids)
        with torch_threads(1), torch.inference_mode():
            for _ in range(int(options.get("max_gen_toks", MAX_NEW_TOKENS))):
                read = torch.tensor([ids[-window:]], device=self._model.embedding.device)
                following = int(self._model.logits(read)[0, -1].argmax())
                if following == self.eot_token_id:
                    break
                ids.append(following)
                text = self._encoder.decode(ids[start:])
                if any(stop in text for stop in stops):
                    break
        return _until(text, stops)


def _until(text: str, stops: Sequence[str]) -> str:
    """`text` before the first stop string in it."""
    places = [text.find(stop) for stop in stops if stop]
    end = min((place for place in places if place >= 0), default=math.inf)
    return text if end == math.inf else text[: int(end)]

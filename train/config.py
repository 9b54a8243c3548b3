"""What is trained and how: model shape, schedule and budget, and the presets by name.

Presets are the table of sizes the proxies are judged at. Learning rates follow the rules of
OLMo's model ladder and of Step Law, which agree within 1.6x at these sizes; batch sizes are the
smaller of the two, because short runs lack steps, not tokens per step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from curation.errors import UserError, closest

ScheduleName = Literal["wsd", "linear", "cosine", "infinite", "rewarm"]
SCHEDULES: tuple[ScheduleName, ...] = get_args(ScheduleName)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Shape of one GPT.

    Attributes:
        vocab: tokens in the vocabulary (V).
        width: features of the residual stream (D).
        n_layer: blocks.
        n_head: attention heads per block.
        head_dim: features per head, even (rotary positions turn pairs).
        context: tokens per training window (T).
    """

    vocab: int
    width: int
    n_layer: int
    n_head: int
    head_dim: int
    context: int

    def __post_init__(self) -> None:
        for name in ("vocab", "width", "n_layer", "n_head", "head_dim", "context"):
            if getattr(self, name) < 1:
                raise UserError(f"must be an int >= 1. Got {getattr(self, name)}.", where=name)
        if self.head_dim % 2:
            raise UserError(f"must be even. Got {self.head_dim}.", where="head_dim")

    @property
    def params(self) -> int:
        """Parameters: all matrices; the tied embedding counts once, as the head."""
        inner = self.n_head * self.head_dim
        per_block = 4 * self.width * inner + 8 * self.width * self.width
        return self.vocab * self.width + self.n_layer * per_block

    @property
    def flops_per_token(self) -> int:
        """Training FLOPs per token: 6 per parameter, and attention over the full window."""
        return 6 * self.params + 12 * self.n_layer * self.n_head * self.head_dim * self.context


@dataclass(frozen=True, kw_only=True)
class Restart:
    """A schedule that begins anew inside a run; it lasts to the next one, or to the end.

    Attributes:
        step: its first step, from 0.
        schedule: see `train.schedule`.
        warmup_frac: share of its own steps, in [0, 1].
        decay_frac: likewise.
    """

    step: int
    schedule: ScheduleName
    warmup_frac: float
    decay_frac: float


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Budget, optimiser and schedule of one run.

    Attributes:
        tokens: token budget; rounded down to whole steps, at least one.
        batch_tokens: tokens per optimiser step, a multiple of the context.
        optimizer: `muon` (matrices by Muon, embedding by AdamW) or `adamw` for everything.
        lr: AdamW's peak learning rate.
        muon_lr: Muon's peak learning rate.
        muon_momentum: Nesterov momentum of Muon, in [0, 1).
        beta1: AdamW's decay of the mean gradient, in [0, 1).
        beta2: AdamW's decay of the mean squared gradient, in [0, 1).
        eps: AdamW's denominator floor.
        weight_decay: decoupled, on matrices only; the embedding has none.
        clip: largest norm of the whole gradient.
        warmup_frac: share of the steps in which the rate climbs from 0, in [0, 1].
        decay_frac: share of the steps, at the end, in which it falls to 0, in [0, 1]; of `wsd`
            and `infinite`.
        checkpoint_every: steps between checkpoints.
        schedule: how the rate moves; see `train.schedule`.
        min_frac: final rate over the peak of `cosine`, `infinite` and `rewarm`, in [0, 1]; a
            tenth, as in GPT-3, Chinchilla and Ibrahim et al. (arXiv 2403.08763).
        stable_frac: constant rate over the peak of `infinite`; 3.75e-5 / 3e-4 (arXiv 2503.02844).
        cooldown_frac: share of the steps in which `infinite` falls to that rate, in [0, 1].
        restarts: schedules that take over at later steps, ascending.
        mask_documents: whether attention stays inside a document.
    """

    tokens: int
    batch_tokens: int = 4096
    optimizer: Literal["muon", "adamw"] = "muon"
    lr: float = 1.2e-2
    muon_lr: float = 0.02
    muon_momentum: float = 0.95
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-10
    weight_decay: float = 0.1
    clip: float = 1.0
    warmup_frac: float = 0.05
    decay_frac: float = 0.5
    checkpoint_every: int = 100
    schedule: ScheduleName = "wsd"
    min_frac: float = 0.1
    stable_frac: float = 0.125
    cooldown_frac: float = 0.25
    restarts: tuple[Restart, ...] = ()
    mask_documents: bool = False

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise UserError(f"must be an int >= 1. Got {self.tokens}.", where="tokens")
        if self.optimizer not in ("muon", "adamw"):
            raise UserError(f"must be muon or adamw. Got '{self.optimizer}'.", where="optimizer")
        if self.warmup_frac < 0 or self.decay_frac < 0 or self.warmup_frac + self.decay_frac > 1:
            raise UserError("warmup_frac and decay_frac must be >= 0 and sum to at most 1")
        if self.schedule not in SCHEDULES:
            what = f"must be one of {', '.join(SCHEDULES)}. Got '{self.schedule}'."
            raise UserError(what, where="schedule")
        if self.schedule == "infinite":
            self._check_infinite()

    def _check_infinite(self) -> None:
        if not 0 < self.min_frac <= self.stable_frac <= 1:
            raise UserError(
                "infinite needs 0 < min_frac <= stable_frac <= 1. "
                f"Got {self.min_frac:g} and {self.stable_frac:g}."
            )
        if self.cooldown_frac < 0 or self.warmup_frac + self.cooldown_frac + self.decay_frac > 1:
            raise UserError("warmup_frac, cooldown_frac and decay_frac must sum to at most 1")

    @property
    def steps(self) -> int:
        """Optimiser steps that the budget pays for."""
        return max(1, self.tokens // self.batch_tokens)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named size: model and training configuration that belong together."""

    name: str
    model: ModelConfig
    train: TrainConfig


def _preset(
    name: str, shape: tuple[int, ...], batch: int, tokens: int, lr: float, warmup: float
) -> Preset:
    vocab, width, n_layer, n_head, head_dim, context = shape
    model = ModelConfig(
        vocab=vocab,
        width=width,
        n_layer=n_layer,
        n_head=n_head,
        head_dim=head_dim,
        context=context,
    )
    train = TrainConfig(tokens=tokens, batch_tokens=batch, lr=lr, warmup_frac=warmup)
    return Preset(name=name, model=model, train=train)


#      name      vocab  width layer head dim  context  batch    tokens       lr      warm-up
PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        _preset("smoke", (2048, 96, 4, 3, 32, 128), 4096, 1_000_000, 1.2e-2, 0.05),
        _preset("xs", (2048, 96, 4, 3, 32, 128), 4096, 5_000_000, 1.2e-2, 0.05),
        _preset("s", (4096, 160, 6, 5, 32, 256), 8192, 20_000_000, 9e-3, 0.05),
        _preset("m", (8192, 320, 8, 5, 64, 512), 32768, 197_000_000, 5e-3, 0.03),
        _preset("l", (16384, 512, 8, 8, 64, 1024), 65536, 603_000_000, 3.6e-3, 0.02),
        _preset("xl", (32768, 768, 12, 6, 128, 1024), 262144, 2_500_000_000, 2.3e-3, 0.02),
    )
}


def preset(name: str) -> Preset:
    """The preset called `name`.

    Raises:
        UserError: there is none; the hint lists them.
    """
    if name not in PRESETS:
        raise UserError(
            f"there is no preset '{name}'.{closest(name, PRESETS)}",
            where="train.preset",
            hint=f"Known: {', '.join(PRESETS)}",
        )
    return PRESETS[name]

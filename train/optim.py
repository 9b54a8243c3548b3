"""Muon for the matrices inside blocks, AdamW for the embedding; or AdamW for everything.

Muon (Jordan et al. 2024) replaces a matrix's momentum by the nearest orthogonal matrix, found by
five Newton-Schulz steps: every direction of the update gets the same size. At our smallest size it
reached a lower loss than AdamW at equal tokens, with a smaller spread between seeds. Matrices of
one shape are stacked and orthogonalised together, because small products waste a core.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from train.config import TrainConfig

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # quintic coefficients of Jordan et al.: steep at 0
NEWTON_SCHULZ_STEPS = 5


class Optimizer:
    """The optimiser of one model.

    Args:
        parameters: by name, all float32.
        config: rates, momenta, decay.
        dtype: of the orthogonalisation.
    """

    def __init__(
        self, parameters: dict[str, nn.Parameter], config: TrainConfig, dtype: torch.dtype
    ) -> None:
        self.config, self.dtype, self._parameters = config, dtype, parameters
        muon = config.optimizer == "muon"
        self._matrices = {n: p for n, p in parameters.items() if muon and n != "embedding"}
        self._momenta = {n: torch.zeros_like(p) for n, p in self._matrices.items()}
        matrices = [p for n, p in parameters.items() if n != "embedding" and not muon]
        groups: list[dict[str, Any]] = [{"params": [parameters["embedding"]], "weight_decay": 0.0}]
        if matrices:
            groups.append({"params": matrices})
        self._adamw = torch.optim.AdamW(
            groups,
            lr=config.lr,
            betas=(config.beta1, config.beta2),
            eps=config.eps,
            weight_decay=config.weight_decay,
            fused=True,
        )

    def step(self, rate: float) -> None:
        """Updates all parameters from their gradients; `rate` is a factor on the peak rates."""
        for group in self._adamw.param_groups:
            group["lr"] = self.config.lr * rate
        self._adamw.step()
        if self._matrices:
            self._muon_step(self.config.muon_lr * rate)
        for parameter in self._parameters.values():
            parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        """Every tensor that the next step depends on, by a flat name."""
        adamw = {
            f"adamw.{name}.{key}": value
            for name, parameter in self._parameters.items()
            for key, value in self._adamw.state.get(parameter, {}).items()
        }
        return {**adamw, **{f"muon.{name}": m for name, m in self._momenta.items()}}

    def load(self, state: dict[str, Tensor]) -> None:
        """Takes over what `state` gave."""
        for name, tensor in state.items():
            kind, _, rest = name.partition(".")
            if kind == "muon":
                self._momenta[rest].copy_(tensor)
            else:
                parameter, _, key = rest.rpartition(".")
                target = self._parameters[parameter]
                self._adamw.state[target][key] = tensor.to(target.device, copy=True)

    @torch.no_grad()
    def _muon_step(self, lr: float) -> None:
        updates = list(self._muon_updates())
        for (matrix, _), update in zip(updates, _orthogonal(updates, self.dtype), strict=True):
            rows, columns = matrix.shape
            matrix.mul_(1 - lr * self.config.weight_decay)
            matrix.add_(update, alpha=-lr * max(1.0, rows / columns) ** 0.5)

    def _muon_updates(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Pairs of (view of a weight, its Nesterov momentum); Q, K and V are three matrices."""
        for name, weight in self._matrices.items():
            assert weight.grad is not None, f"no gradient for {name}"
            momentum = self._momenta[name].lerp_(weight.grad, 1 - self.config.muon_momentum)
            update = weight.grad.lerp(momentum, self.config.muon_momentum)
            parts = 3 if name.endswith("qkv.weight") else 1
            yield from zip(weight.data.chunk(parts), update.chunk(parts), strict=True)


def _orthogonal(updates: list[tuple[Tensor, Tensor]], dtype: torch.dtype) -> list[Tensor]:
    """Each update's nearest orthogonal matrix, same-shaped ones computed together."""
    wide = [u.t() if u.shape[0] > u.shape[1] else u for _, u in updates]
    out: list[Tensor] = [torch.empty(0)] * len(wide)
    for shape in {tuple(u.shape): None for u in wide}:
        places = [i for i, u in enumerate(wide) if tuple(u.shape) == shape]
        stack = orthogonalize(torch.stack([wide[i] for i in places]), dtype)
        for place, matrix in zip(places, stack, strict=True):
            out[place] = matrix.t() if updates[place][1].shape != matrix.shape else matrix
    return out


def orthogonalize(matrices: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Approximate U V^T of each matrix's singular value decomposition U S V^T.

    Five quintic Newton-Schulz steps bring all singular values to between about 0.7 and 1.2.

    Args:
        matrices: (n, rows, columns) with rows <= columns; products are rows x rows.
        dtype: of the products.

    Returns:
        float32 matrices of the same shape.
    """
    a, b, c = NEWTON_SCHULZ
    x = matrices / matrices.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)  # spectral norm <= 1
    x = x.to(dtype)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = a * x + torch.baddbmm(gram, gram, gram, beta=b, alpha=c) @ x
    out: Tensor = x.float()
    return out

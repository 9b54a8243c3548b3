"""From values to pixels, linear or logarithmic, with ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Maps [`low`, `high`] to [`start`, `stop`]; values outside are held at the ends."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of `value`."""
        low, high, here = (self._bend(v) for v in (self.low, self.high, value))
        share = (here - low) / (high - low) if high > low else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.stop - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """About `wanted` round values inside the range."""
        if self.log:
            return _decades(self.low, self.high, wanted)
        step = _round_step((self.high - self.low) / max(wanted, 1))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) for i in range(first, last + 1)]

    def _bend(self, value: float) -> float:
        return math.log(max(value, self.low)) if self.log else value


def padded(values: Sequence[float], frac: float = 0.08) -> tuple[float, float]:
    """The range of `values` with `frac` of air on both sides; never empty."""
    low, high = min(values), max(values)
    air = (high - low) * frac or abs(high) * frac or 1.0
    return low - air, high + air


def _round_step(rough: float) -> float:
    """The nearest 1, 2, 2.5 or 5 times a power of ten that is not below `rough`."""
    if rough <= 0 or not math.isfinite(rough):
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next((m * power for m in (1, 2, 2.5, 5) if m * power >= rough * 0.999), 10 * power)


def _decades(low: float, high: float, wanted: int) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    stride = max(1, round((last - first + 1) / wanted))
    return [10.0**power for power in range(first, last + 1, stride)]

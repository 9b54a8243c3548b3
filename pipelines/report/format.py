"""Numbers as people write them. What is absent or not finite is an en dash."""

from __future__ import annotations

import math
from collections.abc import Sequence

ABSENT = "–"
_THOUSANDS = ("", "k", "M", "G", "T")
_BYTES = ("B", "kB", "MB", "GB", "TB", "PB")


def is_number(value: object) -> bool:
    """True for a finite int or float, False for everything else, booleans included."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def count(value: float | None) -> str:
    """`950`, `12.3k`, `4.56M`."""
    return _scaled(value, _THOUSANDS, "")


def size(value: float | None) -> str:
    """Bytes in powers of 1000: `12 B`, `4.5 MB`."""
    return _scaled(value, _BYTES, " ")


def percent(part: float | None, whole: float | None) -> str:
    """`part` of `whole`: `88.1 %`; small but present shares are `<0.1 %`."""
    if part is None or not whole:
        return ABSENT
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "<0.1 %"
    # Rounding must not call a stage that dropped something a stage that kept everything.
    if 99.9 < share < 100:
        return ">99.9 %"
    return f"{share:.3g} %"


def seconds(value: float | None) -> str:
    """`0.4 s`, `38 s`, `4 min 5 s`, `2 h 3 min`."""
    if value is None or not math.isfinite(value):
        return ABSENT
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def number(value: float | None, digits: int = 4) -> str:
    """A measured value with `digits` decimals."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:.{digits}f}".replace("-", "−")


def signed(value: float | None, digits: int = 4) -> str:
    """A difference: always with its sign, and a real minus."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:+.{digits}f}".replace("-", "−")


def compact(value: object) -> str:
    """Anything a rule may hold, short: thresholds, tick labels, values of parameters."""
    if value is None:
        return ABSENT
    if isinstance(value, list | tuple):
        return ", ".join(compact(item) for item in value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if abs(value) >= 10_000:
        return count(value).replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def aligned(ticks: Sequence[float], sign: bool = False) -> list[str]:
    """Labels of one axis: the decimals that the finest tick needs, thousands shortened."""
    if any(abs(tick) >= 1000 for tick in ticks):
        return [count(tick).replace("-", "−") for tick in ticks]
    if ticks and 0 < min(ticks) < max(ticks) / 100:  # decades share no number of decimals
        return [compact(tick) for tick in ticks]
    digits = max((len(f"{tick:.6g}".partition(".")[2]) for tick in ticks), default=0)
    plus = "+" if sign else ""
    texts = (f"{tick:{plus if tick else ''}.{digits}f}" for tick in ticks)
    return [text.replace("-", "−") for text in texts]


def _scaled(value: float | None, units: tuple[str, ...], gap: str) -> str:
    if value is None or not math.isfinite(value):
        return ABSENT
    rank = 0
    # 999.5 and above would round to 1000 of its unit.
    while abs(value) >= 999.5 and rank < len(units) - 1:
        value, rank = value / 1000, rank + 1
    digits = f"{value:.3g}" if rank or value != int(value) else f"{int(value)}"
    return f"{digits}{gap}{units[rank]}"

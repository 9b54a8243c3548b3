"""Numbers and dates as unsigned integers in their order: keys that sort, and fit in one column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.text import Hashes, Rows

# ISO 8601 from the year on, in the extended or the basic form, to any precision.
_TWO = "[0-9]{2}"
_DATE = (
    rf"^\s*(?P<year>[0-9]{{4}})(?:-?(?P<month>{_TWO})(?:-?(?P<day>{_TWO})(?:[Tt ](?P<hour>{_TWO})"
    rf"(?::?(?P<minute>{_TWO})(?::?(?P<second>{_TWO})(?:[.,](?P<part>[0-9]+))?)?)?"
    rf"\s*(?P<zone>[Zz]|[+-]{_TWO}(?::?{_TWO})?)?)?)?)?\s*$"
)
_PRECISION = {"year": "Y", "month": "M", "day": "D", "hour": "h", "minute": "m", "second": "s"}
_MOST = {"month": 12, "day": 31, "hour": 23, "minute": 59, "second": 60}  # 60: a leap second
_NONE = np.datetime64("NaT", "ms")
_SIGN = np.uint64(1 << 63)

Instants = npt.NDArray[np.datetime64]


def ascending(values: Rows) -> Hashes:
    """Integers in the order of `values`: the bits of a float, its sign taken into account."""
    bits = (values + 0.0).view(np.uint64)  # + 0.0 makes one zero of two
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def instants(dates: pa.ChunkedArray | pa.Array, *, last: bool = False) -> Instants:
    """The milliseconds in UTC that ISO 8601 dates name; NaT for whatever is none.

    A date that names no more than a year, month, day, hour, minute or second stands for its first
    millisecond; with `last`, for its last one. Without a zone it is in UTC.
    """
    import polars as pl

    found = pl.Series("date", dates.cast(pa.string())).str.extract_groups(_DATE).struct.unnest()
    fields = {name: found[name].cast(pl.Int64).to_numpy() for name in _PRECISION}  # NaN: absent
    start = _first(fields)
    part = found["part"].str.pad_end(3, "0").str.slice(0, 3).cast(pl.Int64)
    start = start + part.fill_null(0).to_numpy().astype("m8[ms]")
    if last:
        start = _last(start, fields, part.is_null().to_numpy())
    return start - _zone(found["zone"])


def _first(fields: dict[str, Any]) -> Instants:
    """The first millisecond; NaT where a number is out of its range."""
    year = fields["year"]
    valid = ~np.isnan(year)
    for name, most in _MOST.items():
        valid &= ~((fields[name] > most) | (fields[name] < (name in ("month", "day"))))
    whole = {n: np.where(valid & ~np.isnan(v), v, n in ("month", "day")) for n, v in fields.items()}
    months = (whole["year"] - 1970) * 12 + whole["month"] - 1
    month = months.astype(np.int64).astype("M8[M]")
    day = month.astype("M8[D]") + (whole["day"] - 1).astype("m8[D]")
    valid &= day.astype("M8[M]") == month  # no 30 February
    seconds = (whole["hour"] * 60 + whole["minute"]) * 60 + whole["second"]
    return np.where(valid, day.astype("M8[ms]") + (seconds * 1000).astype("m8[ms]"), _NONE)


def _last(start: Instants, fields: dict[str, Any], no_part: npt.NDArray[np.bool_]) -> Instants:
    """The last millisecond of the year, month ... that begins at `start`."""
    end = start
    for name, unit in _PRECISION.items():
        named = ~np.isnan(fields[name]) & no_part
        following = start.astype(f"M8[{unit}]") + np.timedelta64(1, unit)  # type: ignore[call-overload]
        end = np.where(named, following.astype("M8[ms]") - np.timedelta64(1, "ms"), end)
    return end


def _zone(zones: Any) -> npt.NDArray[np.timedelta64]:
    """How far clocks are ahead of UTC."""
    import polars as pl

    digits = zones.str.replace_all(r"[^0-9]", "").str.pad_end(4, "0").cast(pl.Int64).fill_null(0)
    minutes = (digits // 100 * 60 + digits % 100).to_numpy()
    behind = zones.str.starts_with("-").fill_null(False).to_numpy()
    ahead: npt.NDArray[np.timedelta64] = np.where(behind, -minutes, minutes).astype("m8[m]")
    return ahead

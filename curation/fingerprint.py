"""Identity: a canonical hash of what is computed, never of where or how fast.

A fingerprint covers parameters, inputs, stage versions and seed. A value without a stable form
(a function, an object with a default repr, NaN) is refused rather than hashed by accident.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from pathlib import PurePath
from typing import Any


def canonical(value: Any, where: str = "value") -> Any:
    """`value` reduced to JSON types with one spelling each.

    Raises:
        TypeError: the value has no stable form; `where` names it.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TypeError(f"{where} is {value}: only finite numbers have an identity")
        return int(value) if value.is_integer() else value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return canonical(fields, where)
    if isinstance(value, dict):
        return {str(k): canonical(v, f"{where}.{k}") for k, v in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [canonical(v, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, PurePath):
        raise TypeError(f"{where} is a path: hash what the file holds, not where it lies")
    raise TypeError(f"{where} is a {type(value).__name__}, which has no stable form")


def fingerprint(value: Any) -> str:
    """32 hex digits (128 bits) that depend on the canonical form of `value` only."""
    text = json.dumps(canonical(value), ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

"""How much to keep for a training run of so much compute: more compute, less filtering.

BETR (arXiv 2507.12466) fits `F_opt(C) = 4e-5 * C^0.25` percent of the tokens to one family of
pools. Printed so, it is 4, 12.6 and 22.5 % at 1e20, 1e22 and 1e23 FLOPs, where the paper's text
says 3, 10 and 30 %: a rule of thumb. Far below its range, at 6e13 FLOPs, it would keep 0.1 %.
"""

from __future__ import annotations

COEFFICIENT = 4e-5  # percent
EXPONENT = 0.25


def keep_frac_of(
    compute: float, coefficient: float = COEFFICIENT, exponent: float = EXPONENT
) -> float:
    """The share of tokens, in (0, 1]: coefficient * compute ^ exponent percent.

    Args:
        compute: FLOPs, > 0.
        coefficient: percent at 1 FLOP, > 0.
        exponent: how fast the share grows.
    """
    return float(min(1.0, coefficient * compute**exponent / 100))

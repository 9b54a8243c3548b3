"""Agreement of predictions with measurements, as `tilth search --from-runs` prints it."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.search.agreements import agreement


def test_shifted_predictions_keep_the_order_and_tell_the_level() -> None:
    measured = np.linspace(2, 4, 40)
    found = agreement(measured + 0.5, np.full(40, 0.1), measured)
    assert (found.runs, found.top_runs) == (40, 4)
    assert (found.spearman, found.top_spearman, found.accuracy) == pytest.approx((1, 1, 1))
    assert found.interval == pytest.approx((1, 1))
    assert (found.mae, found.bias, found.coverage) == pytest.approx((0.5, 0.5, 0))


def test_errors_are_covered_up_to_196_standard_errors() -> None:
    measured = np.arange(10.0)
    errors = np.array([0.0, 1.95, 1.97, -1.95, -1.97, 0, 0, 0, 0, 0])
    found = agreement(measured + errors, np.ones(10), measured)
    assert found.coverage == 0.8
    assert found.mae == pytest.approx(0.784)


def test_what_has_no_order_is_none() -> None:
    found = agreement(np.array([1.0, 2.0]), np.ones(2), np.array([3.0, 3.0]))
    assert (found.spearman, found.interval, found.accuracy) == (None, None, None)
    assert (found.top_runs, found.top_spearman) == (1, None)

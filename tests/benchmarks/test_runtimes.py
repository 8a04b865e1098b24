"""Hitting times, expected running times and their distribution."""

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from llmopt.benchmarks.runtimes import ecdf, ert, hitting_times

losses = arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats(-100, 100) | st.just(np.nan))
targets = arrays.arrays(np.float64, st.integers(1, 8), elements=st.floats(-120, 120))


@given(losses, targets)
def test_a_hitting_time_is_the_first_evaluation_that_is_low_enough(losses: Any, targets: Any) -> None:
    expected = [next((i + 1 for i, loss in enumerate(losses) if loss <= target), math.inf) for target in targets]
    assert hitting_times(losses, targets).tolist() == expected


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(50, 99), st.booleans()), min_size=1))
def test_failures_count_with_all_that_they_spent(runs: list[tuple[int, int, bool]]) -> None:
    times = [time if success else math.inf for time, _, success in runs]
    successes = sum(success for *_, success in runs)
    spent = sum(time if success else budget for time, budget, success in runs)
    expected = spent / successes if successes else math.inf
    assert math.isclose(ert(times, [budget for _, budget, _ in runs]), expected)


@given(arrays.arrays(np.float64, (3, 4), elements=st.integers(1, 20).map(float) | st.just(np.inf)))
def test_the_distribution_is_a_share_that_rises(times: Any) -> None:
    shares = ecdf(times, range(25))
    assert shares[0] == 0 and (np.diff(shares) >= 0).all()
    assert shares[-1] == np.isfinite(times).mean()

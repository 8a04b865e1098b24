"""Curves with fewer points that look the same."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.report.page.courses import best, courses
from llmopt.report.page.thin import LIMIT, grid, kept
from support.traces import trace

SCORES = st.lists(st.one_of(st.integers(0, 9).map(float), st.just(math.nan)), min_size=1, max_size=300)


def drawn(at: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """Return the step function through the kept points, at every position."""
    return np.asarray(curve[at][np.searchsorted(at, np.arange(len(curve)), side="right") - 1])


@given(SCORES)
def test_a_curve_with_few_changes_is_drawn_exactly(scores: list[float]) -> None:
    curve = np.array(scores)
    np.testing.assert_array_equal(drawn(kept(curve), curve), curve)


@given(st.integers(3, 60), st.lists(st.floats(0, 1e-3), min_size=1, max_size=3_000))
def test_many_changes_are_kept_within_the_limit(limit: int, falls: list[float]) -> None:
    curve = 10.0 - np.cumsum(falls)
    at = kept(curve, limit)
    assert len(at) <= limit or len(at) <= 1 + np.count_nonzero(np.diff(curve))
    assert at[0] == 0 and at[-1] == len(curve) - 1
    assert (np.diff(at) > 0).all()


@pytest.mark.parametrize("n", [LIMIT + 1, 10_000, 1_000_000])
def test_a_curve_that_always_changes_is_off_by_less_than_a_pixel(n: int) -> None:
    curve = np.linspace(1.0, 0.0, n)
    at = kept(curve)
    assert len(at) <= LIMIT
    # Up to where single evaluations are wider than a part, every one is there.
    assert (np.diff(at)[: np.searchsorted(at, 20)] == 1).all()
    assert np.diff(np.log(at + 1.0)).max() <= max(math.log(2), 1.01 * math.log(n + 1) / (LIMIT - 2))


def test_equal_values_are_one_step() -> None:
    assert kept([math.nan, math.nan, 5, 5, 5]).tolist() == [0, 2, 4]
    assert kept([1.0]).tolist() == [0]
    assert kept([]).tolist() == []


@given(st.integers(1, 2_000_000), st.integers(3, 400))
def test_grids_have_both_ends(longest: int, limit: int) -> None:
    at = grid(longest, limit)
    assert (at[0], at[-1]) == (1, longest)
    assert len(at) <= limit and (np.diff(at) > 0).all()


@given(st.lists(SCORES, min_size=1, max_size=6))
def test_quartiles_are_those_of_the_runs_at_every_point(runs: list[list[float]]) -> None:
    traces = [trace("a", losses, repeat=i) for i, losses in enumerate(runs)]
    found = courses(traces, gap=False)
    assert found is not None
    for i, at in enumerate(found.evaluations.tolist()):
        values = sorted(float(best(each, gap=False)[min(at, len(each.losses)) - 1]) for each in traces)
        assert found.low[i] in values and found.high[i] in values
        assert found.low[i] <= found.median[i] <= found.high[i]
        assert found.median[i] == np.median(values)

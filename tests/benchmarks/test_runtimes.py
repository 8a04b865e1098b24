"""Hitting times, expected running times and their distribution."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from llmopt.benchmarks.runtimes import (
    ecdf,
    ends,
    ert,
    ert_interval,
    hitting_times,
    quantiles,
    runtime_profile,
    simulated_restarts,
)

losses = arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats(-100, 100) | st.just(np.nan))
targets = arrays.arrays(np.float64, st.integers(1, 8), elements=st.floats(-120, 120))

runtimes = st.integers(1, 60).map(float) | st.just(np.inf)
"""Of runs with a budget of 60."""
times = st.lists(runtimes, min_size=1, max_size=12)


def budgets(times: Any) -> list[int]:
    return [60] * len(times)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


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


@given(times, st.randoms(use_true_random=False))
def test_neither_the_expected_running_time_nor_its_interval_depends_on_the_order_of_the_runs(
    times: list[float], random: Any
) -> None:
    evaluations = [int(time) if math.isfinite(time) else 60 for time in times]
    runs = list(zip(times, evaluations, strict=True))
    random.shuffle(runs)
    shuffled, spent = zip(*runs, strict=True)
    assert ert(times, evaluations) == ert(shuffled, spent)
    assert ert_interval(times, evaluations, rng()) == ert_interval(shuffled, spent, rng())


@given(st.lists(st.integers(1, 60), min_size=1))
def test_where_all_runs_succeed_the_expected_running_time_is_their_mean(times: list[int]) -> None:
    assert math.isclose(ert(times, budgets(times)), np.mean(times))


@given(times)
def test_the_interval_holds_the_expected_running_time(times: list[float]) -> None:
    low, high = ert_interval(times, budgets(times), rng())
    expected = ert(times, budgets(times))
    assert low <= expected * (1 + 1e-12) and expected <= high * (1 + 1e-12)


def test_a_wider_interval_holds_a_narrower_one() -> None:
    times = [3, 14, 15, 9, 26, math.inf, 53, 58]
    wide, narrow = (ert_interval(times, budgets(times), rng(), level) for level in (0.95, 0.5))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_where_few_runs_succeed_the_interval_has_no_upper_end() -> None:
    times = [10.0] + [math.inf] * 9
    low, high = ert_interval(times, budgets(times), rng())
    assert low < ert(times, budgets(times)) == 550 and high == math.inf
    assert ert_interval([math.inf] * 9, [60] * 9, rng()) == (math.inf, math.inf)


def test_the_interval_covers_the_true_value_about_as_often_as_it_says() -> None:
    # Runs succeed with probability 0.8 after a uniform number of evaluations, or fail after 60.
    truth, draws = 30.5 + 60 * 0.2 / 0.8, rng()
    covered = 0
    for _ in range(200):
        times = np.where(draws.random(30) < 0.8, draws.integers(1, 61, 30), np.inf)
        low, high = ert_interval(times, budgets(times), draws)
        covered += low <= truth <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_many_runs_are_resampled_in_little_memory() -> None:
    times = np.where(np.arange(20_000) % 2, 10.0, np.inf)
    low, high = ert_interval(times, budgets(times), rng())
    assert 68 < low < ert(times, budgets(times)) == 70 < high < 72


def test_what_is_undefined_may_be_anything() -> None:
    assert ends(np.array([1.0, 2.0, 3.0])) == (1.0, 3.0)
    assert ends(np.array([1.0, np.nan, 3.0])) == (-math.inf, math.inf)


@given(times, st.lists(st.integers(0, 8).map(lambda eighths: eighths / 8), min_size=1, max_size=4))
def test_quantiles_are_those_of_numpy_as_long_as_they_are_finite(times: list[float], shares: list[float]) -> None:
    found = quantiles(times, shares)
    assert not np.isnan(found).any()
    # What is infinite stands for something larger than all others.
    large = np.quantile(np.where(np.isinf(times), 1e12, times), shares)
    np.testing.assert_allclose(found[np.isfinite(found)], large[np.isfinite(found)])
    assert (large[np.isinf(found)] > 60).all()


@pytest.mark.parametrize(("times", "median"), [([1, 3], 2), ([1, 3, math.inf], 3), ([1, math.inf], math.inf)])
def test_a_median_is_infinite_where_half_of_the_runs_failed(times: list[float], median: float) -> None:
    assert quantiles(times, [0.5]).tolist() == [median]


matrices = arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=runtimes)


@given(matrices)
def test_restarts_need_as_many_evaluations_as_the_runs_where_all_succeed_and_are_endless_where_none_does(
    times: Any,
) -> None:
    found = simulated_restarts(times, budgets(times), rng())
    assert len(found) >= 1000 and len(found) % len(times) == 0
    for ours, runs in zip(found.T, times.T, strict=True):
        if np.isfinite(runs).all():
            assert sorted(ours) == sorted(np.tile(runs, len(found) // len(times)))
        elif np.isinf(runs).all():
            assert np.isinf(ours).all()
        else:
            assert set(ours[ours <= 60]) == set(runs[np.isfinite(runs)])
            assert np.isfinite(ours).all()


def test_the_mean_of_simulated_restarts_is_the_expected_running_time() -> None:
    times, spent = [10, 25, math.inf, math.inf, math.inf, 40], [10, 25, 60, 60, 33, 40]
    found = np.concatenate([simulated_restarts([[t] for t in times], spent, draws) for draws in rng().spawn(50)])
    assert found.mean() == pytest.approx(ert(times, spent), rel=0.01)


def test_one_success_among_many_failures_is_restarted_in_little_memory() -> None:
    times = np.full((5_000, 1), np.inf)
    times[0] = 10
    found = simulated_restarts(times, budgets(times), rng())
    assert found.mean() == pytest.approx(ert(times[:, 0], budgets(times)), rel=0.05)


@given(st.lists(matrices, min_size=1, max_size=3))
def test_a_runtime_profile_is_a_share_that_rises_to_the_targets_that_any_run_reached(problems: list[Any]) -> None:
    runs = [(times, budgets(times)) for times in problems]
    shares = runtime_profile(runs, [0, 1, 10, 60, 600, 1e9], rng())
    assert shares[0] == 0 and (np.diff(shares) >= 0).all() and shares[-1] <= 1 + 1e-12
    reached = np.concatenate([np.isfinite(times).any(axis=0) for times in problems])
    assert math.isclose(shares[-1], reached.mean())


def test_every_pair_of_problem_and_target_weighs_the_same_however_many_runs_it_has() -> None:
    many, few = (np.full((100, 1), 5.0), [5] * 100), (np.full((2, 3), 9.0), [9, 9])
    np.testing.assert_allclose(runtime_profile([many, few], [5, 9], rng()), [0.25, 1.0])


def test_without_failures_a_runtime_profile_is_the_distribution_of_the_hitting_times() -> None:
    times = np.array([[3, 9], [5, 7], [6, 30]])
    at = np.arange(40)
    np.testing.assert_allclose(runtime_profile([(times, [9, 7, 30])], at, rng()), ecdf(times, at))

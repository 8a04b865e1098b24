"""The ratio of evaluations of two solvers, and the sentence that says what it shows."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from llmopt.benchmarks.ratio import Ratio, ratio_of_evaluations, sentence
from llmopt.benchmarks.runtimes import ert, ert_interval
from llmopt.benchmarks.statistics import Paired, pair
from support.paired import paired_runs, pairs, rng, runs


def test_a_single_problem_has_the_ratio_of_the_expected_running_times() -> None:
    paired = pairs([[10, 30], [20, 50], [15, math.inf], [10, 40], [5, 20]])
    found = ratio_of_evaluations(paired, rng())
    assert found.value == pytest.approx(ert(paired.times[:, 1], [60] * 5) / ert(paired.times[:, 0], [60] * 5))
    assert (found.pairs, found.problems, found.failures_a, found.failures_b) == (5, 1, 0, 1)


def test_problems_count_with_the_geometric_mean_of_their_ratios() -> None:
    paired = pairs([[1, 8]] * 5 + [[6, 3]] * 7, problems=["p"] * 5 + ["q"] * 7)
    found = ratio_of_evaluations(paired, rng())
    assert (found.value, found.low, found.high) == pytest.approx((2, 2, 2))
    assert (found.pairs, found.problems) == (12, 2)


@given(paired_runs(least=5))
def test_the_interval_holds_the_ratio_and_swapping_the_solvers_inverts_both(paired: Paired) -> None:
    found, other = (ratio_of_evaluations(runs, rng()) for runs in (paired, paired.only("b", "a")))
    assert found.low is not None and found.high is not None and other.low is not None and other.high is not None
    if math.isnan(found.value):
        assert math.isnan(other.value)
    else:
        assert found.low <= found.value * (1 + 1e-9) and found.value <= found.high * (1 + 1e-9)
        assert found.value == pytest.approx(1 / other.value if other.value else math.inf)
    assert found.unsolved == other.unsolved
    assert found.high == pytest.approx(1 / other.low if other.low else math.inf)
    assert (found.failures_a, found.failures_b) == (other.failures_b, other.failures_a)
    assert (sentence(found) == sentence(other)) or not 0 < found.value < math.inf or found.value == 1


def test_pairs_make_an_interval_narrow_where_hard_instances_are_hard_for_both() -> None:
    hard = rng().integers(2, 2000, 20).astype(float)
    paired = replace(pairs(np.column_stack([hard, 2 * hard])), evaluations=np.column_stack([hard, 2 * hard]))
    found = ratio_of_evaluations(paired, rng())
    assert (found.low, found.high) == pytest.approx((2, 2))
    low, high = ert_interval(hard, hard, rng())
    assert high / low > 1.5


def test_the_interval_covers_the_true_ratio_about_as_often_as_it_says() -> None:
    draws, covered = rng(), 0
    for _ in range(200):
        times = draws.exponential([10.0, 30.0], (25, 2))
        found = ratio_of_evaluations(pairs(times), draws)
        assert found.low is not None and found.high is not None
        covered += found.low <= 3 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def said(times: Any, problems: Sequence[str] | None = None) -> str:
    return sentence(ratio_of_evaluations(pairs(times, problems=problems), rng()))


def test_a_difference_is_stated_for_the_solver_that_needs_fewer_evaluations() -> None:
    times = [[10, 30], [12, 40], [9, 33], [11, 35], [8, 29], [10, math.inf]]
    expected = (
        r"a needs [\d.]+ times fewer evaluations than b \(95 % interval [\d.]+ to [\d.]+, 6 paired runs on 1 problem"
    )
    assert re.fullmatch(expected + r"; b failed in 1\)\.", said(times))
    swapped = said(np.array(times)[:, ::-1])
    assert re.fullmatch(r"b needs .* times fewer evaluations than a .*; a failed in 1\)\.", swapped)


def test_an_interval_that_holds_1_shows_no_difference() -> None:
    text = said([[10, 11], [30, 12], [9, 33], [11, 10], [8, 9]] * 2, ["p"] * 5 + ["q"] * 5)
    assert re.match(r"No difference in evaluations is shown: b needed 1\.1 times as many as a \(95 %", text)
    assert text.endswith("10 paired runs on 2 problems).")


def test_where_a_solver_never_succeeds_there_is_no_ratio_but_a_count_of_failures() -> None:
    inf = math.inf
    assert said([[10, inf], [20, inf]]) == (
        "No ratio of evaluations between a and b: of 2 paired runs on 1 problem, a failed in 0 and b in 2."
    )
    # Each is the only one to solve one of the problems, so that neither needs less.
    assert "a failed in 5 and b in 5." in said([[10, inf]] * 5 + [[inf, 10]] * 5, ["p"] * 5 + ["q"] * 5)


def test_a_problem_that_neither_solved_says_nothing_of_the_ratio_and_is_named() -> None:
    times, problems = [[10, 20]] * 5 + [[math.inf, math.inf]] * 2, ["p"] * 5 + ["q"] * 2
    found = ratio_of_evaluations(pairs(times, problems=problems), rng())
    assert (found.value, found.low, found.high) == pytest.approx((2, 2, 2))
    assert (found.pairs, found.problems, found.unsolved) == (7, 2, 1)
    assert sentence(found) == (
        "a needs 2 times fewer evaluations than b (95 % interval 2 to 2, 7 paired runs on 2 problems; a failed in 2; "
        "b failed in 2; without 1 problem that neither of them solved)."
    )


def test_with_few_pairs_on_a_problem_no_interval_is_claimed() -> None:
    assert said([[10, 20]] * 4) == (
        "b needed 2 times as many evaluations as a (4 paired runs on 1 problem; with fewer than 5 pairs on a problem "
        "no interval is claimed)."
    )
    assert "no interval is claimed" in said([[10, 20]] * 9, ["p"] * 5 + ["q"] * 4)
    assert "95 % interval 2 to 2" in said([[10, 20]] * 10, ["p"] * 5 + ["q"] * 5)


def test_solvers_that_share_no_instance_are_not_compared() -> None:
    found = ratio_of_evaluations(pair(runs("a", [3]) + runs("b", [3], "q"), ["a", "b"]), rng())
    assert sentence(found) == "a and b have no runs on the same instance."


def test_few_successes_make_an_interval_without_an_end() -> None:
    times = [[10, 40], *([[10, math.inf]] * 6)]
    assert " to infinity, 7 paired runs" in said(times)
    assert sentence(Ratio("a", "b", 12345.6, 1234.5, 1e6, 9, 1, 0, 0, 0)).startswith(
        "a needs 12,346 times fewer evaluations than b (95 % interval 1,234 to 1,000,000, "
    )

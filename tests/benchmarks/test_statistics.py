"""Paired comparisons of solvers, and the sentence that says what they show."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import wilcoxon

from llmopt.benchmarks.results import Trace
from llmopt.benchmarks.runtimes import ert, ert_interval
from llmopt.benchmarks.statistics import (
    Paired,
    Ratio,
    critical_difference,
    friedman,
    pair,
    pairwise,
    ratio_of_evaluations,
    sentence,
    signed_rank,
)
from support.traces import trace

SPENT = 60
runtimes = st.integers(1, SPENT).map(float) | st.just(np.inf)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def pairs(times: Any, gaps: Any = None, problems: Sequence[str] | None = None) -> Paired:
    """Return runs of solvers a, b, ... with a budget of 60 evaluations."""
    values = np.array(times, dtype=np.float64)
    ends = np.where(np.isfinite(values), 0.0, 1.0) if gaps is None else np.array(gaps, dtype=np.float64)
    return Paired(
        tuple("abcdefgh"[: values.shape[1]]),
        tuple(problems or ["p"] * len(values)),
        values,
        np.where(np.isfinite(values), values, SPENT),
        ends,
    )


@st.composite
def paired_runs(draw: st.DrawFn, solvers: int = 2, least: int = 1) -> Paired:
    problems = draw(st.lists(st.integers(least, 8), min_size=1, max_size=3))
    count = sum(problems)
    times = draw(arrays.arrays(np.float64, (count, solvers), elements=runtimes))
    gaps = draw(arrays.arrays(np.float64, (count, solvers), elements=st.integers(1, 5).map(float) | st.just(np.inf)))
    return pairs(times, gaps, [f"p{i}" for i, n in enumerate(problems) for _ in range(n)])


def runs(solver: str, times: Sequence[float], problem: str = "p") -> list[Trace]:
    courses = [[5.0] * (SPENT if math.isinf(t) else int(t) - 1) + ([] if math.isinf(t) else [0.0]) for t in times]
    return [trace(solver, losses, problem=problem, instance=i) for i, losses in enumerate(courses)]


def test_runs_are_paired_by_problem_instance_and_repeat() -> None:
    listed = [*runs("a", [3, 4, math.inf]), *runs("b", [7, 8, 9, 10]), *runs("a", [2], "q"), *runs("b", [5], "r")]
    found = pair(reversed(listed), ["a", "b"])
    assert sorted(found.times.tolist()) == [[3, 7], [4, 8], [math.inf, 9]]
    assert found.problems == ("p",) * 3 and len(found) == 3
    assert found.evaluations.max() == SPENT
    assert sorted(found.gaps.tolist()) == [[0, 0], [0, 0], [5, 0]]
    assert len(pair(listed, ["a", "b", "c"])) == 0


def test_a_gap_is_that_to_the_best_of_the_pair_where_no_optimum_is_known() -> None:
    listed = [trace("a", [3.0, 2.0], optimum=None), trace("b", [7.0], optimum=None), trace("c", [1.0], optimum=None)]
    assert pair(listed, ["a", "b"]).gaps.tolist() == [[0, 5]]
    nothing = [trace(solver, [math.nan], optimum=None) for solver in "ab"]
    assert pair(nothing, ["a", "b"]).gaps.tolist() == [[math.inf, math.inf]]


def test_a_failure_costs_more_than_every_success_and_less_the_closer_it_came() -> None:
    inf = math.inf
    found = pairs([[10, inf], [inf, 60], [inf, 10]], [[0, 3], [2, 0], [inf, 0]]).costs
    assert (found * 6).tolist() == [[1.5, 5], [4, 3], [6, 1.5]]


@given(paired_runs(solvers=3))
def test_costs_are_shares_whose_order_is_that_of_the_runs_of_a_problem(paired: Paired) -> None:
    costs = paired.costs
    assert ((costs > 0) & (costs <= 1)).all()
    for rows in paired.rows():
        listed = sorted(
            zip(paired.times[rows].ravel(), paired.gaps[rows].ravel(), costs[rows].ravel(), strict=True),
            key=lambda run: (run[0], run[1] if math.isinf(run[0]) else 0),
        )
        assert [cost for *_, cost in listed] == sorted(cost for *_, cost in listed)
        assert costs[rows].sum() == pytest.approx((costs[rows].size + 1) / 2)


@given(paired_runs(), st.sampled_from([0.5, 3.0, 1000.0]))
def test_costs_do_not_depend_on_the_scale_of_a_problem(paired: Paired, scale: float) -> None:
    scaled = replace(
        paired, times=paired.times * scale, evaluations=paired.evaluations * scale, gaps=paired.gaps * scale
    )
    assert (scaled.costs == paired.costs).all()


@given(paired_runs())
def test_to_swap_two_solvers_swaps_what_a_test_says(paired: Paired) -> None:
    one, other = signed_rank(*paired.costs.T), signed_rank(*paired.only("b", "a").costs.T)
    assert (one.wins, one.losses, one.ties) == (other.losses, other.wins, other.ties)
    assert one.effect == pytest.approx(-other.effect) and one.p_value == pytest.approx(other.p_value)
    assert -1 <= one.effect <= 1 and 0 <= one.p_value <= 1
    assert one.wins + one.losses + one.ties == len(paired)


@settings(max_examples=15)
@given(arrays.arrays(np.float64, st.integers(1, 8), elements=st.integers(-4, 4)))
def test_p_values_are_scipys_where_it_is_exact_also_with_shared_ranks(difference: Any) -> None:
    assume(difference.any())
    found = signed_rank(np.zeros(len(difference)), difference)
    assert found.p_value == pytest.approx(wilcoxon(difference[difference != 0]).pvalue)


def test_many_differences_have_about_the_exact_p_value() -> None:
    draws = rng()
    for count in (100, 101):
        difference = draws.normal(0.2, 1, count)
        found = signed_rank(np.zeros(count), difference)
        assert found.p_value == pytest.approx(wilcoxon(difference, method="exact").pvalue, abs=1e-3)


def test_the_better_solver_on_every_instance_has_the_whole_effect() -> None:
    found = signed_rank([1, 2, 3, 4], [2, 5, 7, 9])
    assert (found.wins, found.effect, found.p_value) == (4, 1, 0.125)


def test_only_ties_show_nothing() -> None:
    found = signed_rank([1, 2], [1, 2])
    assert (found.ties, found.effect, found.p_value) == (2, 0, 1)
    assert friedman([[1, 1, 1]] * 4).p_value == 1


def test_a_third_solver_does_not_change_what_is_said_of_two() -> None:
    times = rng().integers(1, SPENT, (12, 3)).astype(float)
    alone = signed_rank(*pairs(times[:, :2]).costs.T)
    among = pairwise(pairs(times))
    assert [(each.a, each.b) for each in among] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert among[0].test == alone
    assert all(each.p_value >= each.test.p_value for each in among)


@given(arrays.arrays(np.float64, st.tuples(st.integers(2, 10), st.integers(3, 6)), elements=st.integers(1, 9)))
def test_average_ranks_add_up_and_groups_hold_every_pair_that_is_close(costs: Any) -> None:
    found = friedman(costs)
    solvers = costs.shape[1]
    assert sum(found.ranks) == pytest.approx(solvers * (solvers + 1) / 2)
    assert 0 <= found.p_value <= 1 and found.instances == len(costs)
    for i in range(solvers):
        for j in range(i):
            distance = abs(found.ranks[i] - found.ranks[j])
            assume(abs(distance - found.critical_difference) > 1e-9)
            together = any(i in group and j in group for group in found.groups)
            assert together == (distance < found.critical_difference)
    sets = [set(group) for group in found.groups]
    assert all(len(group) > 1 and not any(group < other for other in sets) for group in sets)


@pytest.mark.parametrize(("solvers", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_critical_values_are_those_of_demsars_table_5(solvers: int, q: float) -> None:
    assert critical_difference(solvers, 1) == pytest.approx(q * math.sqrt(solvers * (solvers + 1) / 6), abs=2e-3)


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

"""Paired comparisons of solvers."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import wilcoxon

from llmopt.benchmarks.statistics import (
    Paired,
    critical_difference,
    friedman,
    pair,
    pairwise,
    signed_rank,
)
from support.paired import SPENT, paired_runs, pairs, rng, runs
from support.traces import trace


def test_runs_are_paired_by_problem_instance_and_repeat() -> None:
    listed = [*runs("a", [3, 4, math.inf]), *runs("b", [7, 8, 9, 10]), *runs("a", [2], "q"), *runs("b", [5], "r")]
    found = pair(reversed(listed), ["a", "b"])
    assert sorted(found.times.tolist()) == [[3, 7], [4, 8], [math.inf, 9]]
    assert found.problems == ("p",) * 3 and len(found) == 3
    assert found.evaluations.max() == SPENT
    assert sorted(found.gaps.tolist()) == [[0, 0], [0, 0], [5, 0]]
    assert len(pair(listed, ["a", "b", "c"])) == 0


def test_runs_with_other_seeds_are_no_pair() -> None:
    listed = [trace("a", [1.0], seed=1), trace("b", [1.0], seed=2)]
    assert len(pair(listed, ["a", "b"])) == 0
    assert len(pair([*listed, trace("b", [1.0], seed=1)], ["a", "b"])) == 1


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

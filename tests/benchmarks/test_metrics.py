"""What a benchmark says of a solver on a problem."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Budget
from llmopt.benchmarks.compare import Comparison, create_problems, create_solvers
from llmopt.benchmarks.metrics import Metrics, best_so_far, fixed_budgets, measure
from llmopt.benchmarks.results import Results, Trace
from llmopt.problems.prompt.significance import wilson
from llmopt.runlog import RunLog
from support.traces import trace

losses = st.lists(st.floats(-100, 100) | st.just(math.nan), min_size=1, max_size=20)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def row(traces: list[Trace]) -> Metrics:
    [found] = measure(traces, rng())
    return found


def test_every_solver_has_a_row_on_every_problem_that_it_ran_on_in_their_order() -> None:
    pairs = [("p", "b"), ("p", "a"), ("q", "a")]
    runs = [trace(solver, [1.0], problem=problem, instance=i) for i in range(3) for problem, solver in pairs]
    rows = measure(runs, rng())
    assert [(r.problem, r.solver, r.runs) for r in rows] == [(*pair, 3) for pair in pairs]


def test_failures_count_in_every_figure() -> None:
    runs = [trace("a", [5.0] * (n - 1) + [0.0], instance=n, steps=[0] + [1] * (n - 1)) for n in (2, 4, 6, 8)]
    runs.append(trace("a", [5.0] * 10, steps=[0] + [1] * 9))
    found = row(runs)
    assert (found.runs, found.successes, found.success.value) == (5, 4, 0.8)
    assert (found.success.low, found.success.high) == wilson(4, 5)
    assert found.ert.value == (2 + 4 + 6 + 8 + 10) / 4
    assert found.ert.low is not None and found.ert.high is not None
    assert found.ert.low < found.ert.value < found.ert.high
    assert (found.evaluations.low, found.evaluations.median, found.evaluations.high) == (4, 6, 8)
    assert (found.steps.low, found.steps.median, found.steps.high) == (1, 1, 1)
    assert found.unique_pairs == 6


def test_a_median_is_infinite_where_half_of_the_runs_failed() -> None:
    found = row([trace("a", [0.0]), trace("a", [5.0, 4.0], instance=1)])
    assert (found.evaluations.low, found.evaluations.median) == (math.inf, math.inf)
    assert found.ert.value == 3


def test_of_few_runs_no_interval_of_the_running_time_is_claimed() -> None:
    found = row([trace("a", [5.0, 0.0], instance=i) for i in range(4)])
    assert (found.ert.value, found.ert.low, found.ert.high) == (2, None, None)
    assert found.success.low == wilson(4, 4)[0]


def test_shares_are_those_of_all_proposals_and_costs_are_means_per_run() -> None:
    runs = [
        trace("a", [1.0], proposals=30, duplicates=3, invalid=6, prompt_tokens=100, completion_tokens=10, cost_usd=0.5),
        trace("a", [1.0], instance=1, proposals=10, duplicates=1, invalid=0, prompt_tokens=300, llm_calls=4),
    ]
    found = row(runs)
    assert (found.duplicates, found.invalid) == (0.1, 0.15)
    assert (found.prompt_tokens, found.completion_tokens, found.llm_calls, found.cost_usd) == (200, 5, 2, 0.25)
    assert row([runs[0], trace("a", [1.0], cost_usd=None)]).cost_usd is None
    assert row([trace("a", [], proposals=0)]).duplicates == 0


def test_overhead_is_the_time_outside_the_problem() -> None:
    runs = [trace("a", [1.0], seconds=s, evaluation_seconds=e) for s, e in [(3.0, 1.0), (5.0, 2.0)]]
    found = row(runs)
    assert (found.seconds, found.evaluation_seconds, found.overhead_seconds) == (4, 1.5, 2.5)
    without = row([*runs, trace("a", [1.0], seconds=4.0)])
    assert (without.seconds, without.evaluation_seconds, without.overhead_seconds) == (4, None, None)


def test_gaps_are_medians_and_none_where_an_optimum_is_not_known_or_zero() -> None:
    runs = [trace("a", [12.0, 11.0], optimum=10.0), trace("a", [15.0], instance=1, optimum=10.0)]
    found = row(runs)
    assert found.gap == 3 and found.relative_gap == pytest.approx(0.3)
    assert row([*runs, trace("a", [math.nan], instance=2, optimum=10.0)]).gap == 5
    half = row([runs[0], trace("a", [math.nan], instance=2, optimum=10.0)])
    assert (half.gap, half.relative_gap) == (math.inf, math.inf)
    zero, unknown = row([trace("a", [5.0], optimum=0.0)]), row([trace("a", [5.0], optimum=None)])
    assert (zero.gap, zero.relative_gap) == (5, None)
    assert (unknown.gap, unknown.relative_gap, unknown.best_gaps, unknown.target) == (None, None, None, False)


def test_scores_at_fixed_budgets_are_in_the_problems_own_sign() -> None:
    short, long = [-1.0, -3.0, -2.0], [-1.0] * 9 + [-5.0]
    for maximize in (False, True):
        runs = [trace("a", values, optimum=-7.0, maximize=maximize) for values in (short, long, long)]
        found = row(runs)
        sign = -1 if maximize else 1
        assert found.budgets == (1, 2, 5, 10)
        assert found.best_scores == (-1 * sign, -1 * sign, -1 * sign, -5 * sign)
        assert found.best_gaps == (6, 6, 6, 2)


def test_budgets_go_as_far_as_any_solver_went_on_the_problem() -> None:
    rows = measure([trace("a", [1.0] * 5), trace("b", [1.0] * 60), trace("b", [1.0], problem="q")], rng())
    assert [r.budgets[-1] for r in rows] == [60, 60, 1]


@given(losses)
def test_the_best_so_far_never_rises_and_ends_with_the_best(losses: list[float]) -> None:
    found = best_so_far(losses, range(1, 25))
    expected = [min((x for x in losses[:b] if not math.isnan(x)), default=math.inf) for b in range(1, 25)]
    assert found.tolist() == expected
    assert (found[1:] <= found[:-1]).all()


@given(st.integers(1, 10**9))
def test_fixed_budgets_are_1_2_5_and_their_tenfolds_and_the_last(most: int) -> None:
    found = fixed_budgets(most).tolist()
    assert found == sorted({most} | {b * 10**k for b in (1, 2, 5) for k in range(11) if b * 10**k <= most})


def test_a_run_without_a_single_evaluation_is_a_failure() -> None:
    found = row([trace("a", [], optimum=None), trace("a", [0.0], instance=1)])
    assert (found.successes, found.ert.value, found.best_scores) == (1, 1, (math.inf,))
    assert (found.gap, found.best_gaps) == (math.inf, (math.inf,))
    nothing = row([trace("a", [], optimum=None)])
    assert (nothing.successes, nothing.ert.value, nothing.gap) == (0, math.inf, None)


def test_of_a_real_folder(tmp_path: Path) -> None:
    problems, _ = create_problems("regression", {"w_true": "15", "b_true": "14"}, 5)
    with RunLog(tmp_path) as log:
        solvers = create_solvers(["random", "gaussian"], None)
        settings = {"w_true": "15", "b_true": "14"}
        comparison = Comparison("regression", settings, problems, solvers, Budget(evaluations=70), log=log)
        records = [run.record for run in comparison.runs()]
    random, gaussian = measure(Results.read(tmp_path).traces, rng())
    assert (random.problem, random.solver, random.llm) == ("regression w_true=15 b_true=14", "random", None)
    assert gaussian.successes == sum(record.success for record in records[5:]) > random.successes == 0
    assert gaussian.ert.value * gaussian.successes == sum(record.evaluations for record in records[5:])
    assert random.ert.value == math.inf and random.best_gaps is not None and random.gap == random.best_gaps[-1] > 0
    assert random.evaluation_seconds is not None and random.overhead_seconds is not None
    assert 0 < random.evaluation_seconds < random.seconds

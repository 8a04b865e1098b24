"""What was evaluated earlier is taken as it is: no call, but charged, logged and seen by the solver."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Budget, Infeasible, Int, InvalidInput, Vector, minimize, resume, run
from llmopt.baselines.random import RandomSearch
from llmopt.registry import create_problem

SPACE = Vector(x=Int(-50, 50))
TABLE = [({"x": x}, float(abs(x - 7))) for x in range(0, 30, 3)]


class Counted:
    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, solution: dict[str, int]) -> float:
        self.calls.append(solution["x"])
        return abs(solution["x"] - 7)


def test_earlier_points_are_not_evaluated_and_are_charged() -> None:
    fun = Counted()
    result = minimize(fun, SPACE, earlier=TABLE, solver="random", max_evaluations=25)
    assert len(fun.calls) == 15 and not set(fun.calls) & {s["x"] for s, _ in TABLE}
    assert result.nfev == 25
    assert [(e.solution, e.score, e.step) for e in result.history][:10] == [(s, score, 0) for s, score in TABLE]


def test_start_points_beside_them_are_those_that_are_given() -> None:
    fun = Counted()
    result = minimize(fun, SPACE, earlier=TABLE, starts=[{"x": 0}, {"x": -50}], solver="random", max_evaluations=11)
    assert fun.calls == [-50]
    assert result.history[-1].step == 0


@given(st.lists(st.tuples(st.integers(-50, 50), st.floats(allow_infinity=True)), min_size=1, max_size=30))
def test_the_first_score_of_a_solution_counts_and_no_number_is_a_failure(pairs: list[tuple[int, float]]) -> None:
    earlier = [({"x": x}, score) for x, score in pairs]
    history = minimize(Counted(), SPACE, earlier=earlier, solver="random", max_evaluations=30).history
    first = dict(reversed(pairs))
    known = {e.solution["x"]: e for e in history[: len(first)]}
    assert list(known) == list(dict.fromkeys(x for x, _ in pairs))
    for x, score in first.items():
        assert known[x].score == score if math.isfinite(score) else known[x].status == "failed"


def test_a_target_that_was_reached_earlier_ends_the_run() -> None:
    fun = Counted()
    result = minimize(fun, SPACE, earlier=[({"x": 7}, 0.0)], solver="random", target=0.0)
    assert (result.success, result.nfev, fun.calls) == (True, 1, [])


def test_the_solver_learns_from_them() -> None:
    # The best of the table is where a local search begins.
    result = minimize(Counted(), SPACE, earlier=TABLE, solver="nelder-mead", max_evaluations=20)
    assert min(abs(e.solution["x"] - 6) for e in result.history[len(TABLE) :]) <= 3


def test_a_log_holds_them_and_tells_another_table(tmp_path: Path) -> None:
    options: dict[str, Any] = {"solver": "random", "log": tmp_path}
    first = minimize(Counted(), SPACE, earlier=TABLE, max_evaluations=15, **options)
    fun = Counted()
    more = minimize(fun, SPACE, earlier=TABLE, max_evaluations=20, **options)
    assert len(fun.calls) == 5
    assert more.history.losses[:15].tolist() == first.history.losses.tolist()
    with pytest.raises(InvalidInput, match="earlier"):
        minimize(fun, SPACE, earlier=TABLE[1:], max_evaluations=20, **options)
    assert resume(tmp_path, Counted(), max_evaluations=22).nfev == 22


@pytest.mark.parametrize("of_array", [[([3.0], 1.0)], [((4.0,), 1.0)]])
def test_points_of_bounds_are_arrays(of_array: Any) -> None:
    result = minimize(lambda x: float(x[0]), bounds=[(0, 9)], earlier=of_array, solver="random", max_evaluations=4)
    assert result.history[0].score == 1.0


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        ([({"x": 99}, 1.0)], r"earlier\[0\].*not legal"),
        ([({"x": 9}, "1")], r"earlier\[0\]: the score must be a number"),
        ([{"x": 9}], r"earlier\[0\] must be a pair"),
        ([({"x": x}, 1.0) for x in range(9)], "holds 9 evaluations, which are charged"),
    ],
)
def test_a_table_that_is_not_legal_is_one_clear_error(earlier: Any, words: str) -> None:
    fun = Counted()
    with pytest.raises(InvalidInput, match=words):
        minimize(fun, SPACE, earlier=earlier, solver="random", max_evaluations=8)
    assert not fun.calls


def test_a_noisy_problem_keeps_every_measurement() -> None:
    earlier = [({"x": 1}, 1.0), ({"x": 1}, 2.0)]
    result = minimize(Counted(), SPACE, earlier=earlier, noisy=True, solver="random", max_evaluations=4)
    assert [e.score for e in result.history][:2] == [1.0, 2.0]


def test_a_problem_class_has_them_too() -> None:
    problem = create_problem("function", {"name": "sphere", "dim": "1"})
    [solution] = problem.space.solutions(problem.space.sample(1, np.random.default_rng(1)))
    result = run(problem, RandomSearch(), Budget(3), earlier=[(solution, 9.0)])
    assert (result.history[0].solution, result.history[0].score) == (solution, 9.0)


def test_infeasible_points_are_given_as_failures() -> None:
    def fun(solution: dict[str, int]) -> float:
        raise Infeasible("never")

    result = minimize(fun, SPACE, earlier=[({"x": 1}, math.nan)], solver="random", max_evaluations=3)
    assert [e.status for e in result.history] == ["failed", "infeasible", "infeasible"]

"""SciPy's local methods: from the incumbent, in units, again and again."""

from typing import Any

import pytest

from llmopt import Float, Int, InvalidInput, Permutation, Vector, minimize
from llmopt.registry import create_problem

LOCAL = ["nelder-mead", "powell", "cobyqa"]
local = pytest.mark.parametrize("solver", LOCAL)


def valley(s: dict[str, Any]) -> float:
    return float(100 * (s["y"] - s["x"] ** 2) ** 2 + (1 - s["x"]) ** 2)


# Powell's line searches span the box, and end at one of the several minima that a line has in this valley.
@pytest.mark.parametrize("solver", ["nelder-mead", "cobyqa"])
def test_a_curved_valley_of_real_variables_is_followed_to_its_end(solver: str) -> None:
    space = Vector(x=Float(-5, 10), y=Float(-5, 10))
    assert minimize(valley, space, solver=solver, max_evaluations=700).fun < 1e-4


@local
def test_units_make_the_scale_of_a_variable_irrelevant(solver: str) -> None:
    def fun(s: dict[str, Any]) -> float:
        return float((s["tiny"] * 1e6 - 3) ** 2 + (s["vast"] / 1e9 - 0.4) ** 2)

    space = Vector(tiny=Float(0, 1e-5), vast=Float(0, 1e9))
    assert minimize(fun, space, solver=solver, max_evaluations=200).fun < 1e-4


@local
def test_the_search_begins_at_the_best_start_point_without_paying_for_it_twice(solver: str) -> None:
    space = Vector(x=Float(0.1, 9.7), rate=Float(1e-3, 3, log=True))
    starts = [{"x": 9.0, "rate": 1.0}, {"x": 3.3, "rate": 0.07}]
    result = minimize(lambda s: abs(s["x"] - 3) + s["rate"], space, solver=solver, starts=starts, max_evaluations=8)
    assert result.duplicates >= 1
    assert result.nfev == 8


@local
def test_restarts_leave_a_local_minimum(solver: str) -> None:
    def fun(s: dict[str, Any]) -> float:
        return float(min((s["a"] - 20) ** 2 + 30, (s["a"] - 75) ** 2))

    result = minimize(fun, Vector(a=Int(0, 100)), solver=solver, starts=[{"a": 18}], target=0, max_evaluations=100)
    assert result.success


@local
def test_a_restart_after_nothing_was_gained_does_not_repeat_the_search_before(solver: str) -> None:
    space = Vector(x=Float(0, 1), y=Float(0, 1))
    result = minimize(lambda s: 1.0, space, solver=solver, max_evaluations=300)
    assert result.nfev == 300
    assert result.duplicates < 100


@local
@pytest.mark.parametrize(("w", "b"), [("15", "14"), ("3", "5"), ("25", "23")])
def test_the_papers_regression_takes_some_tens_of_evaluations(solver: str, w: str, b: str) -> None:
    problem = create_problem("regression", {"w_true": w, "b_true": b}, instance=1)
    result = minimize(problem, solver=solver, max_evaluations=60)
    assert result.success


@local
def test_other_spaces_are_refused(solver: str) -> None:
    with pytest.raises(InvalidInput, match="works on vectors of numbers and choices, not on permutations"):
        minimize(lambda tour: 0.0, Permutation(5), solver=solver)

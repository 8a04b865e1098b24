"""SciPy's global methods: starts, steps, restarts."""

import math
from typing import Any

import pytest

from llmopt import Float, Int, InvalidInput, Vector, minimize

GLOBAL = ["differential-evolution", "dual-annealing", "direct", "shgo", "basin-hopping"]
BOX = Vector(x=Float(-4.1, 5.9), y=Float(-4.1, 5.9))


def rastrigin(s: dict[str, Any]) -> float:
    return float(sum(v**2 + 10 - 10 * math.cos(2 * math.pi * v) for v in s.values()))


@pytest.mark.parametrize("solver", GLOBAL)
def test_a_function_with_many_minima_is_solved(solver: str) -> None:
    # The second best minimum has the value 1.
    result = minimize(rastrigin, BOX, solver=solver, max_evaluations=3000, target=0.5)
    assert result.success


def test_a_generation_of_differential_evolution_is_one_step_and_the_first_holds_the_start_points() -> None:
    result = minimize(rastrigin, BOX, solver="differential-evolution", max_evaluations=200)
    assert (result.history.steps == 1).sum() == 30 - 5
    assert (result.history.steps == 2).sum() == 30
    assert result.duplicates >= 5


def test_differential_evolution_begins_again_when_it_has_converged() -> None:
    result = minimize(lambda s: 1.0, BOX, solver="differential-evolution", max_evaluations=200)
    assert result.stop_reason == "evaluations"


@pytest.mark.parametrize("solver", ["dual-annealing", "basin-hopping"])
def test_the_search_begins_at_the_best_start_point_without_paying_for_it_twice(solver: str) -> None:
    result = minimize(rastrigin, BOX, solver=solver, starts=[{"x": 1 / 3, "y": 0.7}], max_evaluations=2)
    assert result.duplicates == 1


@pytest.mark.parametrize("solver", ["basin-hopping", "shgo"])
def test_local_searches_work_on_whole_numbers(solver: str) -> None:
    def fun(s: dict[str, Any]) -> float:
        return float((s["a"] - 271) ** 2 + (s["b"] + 314) ** 2)

    space = Vector(a=Int(-1000, 1000), b=Int(-1000, 1000))
    assert minimize(fun, space, solver=solver, target=0, max_evaluations=400).success


def test_shgo_refuses_many_variables() -> None:
    many = Vector({f"x{i}": Float(0, 1) for i in range(11)})
    with pytest.raises(InvalidInput, match="too long for 11 variables; use at most 10"):
        minimize(rastrigin, many, solver="shgo")

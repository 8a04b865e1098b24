"""Exhaustive search: all of a finite space, once each, and only where the budget covers it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from llmopt import Float, Int, InvalidInput, Permutation, Space, Text, Vector, minimize
from llmopt.space import Columns
from support.strategies import vectors

GRID = Vector(w=Int(-50, 50), b=Int(-50, 50))


@given(vectors().filter(lambda v: v.size is not None and v.size <= 2_000))
def test_every_solution_is_evaluated_once(space: Vector) -> None:
    assert space.size is not None
    result = minimize(lambda s: 0.0, space, solver="exhaustive", max_evaluations=space.size)
    assert result.nfev == space.size == len({space.key(e.solution) for e in result.history})
    assert result.stop_reason == "exhausted"


def test_a_tour_is_evaluated_once_however_it_is_written() -> None:
    result = minimize(lambda tour: float(tour[1]), Permutation(6, "dihedral"), solver="exhaustive", max_evaluations=60)
    assert result.nfev == 60


def test_the_enumeration_is_one_step() -> None:
    result = minimize(lambda s: s["w"] * s["b"], GRID, solver="exhaustive", max_evaluations=10_201)
    assert (result.nit, result.nfev, result.fun) == (1, 10_201, -2500)


def test_a_space_over_the_budget_is_refused_with_its_size_before_anything_is_evaluated() -> None:
    def fun(solution: Any) -> float:
        raise AssertionError("evaluated")

    with pytest.raises(InvalidInput, match=r"10,201 solutions, the budget is 200 evaluations; raise --max-evaluations"):
        minimize(fun, GRID, solver="exhaustive", max_evaluations=200, raise_failures=True)
    with pytest.raises(InvalidInput, match="give --max-evaluations"):
        minimize(fun, Permutation(30), solver="exhaustive", max_evaluations=None, max_seconds=1)


@pytest.mark.parametrize("space", [Vector(x=Float(0, 1)), Text(10)])
def test_a_space_without_end_is_refused(space: Space[Any]) -> None:
    with pytest.raises(InvalidInput, match="not finite"):
        minimize(lambda s: 0.0, space, solver="exhaustive")


def test_a_million_solutions_are_handled_as_columns() -> None:
    def fun(columns: Columns) -> Any:
        return np.abs(columns["w"] - 400) + np.abs(columns["b"] + 7)

    space = Vector(w=Int(-500, 500), b=Int(-500, 500))
    result = minimize(fun, space, solver="exhaustive", vectorized=True, max_evaluations=1001**2)
    assert result.nfev == 1001**2
    assert result.x == {"w": 400, "b": -7}

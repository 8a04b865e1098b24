"""Temperature that rises while nothing better is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmopt import Budget, FunctionProblem, Int, Vector, run
from llmopt.opro.stagnation import HOTTEST, stagnation, warmed
from llmopt.registry import create_solver


@given(st.floats(0, 5), st.integers(0, 99))
def test_a_temperature_rises_to_a_limit_and_never_below_what_was_asked_for(temperature: float, steps: int) -> None:
    assert temperature <= warmed(temperature, steps) <= max(temperature, HOTTEST)
    assert warmed(temperature, 0) == temperature
    assert warmed(temperature, steps) <= warmed(temperature, steps + 1)


def test_a_better_solution_ends_stagnation() -> None:
    scores = iter([5.0, 7.0, 6.0, 4.0, 4.0, 9.0])
    problem = FunctionProblem(lambda s: next(scores), Vector(x=Int(-500, 500)))
    result = run(problem, create_solver("random:batch=1"), Budget(evaluations=6), seed=0, starts=[{"x": 100}])
    assert [stagnation(result.history, step) for step in (1, 2, 3, 4)] == [0, 0, 0, 0]
    assert [stagnation(result.history, step) for step in (5, 6)] == [1, 2]

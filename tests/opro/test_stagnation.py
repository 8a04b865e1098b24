"""Temperature that rises while nothing better is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmopt import Budget, FunctionProblem, Int, Vector, run
from llmopt.opro import OPRO
from llmopt.opro.stagnation import HOTTEST, stagnation, warmed
from support.models import FunctionLLM


@given(st.floats(0, 5), st.integers(0, 99))
def test_a_temperature_rises_to_a_limit_and_never_below_what_was_asked_for(temperature: float, steps: int) -> None:
    assert temperature <= warmed(temperature, steps) <= max(temperature, HOTTEST)
    assert warmed(temperature, 0) == temperature
    assert warmed(temperature, steps) <= warmed(temperature, steps + 1)


def test_a_better_solution_ends_stagnation() -> None:
    # A bowl, and a model that alternates between no help and help.
    llm = FunctionLLM(lambda r, i: "3" if len(llm.requests) % 4 else "-1")
    problem = FunctionProblem(lambda s: abs(s["x"]), Vector(x=Int(-500, 500)))
    result = run(problem, OPRO(llm, serializer="moves", samples=1), Budget(steps=8), seed=0, starts=[{"x": 100}])
    best, since, expected = 100.0, 0, []
    for step in range(1, 9):
        expected.append(1 + since / 8)
        scores = [e.score for e in result.history if e.step == step]
        since = 0 if scores and min(scores) < best else since + 1
        best = min([best, *scores])
    assert [request.sampling.temperature for request in llm.requests] == expected
    assert 0 < expected.count(1.0) < 8
    assert stagnation(result.history, 9) == since

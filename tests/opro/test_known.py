"""What a run knows: what a grammar leaves out, and what a step proposes again."""

from __future__ import annotations

from typing import Any

import pytest

from llmopt import Budget, Categorical, Float, FunctionProblem, Int, Objective, Vector, run
from llmopt.opro import OPRO
from llmopt.opro.known import Repeats, known_rows
from support.models import FunctionLLM

WB = Vector(w=Int(-50, 50), b=Int(-50, 50))


@pytest.mark.parametrize(
    ("space", "start", "other"),
    [
        (WB, {"w": 1, "b": 2}, {"w": 1, "b": 3}),
        (Vector(x=Float(0, 1)), {"x": 0.25}, {"x": 0.5}),
        (Vector(x=Float(0, 1), c=Categorical("a", "b")), {"x": 0.0, "c": "a"}, {"x": 0.0, "c": "b"}),
    ],
)
def test_a_solution_repeats_once_it_is_evaluated_or_proposed(space: Vector, start: Any, other: Any) -> None:
    objective = Objective(FunctionProblem(lambda s: 0.0, space), Budget(evaluations=9))
    objective.start([start])
    repeats = Repeats(objective.history)
    assert [repeats(solution) for solution in (start, other, other, start)] == [True, False, True, True]
    assert not Repeats(objective.history)(other)


def test_noisy_evaluations_are_never_known() -> None:
    objective = Objective(FunctionProblem(lambda s: 0.0, WB, noisy=True), Budget(evaluations=9))
    objective.start([{"w": 1, "b": 2}])
    assert not Repeats(objective.history)({"w": 1, "b": 2})


def test_known_are_the_best_and_the_latest_each_once() -> None:
    objective = Objective(FunctionProblem(lambda s: float(s["x"]), Vector(x=Int(0, 999))), Budget(evaluations=999))
    objective.start([{"x": x} for x in range(600)])
    assert known_rows(objective.history) == [*range(256), *range(600 - 128, 600)]


@pytest.mark.parametrize("retries", [0, 2])
def test_a_move_that_leads_to_what_is_known_is_asked_for_again_and_counts(retries: int) -> None:
    llm = FunctionLLM(lambda request, i: "0")
    problem = FunctionProblem(lambda s: s["x"] ** 2, Vector(x=Float(0, 9)))
    found = run(problem, OPRO(llm, retries=retries), Budget(steps=1), seed=0, starts=[{"x": 1.0}, {"x": 2.0}])
    assert len({request.seed for request in llm.requests}) == 8 * (1 + retries)
    assert (found.nfev, found.proposals, found.duplicates) == (2, 2 + 8 * (1 + retries), 8 * (1 + retries))
    assert not found.invalid


def test_where_two_samples_of_a_step_meet_the_later_one_is_asked_for_again() -> None:
    sent = {8: "1"}
    llm = FunctionLLM(lambda request, i: sent.setdefault(len(llm.requests), str(1 + len(sent))))
    problem = FunctionProblem(lambda s: s["x"] ** 2, Vector(x=Int(-50, 50)))
    found = run(problem, OPRO(llm), Budget(steps=1), seed=0, starts=[{"x": 10}, {"x": 40}])
    # Three times, each reply leads to one place, or to two where the two orders of the single variable count in
    # different directions.
    places = (found.nfev - 2) // 3
    assert places in (1, 2) and len(llm.requests) == 8 + (8 - places) + (8 - 2 * places)

"""What failures count as for a method that needs numbers."""

import math
from typing import Any

import pytest

from llmopt import Budget, FunctionProblem, Int, Objective, Vector
from llmopt.penalty import LARGEST, UNSCORED, finite_losses


def losses_of(*scores: float) -> list[float]:
    problem = FunctionProblem(lambda s: scores[s["i"]], Vector(i=Int(0, len(scores))))
    objective = Objective(problem, Budget(evaluations=100))
    return list(map(float, finite_losses(objective.step([{"i": i} for i in range(len(scores))]))))


def test_losses_are_as_they_are() -> None:
    assert losses_of(3.0, -1.0) == [3.0, -1.0]


@pytest.mark.parametrize("failure", [math.nan, math.inf, -math.inf])
def test_a_failure_counts_as_the_worst_loss_so_far(failure: float) -> None:
    assert losses_of(3.0, failure, -1.0) == [3.0, 3.0, -1.0]


def test_before_there_is_a_loss_a_failure_counts_as_a_stated_number() -> None:
    assert losses_of(math.nan, math.inf) == [UNSCORED, UNSCORED]


def test_the_worst_loss_is_that_of_the_whole_run() -> None:
    def fun(solution: dict[str, Any]) -> float:
        return math.nan if solution["i"] == 2 else float(solution["i"])

    objective = Objective(FunctionProblem(fun, Vector(i=Int(0, 9))), Budget(evaluations=100))
    objective.step([{"i": 9}])
    assert finite_losses(objective.step([{"i": 1}, {"i": 2}])).tolist() == [1.0, 9.0]


def test_losses_are_told_so_that_their_squares_stay_finite() -> None:
    assert losses_of(1e308, -1e308) == [LARGEST, -LARGEST]

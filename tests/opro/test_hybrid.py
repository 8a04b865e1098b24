"""The solver `hybrid` is another one on tours than on vectors."""

from typing import Any

import pytest

from llmopt import Budget, Float, FunctionProblem, InvalidInput, Permutation, Text, Vector, run
from llmopt.opro.hybrid import Hybrid
from llmopt.opro.numeric_hybrid import NumericHybrid
from llmopt.opro.tour_hybrid import TourHybrid
from llmopt.problem import Problem
from llmopt.problems.tsp import tsp
from llmopt.registry import create_solver
from support.models import obedient

BOWL = FunctionProblem(lambda s: float(s["x"] ** 2), Vector(x=Float(-5, 5)))
TOUR = tsp(n=12, optimum="none")


@pytest.mark.parametrize(
    ("problem", "kind", "sees"), [(BOWL, NumericHybrid, "scores"), (TOUR, TourHybrid, "structure")]
)
def test_it_does_what_the_one_for_the_space_does_and_says_what_it_sees(
    problem: Problem, kind: type[Any], sees: str
) -> None:
    solver = create_solver("hybrid:temperature=0.7", llm=obedient(), hint="as you like")
    one = run(problem, solver, Budget(evaluations=30), seed=2)
    other = run(problem, kind(obedient(), temperature=0.7, hint="as you like"), Budget(evaluations=30), seed=2)
    assert one.history.losses.tolist() == other.history.losses.tolist()
    assert solver.sees(problem) == sees


def test_one_solver_runs_on_both() -> None:
    solver = Hybrid(obedient(), samples=4)
    counts = [run(problem, solver, Budget(evaluations=20), seed=0).nfev for problem in (BOWL, TOUR, BOWL)]
    assert counts[0] == counts[2] == 20 and counts[1] > 5


@pytest.mark.parametrize("kind", [Hybrid, NumericHybrid, TourHybrid])
def test_samples_of_none_are_refused_by_the_name_of_the_setting(kind: type[Any]) -> None:
    with pytest.raises(InvalidInput, match="hybrid: samples must be a whole number of at least 1, not 0"):
        kind(obedient(), samples=0)


@pytest.mark.parametrize(
    ("problem", "settings", "words"),
    [
        (FunctionProblem(lambda s: 0.0, Text(9)), {}, "vectors of numbers and choices, and on tours, not on texts"),
        (FunctionProblem(lambda s: 0.0, Permutation(5)), {}, "looks into a problem's distances"),
        (TOUR, {"share": 1}, "share is a setting for vectors"),
        (BOWL, {"serializer": "path"}, "serializer=path needs a permutation"),
    ],
)
def test_what_it_cannot_work_on_is_one_clear_error(problem: Problem, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        run(problem, Hybrid(obedient(), **settings), Budget(evaluations=20))

"""A model and a local search together."""

import numpy as np
import pytest

from llmopt import Budget, Int, InvalidInput, Vector, minimize, run
from llmopt.opro.tour_hybrid import TourHybrid
from llmopt.problems.tsp import TSP, tsp
from llmopt.tours.local_search import local_search, number_of_moves
from support.models import obedient


@pytest.mark.parametrize("with_points", [True, False])
def test_what_is_evaluated_are_local_optima_beginning_with_that_of_the_best_start(with_points: bool) -> None:
    cities = tsp(n=14, optimum="none")
    problem = cities if with_points else TSP(cities.structure.matrix, optimum="none")
    result = run(problem, TourHybrid(obedient()), Budget(steps=5), seed=2)
    history = result.history
    best = history[int(history.losses[:5].argmin())].solution
    first = local_search(problem.structure, best).tour
    assert problem.space.key(history[5].solution) == problem.space.key(first)
    for evaluation in history[5:]:
        tour = evaluation.solution
        assert problem.space.key(local_search(problem.structure, tour).tour) == problem.space.key(tour)
    assert history.steps[5] == 1
    assert result.move_evaluations >= number_of_moves(14) * (result.proposals - 5)


def test_it_reaches_the_optimum_and_counts_its_moves() -> None:
    result = run(tsp(n=25, instance=3), TourHybrid(obedient()), Budget(evaluations=200), seed=0)
    assert result.success and result.move_evaluations > 0
    assert TourHybrid.access == "structure"


def test_a_problem_without_distances_is_refused() -> None:
    with pytest.raises(InvalidInput, match="looks into a problem's distances"):
        minimize(lambda s: s["x"], Vector(x=Int(0, 9)), solver=TourHybrid(obedient()))


def test_a_run_is_a_function_of_its_seed_and_the_replies() -> None:
    one, other = (run(tsp(n=20), TourHybrid(obedient()), Budget(steps=6), seed=5).history.losses for _ in range(2))
    assert np.array_equal(one, other)

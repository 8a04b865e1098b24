"""The controls without a model."""

from typing import Any

import numpy as np
import pytest

from llmopt import Budget, Categorical, Float, FunctionProblem, Int, InvalidInput, Permutation, Vector, minimize, run
from llmopt.registry import create_problem, create_solver

CONTROLS = ["gaussian", "recombination", "differential", "quadratic"]
every_control = pytest.mark.parametrize("solver", CONTROLS)


@every_control
def test_no_proposal_is_a_repeat(solver: str) -> None:
    problem = create_problem("regression", {"w_true": "25", "b_true": "23"}, instance=2)
    result = minimize(problem, solver=solver, max_evaluations=300)
    assert result.success
    assert result.duplicates == 0


@pytest.mark.parametrize(
    ("solver", "steps"),
    [("gaussian", (2, 8)), ("recombination", (3, 15)), ("differential", (3, 20)), ("quadratic", (2, 2))],
)
def test_the_papers_first_setting_takes_the_steps_that_were_measured_before(
    solver: str, steps: tuple[int, int]
) -> None:
    found = []
    for repeat in range(5):
        problem = create_problem("regression", {"w_true": "15", "b_true": "14"}, instance=repeat)
        found.append(minimize(problem, solver=solver, max_evaluations=600, seed=repeat).steps_to_target or np.inf)
    assert steps[0] <= np.mean(found) <= steps[1]


@every_control
def test_a_mixed_space_is_searched(solver: str) -> None:
    def fun(s: dict[str, Any]) -> float:
        return float((s["x"] - 0.3) ** 2 + np.log(s["rate"] / 0.01) ** 2 + (s["k"] - 30) ** 2 / 100 + (s["c"] != "b"))

    space = Vector(x=Float(-1, 1), rate=Float(1e-5, 1, log=True), k=Int(0, 100, step=5), c=Categorical("a", "b", "c"))
    assert minimize(fun, space, solver=solver, max_evaluations=300).fun < 0.5


def test_the_gaussian_closes_in_on_a_real_minimum() -> None:
    space = Vector(x=Float(-5, 5), y=Float(-5, 5))
    assert minimize(lambda s: s["x"] ** 2 + s["y"] ** 2, space, solver="gaussian", max_evaluations=300).fun < 1e-4


def test_the_gaussian_grows_from_a_single_start_point() -> None:
    space = Vector(x=Float(-5, 5), y=Float(-5, 5))
    result = minimize(
        lambda s: s["x"] + s["y"], space, solver="gaussian", starts=[{"x": 4.0, "y": 4.0}], max_evaluations=400
    )
    assert result.fun < -9


def test_the_quadratic_needs_as_many_evaluations_as_it_has_coefficients_and_one_more() -> None:
    def bowl(s: dict[str, Any]) -> float:
        return float((s["a"] - 7) ** 2 + (s["a"] + s["b"] - 40) ** 2 + (s["c"] + 21) ** 2)

    space = Vector(a=Int(-50, 50), b=Int(-50, 50), c=Int(-50, 50))
    result = minimize(bowl, space, solver="quadratic", target=0, max_evaluations=40)
    assert result.evaluations_to_target == 10 + 1


def test_the_quadratic_finds_the_right_corner_of_a_saddle() -> None:
    space = Vector(x=Float(-1, 1), y=Float(-1, 1))
    result = minimize(lambda s: s["x"] * s["y"] + 0.1 * s["x"], space, solver="quadratic", max_evaluations=30)
    assert result.fun == pytest.approx(-1.1)


@every_control
def test_other_spaces_are_refused(solver: str) -> None:
    with pytest.raises(InvalidInput, match=f"{solver} works on vectors"):
        minimize(lambda tour: 0.0, Permutation(5), solver=solver)


def test_a_fit_to_a_line_of_best_points_takes_in_more_of_the_history() -> None:
    # A slope that is not whole leaves the best pairs on two lines.
    for instance in range(3):
        problem = create_problem("regression", {"w_true": "15.5", "b_true": "14"}, instance=instance)
        assert run(problem, create_solver("quadratic"), Budget(300), seed=instance).success


def test_a_noisy_problem_without_any_free_variable_is_evaluated_all_the_same() -> None:
    problem = FunctionProblem(lambda s: 1.0, Vector(x=Int(3, 3)), noisy=True)
    for name in CONTROLS:
        assert run(problem, create_solver(name), Budget(20), seed=0).nfev == 20

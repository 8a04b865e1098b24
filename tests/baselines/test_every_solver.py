"""What every registered solver without a model keeps to, beside what the kit asks of it (tests/testing)."""

import math
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import Categorical, Float, Int, OptimizeResult, Vector, minimize
from support.strategies import vectors

# Solvers of tours and of instructions work on spaces of their own, and have tests of their own.
ELSEWHERE = ("tour_", "instruction_", "one_shot", "paraphrase", "evolution")
# The Gaussian process needs PyTorch and half a second a proposal; test_optuna.py has its test.
SOLVERS = sorted(
    entry.name
    for entry in entry_points(group="llmopt.solvers")
    if entry.value.startswith("llmopt.baselines.")
    and not entry.value.removeprefix("llmopt.baselines.").startswith(ELSEWHERE)
    and entry.name != "gp"
)
every_solver = pytest.mark.parametrize("solver", SOLVERS)
every_sampler = pytest.mark.parametrize("solver", [name for name in SOLVERS if name != "exhaustive"])

MIXED = Vector(
    x=Float(-5, 5),
    rate=Float(1e-4, 1, log=True),
    share=Float(0, 1, step=0.1),
    k=Int(1, 9),
    width=Int(1, 1000, log=True),
    percent=Int(0, 100, step=5),
    kind=Categorical("a", "b", None),
    fixed=Int(3, 3),
)
GRID = Vector(a=Int(-2, 3), b=Int(0, 4))


def bowl(s: dict[str, Any]) -> float:
    distances = [s["x"] - 1, math.log(s["rate"] / 0.01), s["share"] - 0.3, s["k"] - 4, math.log(s["width"] / 30)]
    return float(sum(d**2 for d in distances) + abs(s["percent"] - 40) / 10 + {"a": 2, "b": 0, None: 1}[s["kind"]])


def trace(result: OptimizeResult) -> list[dict[str, Any]]:
    return [evaluation.solution for evaluation in result.history]


def size_up_to(limit: int) -> Callable[[Vector], bool]:
    return lambda space: space.size is not None and space.size <= limit


@every_sampler
@settings(max_examples=15)
@given(space=vectors(), seed=st.integers(0, 9))
def test_a_run_stays_in_the_space_and_in_the_budget(solver: str, space: Vector, seed: int) -> None:
    seen = []

    def fun(solution: dict[str, Any]) -> float:
        seen.append(solution)
        return float(sum(len(repr(value)) for value in solution.values()))

    result = minimize(fun, space, solver=solver, max_evaluations=17, seed=seed)
    assert result.nfev == len(seen) <= 17
    assert not result.invalid
    assert all(space.violation(solution) is None for solution in seen)
    assert len({space.key(solution) for solution in seen}) == len(seen)


@every_sampler
def test_a_run_on_a_mixed_space_improves_on_its_start_point(solver: str) -> None:
    corner = {"x": -5.0, "rate": 1.0, "share": 1.0, "k": 9, "width": 1000, "percent": 100, "kind": "a", "fixed": 3}
    result = minimize(bowl, MIXED, solver=solver, starts=[corner], max_evaluations=80)
    assert result.nfev == 80
    assert result.fun < 0.7 * bowl(corner)


@every_sampler
def test_a_run_is_a_function_of_its_seed(solver: str) -> None:
    first, again, other = (minimize(bowl, MIXED, solver=solver, max_evaluations=40, seed=s) for s in (3, 3, 4))
    assert trace(first) == trace(again)
    assert trace(first) != trace(other)


@every_solver
@pytest.mark.parametrize("space", [GRID, Vector(bit=Categorical(True, False)), Vector(only=Int(7, 7))])
def test_a_run_on_a_small_space_ends(solver: str, space: Vector) -> None:
    result = minimize(lambda s: sum(s.values()), space, solver=solver, max_evaluations=200)
    assert result.stop_reason in ("exhausted", "stalled")
    assert result.fun == min(sum(s.values()) for columns in space.enumerate() for s in space.solutions(columns))


@every_solver
def test_a_noisy_problem_is_evaluated_again_and_again(solver: str) -> None:
    result = minimize(lambda s: s["a"], GRID, solver=solver, max_evaluations=70, noisy=True)
    assert result.nfev == (5 + 30 if solver == "exhaustive" else 70)
    assert result.duplicates == 0


@every_solver
def test_a_run_needs_no_start_points(solver: str) -> None:
    result = minimize(lambda s: s["a"] ** 2 + s["b"], GRID, solver=solver, starts=[], max_evaluations=30, max_steps=200)
    assert result.fun <= 1


@every_solver
def test_a_run_ends_at_the_target(solver: str) -> None:
    result = minimize(lambda s: s["a"] ** 2 + s["b"], GRID, solver=solver, max_evaluations=30, seed=1, target=0)
    assert result.success
    assert result.x == {"a": 0, "b": 0}


@every_sampler
def test_a_run_keeps_a_budget_of_steps(solver: str) -> None:
    result = minimize(bowl, MIXED, solver=solver, max_evaluations=None, max_steps=3)
    assert result.nit == 3
    assert result.stop_reason == "steps"

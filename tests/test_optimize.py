"""``minimize``, ``maximize`` and ``run``: what a user types and gets."""

import math
from typing import Any

import numpy as np
import pytest

from llmopt import (
    AskTellSolver,
    Budget,
    Float,
    FunctionProblem,
    Int,
    InvalidInput,
    ModelError,
    Optimum,
    Permutation,
    Problem,
    Proposals,
    Text,
    Vector,
    maximize,
    minimize,
    run,
)
from llmopt.llm.base import Reply, Request
from llmopt.opro import OPRO
from support.models import FunctionLLM, obedient

LINE = Vector(w=Int(-20, 20), b=Int(-20, 20))


def noted(calls: list[Any], value: Any) -> Any:
    """Keep a value of a call and return it."""
    calls.append(value)
    return value


class Uniform(AskTellSolver):
    def ask(self, n: int) -> Proposals:
        return Proposals(self.task.space.sample(n, self.rng))


def test_a_result_speaks_scipys_words() -> None:
    result = minimize(lambda s: (s["w"] - 3) ** 2 + s["b"] ** 2, LINE, solver=Uniform(), target=0, max_evaluations=1681)
    assert result.x == {"w": 3, "b": 0} and result.fun == 0.0
    assert result.success and result.message == "the target was reached"
    assert result.nfev == len(result.history) and result.nit == result.history.steps[-1]
    assert result.evaluations_to_target is not None and result.nfev - 8 < result.evaluations_to_target <= result.nfev


def test_without_a_target_a_spent_budget_is_no_success() -> None:
    result = minimize(lambda s: s["w"], LINE, solver=Uniform(), max_evaluations=20)
    assert not result.success and result.stop_reason == "evaluations" and result.evaluations_to_target is None


def test_maximize_keeps_the_users_sign() -> None:
    space = Vector(w=Int(-2, 2), b=Int(-2, 2))
    result = maximize(lambda s: s["w"] + s["b"], space, solver=Uniform(), max_evaluations=25)
    assert result.x == {"w": 2, "b": 2} and result.fun == 4
    assert result.history.scores.max() == 4
    assert result.success and result.stop_reason == "exhausted"


def test_vectorized_functions_get_the_columns_of_a_step() -> None:
    shapes: list[Any] = []
    minimize(
        lambda x: noted(shapes, x.shape) and (x**2).sum(axis=1),
        bounds=[(-2, 2)] * 3, solver=Uniform(), max_evaluations=21, vectorized=True,
    )  # fmt: skip
    assert shapes == [(5, 3), (8, 3), (8, 3)]
    kinds: list[type] = []
    for space in (Permutation(5), Text(20), LINE):
        minimize(
            lambda batch: noted(kinds, type(batch)) and np.zeros(5), space, solver=Uniform(), max_evaluations=5,
            vectorized=True,
        )  # fmt: skip
    assert kinds == [np.ndarray, list, dict]


def test_a_problem_class_of_three_members_is_enough() -> None:
    class Parabola(Problem):
        space = Vector(x=Float(-5, 5))

        def evaluate(self, solution: Any) -> float:
            return float((solution["x"] - 1) ** 2)

        def describe(self) -> str:
            return "Find x."

    result = minimize(Parabola(), solver=Uniform(), max_evaluations=50)
    assert result.fun < 1
    with pytest.raises(InvalidInput, match=r"call llmopt\.minimize"):
        maximize(Parabola(), solver=Uniform())
    with pytest.raises(InvalidInput, match="brings its own space"):
        minimize(Parabola(), LINE, solver=Uniform())


def test_a_model_searches_by_the_same_call() -> None:
    result = minimize(lambda s: abs(s["w"]) + abs(s["b"]), LINE, llm=obedient(), hint="near zero", max_evaluations=30)
    assert result.nfev == 30 and result.spent["optimizer"].calls > 0


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    def losses(seed: int) -> list[float]:
        history = minimize(lambda s: s["w"] * s["b"], LINE, solver=Uniform(), seed=seed, max_evaluations=30).history
        return [float(x) for x in history.losses]

    assert losses(1) == losses(1) != losses(2)


def test_every_solver_gets_the_same_start_points() -> None:
    results = [minimize(lambda s: s["w"], LINE, solver=Uniform(b), seed=4, max_evaluations=9) for b in (1, 2)]
    starts = [[e.solution for e in r.history if e.step == 0] for r in results]
    assert starts[0] == starts[1] and len(starts[0]) == 5


def test_a_model_that_breaks_down_ends_the_run_and_keeps_what_was_done() -> None:
    def reply(request: Request, i: int) -> Reply:
        if len(llm.requests) > 3:
            raise ModelError("the model is gone")
        return Reply(f"[w={len(llm.requests)}, b={i}]")

    llm = FunctionLLM(reply)
    result = minimize(lambda s: s["w"], LINE, solver=OPRO(llm, serializer="chat"), max_evaluations=100)
    assert result.stop_reason == "error" and result.message == "the model is gone"
    assert not result.success and result.nfev == 5 + 3 * 8


def test_an_interrupt_gives_the_result_so_far() -> None:
    def evaluate(s: dict[str, int]) -> float:
        if len(seen) == 12:
            raise KeyboardInterrupt
        seen.append(s)
        return s["w"]

    seen: list[Any] = []
    result = minimize(evaluate, LINE, solver=Uniform(batch=1), max_evaluations=100)
    assert result.stop_reason == "interrupted" and result.nfev >= 11 and math.isfinite(result.fun)


def test_a_run_in_which_everything_fails_says_so() -> None:
    result = minimize(lambda s: math.nan, LINE, solver=Uniform(), max_evaluations=20)
    assert result.x is None and math.isnan(result.fun) and result.history.count("failed") == 20


def test_a_run_in_which_everything_fails_tells_the_first_reason_and_is_no_success() -> None:
    result = minimize(lambda s: 1 / 0, Vector(x=Int(0, 5)), solver=Uniform(), max_evaluations=100)
    assert result.stop_reason == "exhausted" and not result.success
    assert "ZeroDivisionError: division by zero" in result.message


def test_an_exhausted_space_without_the_target_is_no_success() -> None:
    assert not minimize(lambda s: s["x"], Vector(x=Int(0, 5)), solver=Uniform(), target=-1).success


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "space must be"),
        ({"space": {"x": (0, 1)}}, "space must be"),
        ({"space": LINE, "direction": "max"}, "direction must be"),
        ({"space": LINE, "optimum": 0.0}, "optimum must be an Optimum"),
        ({"space": LINE, "describe": lambda self: None}, "describe() must return a text"),
        ({"space": LINE, "starts": lambda self, rng: None}, "start points must be a list"),
    ],
)
def test_a_problem_that_lacks_something_is_one_clear_error(members: dict[str, Any], words: str) -> None:
    body = {"evaluate": lambda self, s: 0.0, "describe": lambda self: "Find it.", **members}
    problem = type("Mine", (Problem,), body)()
    with pytest.raises(InvalidInput) as caught:
        run(problem, Uniform(), Budget(10))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_the_target_of_a_problem_is_its_optimum_within_the_tolerance() -> None:
    problem = FunctionProblem(lambda s: s["w"], LINE, optimum=Optimum(-20, tolerance=2))
    result = run(problem, Uniform(), Budget(1000))
    assert result.success and -20 <= result.history.scores.min() <= -18


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"space": LINE, "bounds": [(0, 1)]}, "either a space"),
        ({}, "either a space"),
        ({"bounds": [(1, 0)]}, "low 1.0 > high 0.0"),
        ({"bounds": []}, "empty"),
        ({"space": LINE, "max_evaluations": 0}, "budget of evaluations"),
        ({"space": LINE, "max_evaluations": None}, "give a budget"),
        ({"space": LINE, "solver": "nonsense"}, "unknown solver 'nonsense'"),
        ({"space": LINE, "seed": -1}, "seed"),
        ({"space": LINE, "starts": [{"w": 99, "b": 0}]}, "start point"),
        ({"space": "x"}, "space must be"),
        ({"space": LINE, "target": "3"}, "target must be a finite number"),
        ({"space": LINE, "target": math.nan}, "target must be a finite number"),
        ({"space": LINE, "hint": "w is 3"}, "give a solver object its own hint"),
        ({"space": LINE, "solver": "random", "hint": "w is 3"}, "only a solver with a language model"),
        ({"space": LINE, "solver": None}, "solver must be a name or a Solver"),
        ({"space": LINE, "solver": "random:batch=x"}, "batch=x is not legal; give a whole number"),
        ({"space": LINE, "solver": "random:size=3"}, "unknown setting 'size'"),
    ],
)
def test_bad_input_is_one_clear_error_before_anything_is_evaluated(arguments: dict[str, Any], words: str) -> None:
    calls: list[Any] = []
    with pytest.raises(InvalidInput) as caught:
        minimize(calls.append, **{"solver": Uniform(), **arguments})
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert not calls


def test_an_unknown_argument_of_maximize_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="budget"):
        maximize(lambda s: 0.0, LINE, budget=3)

"""Records say what the results say."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from llmopt import Budget, Float, FunctionProblem, Infeasible, Int, Optimum, Problem, Solver, Vector, run
from llmopt.benchmarks.record import FIELDS, Identity, Record, of_result
from llmopt.llm import LLM, ModelInfo
from llmopt.objective import Objective
from llmopt.registry import create_problem, create_solver
from llmopt.result import OptimizeResult
from llmopt.solver import Task
from support.counting import REQUEST, CountingLLM

WHO = Identity("random", "test", 0, 0, 0)


def recorded(problem: Problem, solver: Solver | None = None, **budget: Any) -> tuple[Record, OptimizeResult]:
    solver = solver or create_solver("random")
    result = run(problem, solver, Budget(**(budget or {"evaluations": 50})))
    return of_result(WHO, problem, solver, result), result


@pytest.mark.parametrize("name", ["random", "random:batch=1", "gaussian", "quadratic", "recombination"])
@pytest.mark.parametrize("instance", range(3))
def test_a_success_counts_up_to_the_hit(name: str, instance: int) -> None:
    problem = create_problem("regression", {"low": "10", "high": "20"}, instance=instance)
    record, result = recorded(problem, create_solver(name), evaluations=121)
    assert problem.optimum is not None
    assert record.success
    assert record.stop_reason == result.stop_reason == "target"
    first = int(np.flatnonzero(result.history.losses <= problem.optimum.score)[0])
    assert record.evaluations == first + 1
    assert record.steps == result.history.steps[first]
    # The last step is whole here, and only here.
    assert record.unique_pairs == result.nfev >= record.evaluations
    assert result.history.steps[-1] == record.steps
    assert (record.best_score, record.gap) == (result.fun, 0.0)


def test_what_did_not_succeed_counts_all_that_was_spent() -> None:
    record, result = recorded(create_problem("regression"), evaluations=33)
    assert not record.success
    assert (record.evaluations, record.steps, record.unique_pairs) == (33, result.nit, 33)
    assert record.proposals == result.proposals
    assert record.gap is not None and record.best_score is not None and record.optimum is not None
    assert record.gap == record.best_score - record.optimum > 0


def test_the_gap_is_in_the_minimized_direction() -> None:
    space = Vector(x=Int(0, 9))
    problem = FunctionProblem(lambda s: s["x"], space, "maximize", optimum=Optimum(20.0))
    record, _ = recorded(problem)
    assert (record.best_score, record.gap) == (9.0, 11.0)
    assert record.stop_reason == "exhausted"


def test_failures_are_counted_by_their_kind() -> None:
    def fun(solution: dict[str, Any]) -> float:
        if solution["x"] < 3:
            raise Infeasible("too small")
        return math.nan if solution["x"] < 7 else 1.0

    record, _ = recorded(FunctionProblem(fun, Vector(x=Int(0, 9))))
    assert (record.failed, record.infeasible, record.unique_pairs) == (4, 3, 10)
    assert (record.best_score, record.optimum, record.gap) == (1.0, None, None)


def test_no_score_at_all_is_none_and_never_nan() -> None:
    record, _ = recorded(FunctionProblem(lambda s: math.nan, Vector(x=Int(0, 9))))
    assert record.best_score is None
    assert json.loads(json.dumps(record.as_json(), allow_nan=False))["gap"] is None


def test_a_noisy_problem_counts_different_solutions() -> None:
    problem = FunctionProblem(lambda s: float(s["x"]), Vector(x=Int(0, 2)), noisy=True)
    record, _ = recorded(problem, evaluations=40)
    assert (record.evaluations, record.unique_pairs) == (40, 3)
    problem = FunctionProblem(lambda s: s["x"], Vector(x=Float(0, 1)), noisy=True)
    assert recorded(problem, evaluations=40)[0].unique_pairs == 40


class Asking(Solver):
    """Asks a model once and proposes nothing."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm

    @property
    def models(self) -> Mapping[str, LLM]:
        return {"optimizer": self._llm}

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        task.models["optimizer"].generate([REQUEST])


@pytest.mark.parametrize(("spec", "cost"), [("local:gemma3-270m", 0.0), ("somewhere:model", None)])
def test_the_cost_is_zero_only_where_that_is_known(spec: str, cost: float | None) -> None:
    record, _ = recorded(create_problem("regression"), Asking(CountingLLM(ModelInfo(spec))))
    assert (record.cost_usd, record.llm, record.llm_calls) == (cost, spec, 1)
    assert (record.prompt_tokens, record.completion_tokens) == (10, 3)
    assert record.stop_reason == "finished"


def test_a_run_without_a_model_costs_nothing() -> None:
    record, _ = recorded(create_problem("regression"))
    assert (record.cost_usd, record.llm, record.llm_calls) == (0.0, None, 0)


def test_the_fields_that_others_rely_on() -> None:
    promised = (
        "solver access llm problem instance seed success evaluations steps unique_pairs proposals duplicates invalid "
        "failed best_score optimum gap llm_calls prompt_tokens cached_tokens completion_tokens cost_usd seconds "
        "stop_reason"
    )
    assert set(promised.split()) <= set(FIELDS)

"""The meta-prompt of a step from a long history, alone and with the grammar that leaves out known solutions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from llmopt import Budget, Float, FunctionProblem, History, Problem, Task, Vector, run
from llmopt.baselines.random import RandomSearch
from llmopt.benchmarks.perf.row import Row
from llmopt.llm.base import LLM, Capabilities, ModelInfo, Request, Response
from llmopt.opro import OPRO
from llmopt.opro.known import known_rows
from llmopt.registry import create_problem

Form = Literal["chat", "continuation", "moves"]
FORMS: tuple[Form, ...] = ("chat", "continuation", "moves")


@dataclass(frozen=True)
class PromptCost:
    """Milliseconds of the processor for one way to build the requests of a step, and what was built.

    ``first`` is the first step on a history that the solver has not seen, ``later`` the step after 8 more
    evaluations.
    """

    space: str
    form: Form
    grammar: bool
    first: float
    later: float
    shown: int
    excluded: int


@dataclass(frozen=True)
class MetaPromptCost:
    """What was measured from histories of ``evaluations`` evaluations."""

    evaluations: int
    costs: Sequence[PromptCost]

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        rows = []
        for cost in self.costs:
            extra = f" + grammar without {cost.excluded} known" if cost.grammar else ""
            what = f"meta-prompt from {self.evaluations:,} evaluations, {cost.space}, {cost.form}{extra}"
            # A grammar is no part of the prompt. All of it is written once a run, later steps write what changed; that
            # of moves is another one wherever they lead from another solution.
            first, later = (None if cost.grammar else 5.0), (None if cost.grammar and cost.form == "moves" else 5.0)
            rows.append(Row(f"{what}: first step of a run", cost.first, "ms CPU", limit=first))
            rows.append(Row(f"{what}: later step", cost.later, "ms CPU", limit=later))
        return rows


class _Silent(LLM):
    """States what it can do; no request is sent to it."""

    def __init__(self, grammar: bool) -> None:
        self._grammar = grammar

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("none")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(chat=True, continuation=True, grammar=self._grammar, n=True, seed=True)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        raise NotImplementedError


def measure(*, quick: bool = False) -> MetaPromptCost:
    """Time ``OPRO.requests`` on the regression of two whole numbers and on five real variables."""
    evaluations, rounds = (2_000, 1) if quick else (1_000_000, 7)
    settings = {"w_true": "15", "b_true": "14", "low": "-500", "high": "500"}
    sphere = FunctionProblem(_sphere, Vector(dict.fromkeys("abcde", Float(-5, 5))), vectorized=True)
    costs = []
    for space, problem in (("2 integers", create_problem("regression", settings)), ("5 reals", sphere)):
        history = _history(problem, evaluations)
        for form in FORMS:
            costs += [_cost(space, problem, history, form, grammar, rounds) for grammar in (False, True)]
    return MetaPromptCost(evaluations, costs)


def _history(problem: Problem, evaluations: int) -> History:
    # No loss is below 0, so that the target never ends the run early.
    solver = RandomSearch(batch=min(evaluations, 50_000))
    return run(problem, solver, Budget(evaluations=evaluations), target=-1.0).history


def _cost(space: str, problem: Problem, history: History, form: Form, grammar: bool, rounds: int) -> PromptCost:
    first, following = [], []
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        solver = OPRO(_Silent(grammar), serializer=form)
        solver.start(Task(history, problem.describe(), seed), rng)
        seconds, requests = _timed(solver)
        first.append(seconds)
        _add(problem, history, rng)
        seconds, requests = _timed(solver)
        following.append(seconds)
    known = len(known_rows(history)) if grammar else 0
    prompt = requests[0].prompt
    text = prompt if isinstance(prompt, str) else prompt[-1].content
    shown = text.count("] score:") if form == "chat" else len(text.splitlines()) - 1
    return PromptCost(
        space, form, grammar, statistics.median(first) * 1e3, statistics.median(following) * 1e3, shown, known
    )


def _timed(solver: OPRO) -> tuple[float, list[Request]]:
    began = time.process_time()
    requests = solver.requests()
    return time.process_time() - began, requests


def _add(problem: Problem, history: History, rng: np.random.Generator) -> None:
    columns = problem.space.sample(8, rng)
    losses = problem.evaluate_batch(columns)
    assert losses is not None
    history.append(columns, losses, np.zeros(8, dtype=np.int8), int(history.steps[-1]) + 1, {}, None)


def _sphere(columns: dict[str, Any]) -> Any:
    return sum(values**2 for values in columns.values())

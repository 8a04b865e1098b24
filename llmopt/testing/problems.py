"""Checks of a problem."""

from __future__ import annotations

import copy
import re
from abc import abstractmethod
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from llmopt.problem import Infeasible, Problem
from llmopt.space import Columns, Vector
from llmopt.testing.checks import Checks, brief, fault, mentions
from llmopt.testing.strategies import members, seeds

CHUNK = 1_000


class ProblemChecks(Checks):
    """What every problem keeps to.

    Attributes
    ----------
    samples
        How many random solutions must not beat the known optimum.

    Examples
    --------
    >>> from llmopt import Int, Optimum, Problem, Vector
    >>> class Square(Problem):
    ...     space = Vector(x=Int(-9, 9))
    ...     optimum = Optimum(0.0, solution={"x": 0})
    ...     def evaluate(self, solution):
    ...         return solution["x"] ** 2
    ...     def describe(self):
    ...         return "Find x with the smallest square."
    >>> class TestSquare(ProblemChecks):
    ...     def make(self):
    ...         return Square()
    >>> TestSquare().test_no_score_beyond_the_optimum()
    """

    samples: int = 10_000

    @abstractmethod
    def make(self) -> Problem:
        """Return the problem."""

    def test_no_score_beyond_the_optimum(self) -> None:
        problem = self.make()
        if problem.optimum is None:
            pytest.skip("its optimum is not known")
        space, best = problem.space, problem.optimum.score
        # What is not more than rounding; the tolerance is about the target, and an optimum is the best there is.
        slack = 1e-9 * max(1.0, abs(best))
        sign = 1.0 if problem.direction == "minimize" else -1.0
        rng = np.random.default_rng(0)
        found: list[tuple[int, str, float]] = []
        for start in range(0, self.samples, CHUNK):
            columns = space.sample(min(CHUNK, self.samples - start), rng)
            scores = _scores(problem, columns)
            for i in np.flatnonzero(sign * scores < sign * best - slack):
                text = brief(space.row(columns, int(i)))
                found.append((len(text), text, float(scores[i])))
        if found:
            _, text, score = min(found)
            fault(f"{text} has the score {score!r}, which is better than the known optimum {best!r}")

    def test_no_optimum_that_its_own_solution_misses(self) -> None:
        problem = self.make()
        if problem.optimum is None or problem.optimum.solution is None:
            pytest.skip("no solution is said to be optimal")
        optimum = problem.optimum
        solution = optimum.solution
        if reason := problem.space.violation(solution):
            fault(f"the solution of the optimum, {brief(solution)}, is not legal: {reason}")
        score = float(problem.evaluate(solution))
        if not abs(score - optimum.score) <= max(optimum.tolerance, 1e-9 * abs(optimum.score)):
            fault(f"{brief(solution)} is said to have the optimum's score {optimum.score!r}, and has {score!r}")

    def test_no_difference_between_batch_and_single(self) -> None:
        problem = self.make()
        space = problem.space
        if problem.evaluate_batch(space.sample(1, np.random.default_rng(0))) is None:
            pytest.skip("it offers no batch")

        def check(solutions: list[Any]) -> None:
            scores = problem.evaluate_batch(space.pack(solutions))
            if scores is None or np.shape(scores) != (len(solutions),):
                fault(f"a batch of {len(solutions)} gives {brief(scores)}")
            for solution, score in zip(solutions, scores.tolist(), strict=True):
                single = float(problem.evaluate(copy.deepcopy(solution)))
                if not (score == single or (np.isnan(score) and np.isnan(single))):
                    fault(f"{brief(solution)} has the score {single!r} by itself and {score!r} in a batch")

        self.for_all(check, solutions=members(space))

    def test_no_variable_missing_in_the_description(self) -> None:
        problem = self.make()
        text = problem.describe()
        if not text.strip():
            fault("the description is empty")
        if not isinstance(problem.space, Vector):
            pytest.skip("its space has no variables")
        # What a model reads is both.
        text = f"{text}\n{problem.space.describe()}"
        for name in problem.space.variables:
            if not mentions(text, name):
                fault(f"neither the description nor that of the space names the variable {name}")

    def test_no_optimum_in_the_description(self) -> None:
        problem = self.make()
        if problem.optimum is None or problem.optimum.solution is None:
            pytest.skip("no solution is said to be optimal")
        solution, text = problem.optimum.solution, problem.describe()
        pairs = solution.items() if isinstance(solution, dict) else []
        told = [f"{name}={value}" for name, value in pairs if re.search(_stated(name, value), text)]
        whole = told and len(told) == len(solution)
        order = isinstance(solution, np.ndarray) and re.search(r"\D+".join(map(str, solution.tolist())), text)
        if whole or order or (isinstance(solution, str) and solution in text):
            fault(f"the description gives away the optimum, {brief(solution)}")

    def test_no_second_score_for_a_solution(self) -> None:
        problem = self.make()
        if problem.noisy:
            pytest.skip("it says that it is noisy")

        def check(solutions: list[Any]) -> None:
            first, again = ([_outcome(problem, copy.deepcopy(s)) for s in solutions] for _ in range(2))
            for solution, one, other in zip(solutions, first, again, strict=True):
                if one != other:
                    fault(f"{brief(solution)} has the score {one} and then {other}, and the problem is not noisy")

        self.for_all(check, solutions=members(problem.space))

    def test_no_change_of_its_argument(self) -> None:
        problem = self.make()

        def check(solutions: list[Any]) -> None:
            for solution in solutions:
                before = copy.deepcopy(solution)
                _outcome(problem, solution)
                if repr(before) != repr(solution):
                    fault(f"evaluate changes its argument from {brief(before)} to {brief(solution)}")
            columns = problem.space.pack(solutions)
            kept = copy.deepcopy(columns)
            problem.evaluate_batch(columns)
            if repr(kept) != repr(columns):
                fault(f"evaluate_batch changes its argument from {brief(kept)} to {brief(columns)}")

        self.for_all(check, solutions=members(problem.space))

    def test_no_score_that_is_no_number(self) -> None:
        problem = self.make()

        def check(solutions: list[Any]) -> None:
            for solution in solutions:
                try:
                    score: Any = problem.evaluate(solution)
                except Infeasible:
                    continue
                if isinstance(score, bool | str) or np.ndim(score) or not isinstance(score, int | float | np.number):
                    fault(f"{brief(solution)} has the score {brief(score)}, which is no number")

        self.for_all(check, solutions=members(problem.space))

    def test_no_start_outside_the_space(self) -> None:
        problem = self.make()

        def check(seed: int) -> None:
            for start in problem.starts(np.random.default_rng(seed)):
                if reason := problem.space.violation(start):
                    fault(f"the start point {brief(start)} is not legal: {reason}")

        self.for_all(check, seed=seeds)


def _scores(problem: Problem, columns: Columns) -> NDArray[np.float64]:
    """Return the scores of solutions, NaN where there is none."""
    scores = problem.evaluate_batch(columns)
    if scores is not None:
        return np.asarray(scores, dtype=np.float64)
    found = [_outcome(problem, solution) for solution in problem.space.solutions(columns)]
    return np.array([score if isinstance(score, float) else np.nan for score in found])


def _outcome(problem: Problem, solution: Any) -> float | str:
    """Return a score, or what there is in place of one."""
    try:
        score = float(problem.evaluate(solution))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return score if score == score else "NaN"


def _stated(name: str, value: object) -> str:
    return rf"(?<!\w){re.escape(name)}\s*(?:=|:|is)\s*{re.escape(str(value))}(?!\w|\.\d)"

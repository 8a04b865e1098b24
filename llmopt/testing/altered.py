"""A problem with other scores, in all else as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from llmopt.items import Exemplar, ItemProblem, ItemScore, Keep
from llmopt.llm.base import LLM
from llmopt.problem import Direction, Problem

Change = Callable[[Any, float], float]
"""From a solution and its score to another score; what it raises is what the evaluation raises."""


def altered(problem: Problem, change: Change, direction: Direction | None = None) -> Problem:
    """Return a problem whose scores are changed, and whose optimum is not known.

    Where the score is a mean over items, that of every item is changed.
    """
    kind = _AlteredItems if isinstance(problem, ItemProblem) else _Altered
    return kind(problem, change, direction)


@dataclass
class Record:
    """A change that changes nothing, and keeps what was evaluated.

    Attributes
    ----------
    solutions, scores
        In the order of the evaluations.
    """

    solutions: list[Any] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def __call__(self, solution: Any, score: float) -> float:
        self.solutions.append(solution)
        self.scores.append(score)
        return score


class _Altered(Problem):
    def __init__(self, problem: Problem, change: Change, direction: Direction | None) -> None:
        self._problem = problem
        self._change = change
        self.space = problem.space
        self.direction = direction or problem.direction
        self.noisy = problem.noisy
        self.labels, self.examples = problem.labels, problem.examples
        self.structure = problem.structure

    def evaluate(self, solution: Any) -> float:
        return self._change(solution, self._problem.evaluate(solution))

    def describe(self) -> str:
        return self._problem.describe()

    def starts(self, rng: np.random.Generator) -> list[Any]:
        return self._problem.starts(rng)

    def identity(self) -> Mapping[str, Any]:
        return self._problem.identity()


class _AlteredItems(_Altered, ItemProblem):
    _problem: ItemProblem

    @property
    def items(self) -> int:
        return self._problem.items

    @property
    def exemplars(self) -> Sequence[Exemplar]:
        return self._problem.exemplars

    @property
    def models(self) -> Mapping[str, LLM]:
        return self._problem.models

    def with_models(self, models: Mapping[str, LLM]) -> ItemProblem:
        return _AlteredItems(self._problem.with_models(models), self._change, self.direction)

    def evaluate(self, solution: Any) -> float:
        return ItemProblem.evaluate(self, solution)

    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        def change(i: int, found: ItemScore) -> None:
            keep(i, ItemScore(self._change(pairs[i][0], found.score), found.answer))

        self._problem.score_items(pairs, change)

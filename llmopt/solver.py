"""What proposes solutions: the two forms of a solver."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.history import Evaluations, History
from llmopt.items import Exemplar, ItemScores
from llmopt.llm.base import LLM
from llmopt.objective import Objective, Proposals
from llmopt.problem import Problem
from llmopt.settings import check_whole
from llmopt.space import Space

Access = Literal["scores", "structure"]


@dataclass(frozen=True)
class Task:
    """What a solver may know.

    Parameters
    ----------
    history
        The evaluations so far, kept up to date; to be read only. It knows the space.
    description
        The problem in words.
    seed
        The run's seed, from which the seeds of model calls are derived.
    models
        The solver's own models, by role, as this run asks them: booked, within its budget, and from the cache.
    labels
        What the entries of a permutation are, as texts for a model to read; None where the problem does not say.
    examples
        Good orders of such labels, elsewhere.
    structure
        The problem's structure, for a solver that looks into it; None for all others.
    exemplars
        What may be seen of the items that the score is a mean over; empty where there are none.
    item_scores
        What is known of these items; None where there are none.
    """

    history: History
    description: str = ""
    seed: int = 0
    models: Mapping[str, LLM] = field(default_factory=dict)
    labels: Sequence[str] | None = None
    examples: Sequence[Sequence[str]] = ()
    structure: Any = None
    exemplars: Sequence[Exemplar] = ()
    item_scores: ItemScores | None = None

    @property
    def space(self) -> Space[Any]:
        """The set of legal solutions."""
        return self.history.space


class Solver(ABC):
    """A method that minimizes losses. One object serves one run after another; ``run`` starts afresh.

    ``access`` says what the method sees: ``"scores"`` for a black-box method, ``"structure"`` for one that
    looks into the problem; ``structure`` is then the class of what it looks into. ``packages`` names the
    distributions beside numpy whose versions change what it proposes.
    """

    access: ClassVar[Access] = "scores"
    structure: ClassVar[type[Any] | None] = None
    packages: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        """Propose through ``objective`` until it raises ``Stopped``; return early only when there is nothing
        left to propose. The start points are in ``task.history``."""

    def check(self, space: Space[Any], budget: Budget) -> None:
        """Raise InvalidInput where the method cannot work on a space or within a budget; called before anything
        is evaluated."""
        return

    def check_problem(self, problem: Problem, budget: Budget) -> None:
        """Raise InvalidInput where the method cannot work on a problem: its structure, its space, or the budget."""
        if self.structure is not None and not isinstance(problem.structure, self.structure):
            raise InvalidInput(
                f"{type(self).__name__} looks into a problem's {self.structure.__name__.lower()}, which this one "
                "does not offer; use it on tsp, or a solver that sees scores only (llmopt list solvers)"
            )
        self.check(problem.space, budget)

    def sees(self, problem: Problem) -> Access:
        """Return what the method sees of a problem: ``access``, unless that depends on the problem."""
        return self.access

    @property
    def models(self) -> Mapping[str, LLM]:
        """The language models that the method asks, by role; a run asks them through ``task.models``."""
        return {}


class AskTellSolver(Solver):
    """A solver that proposes a step and is told its outcomes.

    A subclass has ``ask`` and ``tell``, and ``start`` where it keeps state.

    Parameters
    ----------
    batch
        Proposals per step.

    Examples
    --------
    >>> from llmopt import AskTellSolver, Int, Proposals, Vector, minimize
    >>> class Uniform(AskTellSolver):
    ...     def ask(self, n):
    ...         return Proposals(self.task.space.sample(n, self.rng))
    >>> minimize(lambda s: s["x"] ** 2, Vector(x=Int(-5, 5)), solver=Uniform(), max_evaluations=11).fun
    0.0
    """

    task: Task
    rng: np.random.Generator

    def __init__(self, batch: int = 8) -> None:
        check_whole("batch", batch, 1)
        self.batch = batch

    def start(self, task: Task, rng: np.random.Generator) -> None:
        """Begin a run; overriding methods call this one first."""
        self.task = task
        self.rng = rng

    @abstractmethod
    def ask(self, n: int) -> Proposals | Sequence[Any]:
        """Return about ``n`` candidates, none of which depends on another's outcome."""

    def tell(self, evaluations: Evaluations) -> None:
        """Learn the outcomes of the start points, then of each step."""
        return

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        self.start(task, rng)
        self.tell(task.history[:])
        while True:
            left = objective.remaining_evaluations
            # What the budget no longer admits need not be proposed: a model's proposals cost money.
            n = self.batch if left is None else min(self.batch, left)
            self.tell(objective.step(self.ask(n)))

"""What is to be optimized: a space, a direction, a score, and a description in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM
from llmopt.space import Columns, Space

Direction = Literal["minimize", "maximize"]
GapForm = Literal["absolute", "relative"]


class Infeasible(Exception):
    """Raised by ``evaluate`` for a solution that breaks a constraint; the message says which."""


@dataclass(frozen=True)
class Optimum:
    """The best score that a solution can have, where it is known.

    Parameters
    ----------
    score
        In the problem's own sign and units.
    tolerance
        A score that is worse by at most this much reaches the target; same units.
    solution
        A solution that has the score, if one is known.
    """

    score: float
    tolerance: float = 0.0
    solution: Any = None


class Problem(ABC):
    """The base of every problem class. A subclass has three members: ``space``, ``evaluate``, ``describe``.

    The rest is optional: ``direction``; ``optimum``, which defines the target; ``noisy``, which says that two
    calls with the same solution may differ (then every call is an evaluation); ``starts``; ``evaluate_batch`` for a
    problem that scores a whole step with one NumPy call; ``labels``, which say in a few characters what the entries of
    a permutation are, for a model to read, and ``examples``, lists of labels in an order that is good wherever such
    labels mean the same (they are not about this instance); ``structure``, which solvers get that look into the
    problem (its class says into what, such as :class:`llmopt.tours.Distances`) and no others; and ``gap``, which says
    whether the distance to the optimum is shown as it is or as a share of the optimum.

    Examples
    --------
    >>> from llmopt import Float, Problem, Vector
    >>> class Parabola(Problem):
    ...     space = Vector(x=Float(-5, 5))
    ...     def evaluate(self, solution):
    ...         return (solution["x"] - 1) ** 2
    ...     def describe(self):
    ...         return "Find x with the smallest value of an unknown function."
    >>> Parabola().evaluate({"x": 3.0})
    4.0
    """

    space: Space[Any]
    direction: Direction = "minimize"
    noisy: bool = False
    optimum: Optimum | None = None
    labels: Sequence[str] | None = None
    examples: Sequence[Sequence[str]] = ()
    structure: object = None
    gap: GapForm = "absolute"

    @property
    def models(self) -> Mapping[str, LLM]:
        """The language models that evaluate, by role; see :class:`llmopt.items.ItemProblem`."""
        return {}

    @property
    def notices(self) -> Sequence[str]:
        """What a user should be told before a run, such as the licence of the data."""
        return ()

    @abstractmethod
    def evaluate(self, solution: Any) -> float:
        """Return the score of one solution.

        An exception, NaN or infinity is recorded as a failed evaluation, :class:`Infeasible` as an
        infeasible one; both are charged.
        """

    @abstractmethod
    def describe(self) -> str:
        """Say in plain language what is sought. A model reads this; it must not give the optimum away.
        Names and bounds of the variables need not be repeated: the space describes them beside this."""

    def evaluate_batch(self, columns: Columns) -> NDArray[np.float64] | None:
        """Return the scores of B solutions, shape (B,), equal to ``evaluate`` on each; None: not offered.

        Where it raises, the solutions are evaluated one by one, so that only the guilty ones fail.
        """
        return None

    def identity(self) -> Mapping[str, Any]:
        """Return what else tells this problem from others of its class, such as a checksum of its data: a run is
        resumed only with the same. Values as JSON has them."""
        return {}

    def starts(self, rng: np.random.Generator) -> list[Any]:
        """Return the start points, which every solver gets: five random solutions unless overridden."""
        return self.space.solutions(self.space.sample(5, rng))


class FunctionProblem(Problem):
    """A plain function as a problem; what :func:`llmopt.minimize` builds.

    Parameters
    ----------
    fun
        Called with a solution in the user's form: a dict from name to value for a vector, a 1-D array for a
        permutation, a str for a text.
    space, direction, noisy, optimum
        See :class:`Problem`.
    description
        What is known of the function, in words; a general sentence by default.
    vectorized
        ``fun`` takes the columns of a whole step (a dict of arrays of shape (B,), an array of shape (B, n), a
        list of B texts) and returns B scores.
    as_array
        ``fun`` is called with the values of a vector as a 1-D array (shape (B, d) when vectorized), as
        SciPy does.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        space: Space[Any],
        direction: Direction = "minimize",
        *,
        noisy: bool = False,
        optimum: Optimum | None = None,
        description: str | None = None,
        vectorized: bool = False,
        as_array: bool = False,
    ) -> None:
        if not callable(fun):
            raise InvalidInput(f"fun must be a function of a solution, not {fun!r}")
        if not isinstance(space, Space):
            raise InvalidInput(f"space must be a Vector, Permutation or Text, not {space!r}")
        self.fun = fun
        self.space = space
        self.direction = direction
        self.noisy = noisy
        self.optimum = optimum
        self._description = description
        self._vectorized = vectorized
        self._as_array = as_array

    def evaluate(self, solution: Any) -> float:
        if self._vectorized:
            scores = self.evaluate_batch(self.space.pack([solution]))
            assert scores is not None
            return float(scores[0])
        score: float = self.fun(np.array(list(solution.values())) if self._as_array else solution)
        return score

    def evaluate_batch(self, columns: Columns) -> NDArray[np.float64] | None:
        if not self._vectorized:
            return None
        presented = self.space.present(columns)
        scores: NDArray[np.float64] = self.fun(
            np.column_stack(list(presented.values())) if self._as_array else presented
        )
        return np.asarray(scores)

    def describe(self) -> str:
        goal = "smallest" if self.direction == "minimize" else "largest"
        return self._description or f"Find the solution with the {goal} score of an unknown function."

"""What SciPy's routines have in common: they call the function themselves, in the relaxation of a vector."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, OptimizeWarning

from llmopt.baselines.works_on import works_on
from llmopt.budget import Budget
from llmopt.objective import Objective, Proposals
from llmopt.penalty import finite_losses
from llmopt.solver import Solver, Task
from llmopt.space import Space, Vector, take
from llmopt.space.relaxation import Points, Relaxation

UNIT = 0.1
"""The unit of length of the routines as a share of a variable's range; see :class:`Relaxation`."""


class RelaxedObjective:
    """The objective as a function of a point of the relaxation, shape (d,), in units.

    ``Stopped``, which the objective raises, ends the routine that calls: no routine catches BaseException.
    """

    def __init__(self, objective: Objective, task: Task) -> None:
        assert isinstance(task.space, Vector)
        self.history = task.history
        self.relaxation = Relaxation(task.space, UNIT)
        self._objective = objective

    @property
    def bounds(self) -> Bounds:
        """The box."""
        return Bounds(np.zeros(self.relaxation.dimension), self.relaxation.width)

    def __call__(self, point: Points) -> float:
        """Evaluate a point, as a step of its own."""
        return float(self.batch(np.asarray(point)[None])[0])

    def batch(self, points: Points) -> NDArray[np.float64]:
        """Evaluate points, shape (B, d), as one step."""
        return finite_losses(self._objective.step(Proposals(self.relaxation.columns(points))))

    @property
    def lowest(self) -> float:
        """The incumbent's loss, infinite while there is none."""
        incumbent = self.history.incumbent
        return math.inf if incumbent is None else incumbent.loss

    def incumbent(self, rng: np.random.Generator) -> Points:
        """Return the best point so far, shape (d,); a random one while none has a loss."""
        best = self.best(1)
        points = best if len(best) else self.relaxation.uniform(1, rng)
        point: Points = points[0]
        return point

    def best(self, k: int) -> Points:
        """Return the ``k`` best points so far, best first, shape (at most k, d)."""
        columns = take(self.history.columns, self.history.best(k))
        points = self.relaxation.points(columns)
        self.relaxation.anchor(points, columns)
        return points


class Routine(Solver):
    """A routine of ``scipy.optimize``, started again and again until the budget ends.

    Whole numbers, grids and choices are relaxed and rounded, see :class:`Relaxation`: the routine sees a
    function with steps, and points that round to a known solution are answered from the history. A failed or
    infeasible evaluation counts as the worst loss so far (:func:`finite_losses`).
    """

    packages: ClassVar[tuple[str, ...]] = ("scipy",)

    def check(self, space: Space[Any], budget: Budget) -> None:
        works_on(Vector, space, self)

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        function = RelaxedObjective(objective, task)
        if function.relaxation.dimension == 0:
            function.batch(np.empty((1, 0)))
            return
        with warnings.catch_warnings():
            # Said of a function with steps, plateaus and penalties; the user's own warnings pass.
            warnings.filterwarnings("ignore", category=OptimizeWarning)
            warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"scipy\.")
            self.search(function, rng)

    @abstractmethod
    def search(self, function: RelaxedObjective, rng: np.random.Generator) -> None:
        """Run the routine until the objective ends it."""

"""The continuous relaxation of a vector: where methods for real variables move."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.space.base import Columns
from llmopt.space.variables import Float, Int, Variable
from llmopt.space.vector import Vector

Points = NDArray[np.float64]

# In units: far above what a solver's own scaling of a point loses, far below what it means to move.
_SAME_POINT = 1e-12


class Relaxation:
    """A vector as a box of real numbers, each coordinate counted from its lower end in units of its own.

    Whole numbers, grids and choices are relaxed to an interval that reaches half a step beyond their ends, so
    that every value owns an equally long part of it; a point stands for the nearest value. A choice is its
    position in the list, so neighbours in the list count as near. Variables with one value are left out, and those
    whose range is so narrow that it has no unit.

    Parameters
    ----------
    space
        The vector.
    fraction
        The unit as a share of a variable's range; at least one step of a variable that has steps, and a whole
        number of them.

    Attributes
    ----------
    width
        The length of the box along each coordinate, in units; shape (d,).
    step
        The step of each variable in units, 0.0 where it is continuous; shape (d,). Of whole numbers on a logarithmic
        scale, the largest one.
    lattice
        The same where values lie evenly, else 0.0; shape (d,).
    unit
        The length of a unit in the box of the vector, shape (d,); see :class:`llmopt.space.variables.Variable`.
    names
        The variables that are not left out, in order.
    """

    def __init__(self, space: Vector, fraction: float) -> None:
        self._space = space
        self._free = np.array([_is_free(variable, fraction) for variable in space.variables.values()])
        self.names = [name for name, free in zip(space.variables, self._free, strict=True) if free]
        free = [space.variables[name] for name in self.names]
        low, high = np.array([_interval(variable) for variable in free]).reshape(-1, 2).T
        step = np.array([_step(variable) for variable in free])
        reach = fraction * (high - low)
        whole_steps = step * np.maximum(1, np.rint(reach / np.where(step > 0, step, 1.0)))
        self._low = low
        self.unit: Points = np.where(step > 0, whole_steps, reach)
        self.width = (high - low) / self.unit
        self.step = step / self.unit
        even = [not (isinstance(variable, Int) and variable.log) for variable in free]
        self.lattice: Points = np.where(even, self.step, 0.0)
        self._anchors: list[tuple[Points, dict[str, Any]]] = []

    @property
    def dimension(self) -> int:
        """The number of variables that are not left out."""
        return len(self.width)

    def points(self, columns: Columns) -> Points:
        """Return solutions as points, shape (B, d)."""
        box: Points = (self._space.to_box(columns)[:, self._free] - self._low) / self.unit
        return box

    def columns(self, points: Points) -> Columns:
        """Return the solutions that points, shape (B, d), stand for; outside points are clipped."""
        box = np.tile(self._space.box[:, 0], (len(points), 1))
        box[:, self._free] = self._low + np.clip(points, 0.0, self.width) * self.unit
        columns = self._space.from_box(box)
        for anchor, solution in self._anchors:
            for i in np.flatnonzero((np.abs(points - anchor) < _SAME_POINT).all(axis=1)):
                for name, value in solution.items():
                    columns[name][i] = value
        return columns

    def anchor(self, points: Points, columns: Columns) -> None:
        """Let these points, and no others any more, stand for these solutions to the last bit.

        A method that begins by evaluating a known point then is answered from the history.
        """
        self._anchors = [(point, {n: v[i] for n, v in columns.items()}) for i, point in enumerate(points)]

    def uniform(self, n: int, rng: np.random.Generator) -> Points:
        """Draw points, shape (n, d)."""
        return rng.uniform(0.0, self.width, (n, self.dimension))


def _is_free(variable: Variable, fraction: float) -> bool:
    low, high = variable.box
    # A whole number or a choice has its step as a unit at least.
    return variable.size != 1 and (variable.size is not None or fraction * (high - low) > 0)


def _interval(variable: Variable) -> tuple[float, float]:
    low, high = variable.box
    if variable.size is None:
        return low, high
    if isinstance(variable, Int) and variable.log:
        return math.log(variable.low - 0.5), math.log(variable.high + 0.5)
    step = _step(variable)
    return low - step / 2, low + (variable.size - 0.5) * step


def _step(variable: Variable) -> float:
    """The distance of two neighbouring values in the box; the largest one on a logarithmic scale."""
    if isinstance(variable, Int) and variable.log:
        return math.log(variable.low + 1) - math.log(variable.low)
    if isinstance(variable, Float | Int):
        return float(variable.step or 0.0)
    return 1.0

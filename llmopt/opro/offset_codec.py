"""Vectors as whole-number offsets from a known one: ``w=3 b=-2``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.opro.codec import Codec, Decoded
from llmopt.opro.vector_codec import VectorCodec
from llmopt.space import Categorical, Columns, Int, Variable, Vector

REACH = 50
"""The largest offset of a solution that the units are chosen for."""
_FINEST = 1e-12
"""The least unit as a share of a variable's range."""


class OffsetCodec(Codec[dict[str, Any]]):
    """The text form of vectors as seen from one of them.

    A number is written as its distance from the origin's in a unit of its own (on a logarithmic scale where the
    variable has one), a choice as itself. What lies between two whole offsets goes to the nearer one.

    Parameters
    ----------
    space
        The vectors.
    origin
        The vector whose offsets are 0.
    units
        The unit of each variable in the coordinates of ``space.box``, shape (d,); see :func:`units_for`.
    order
        The variables in the order in which they are written; by default as declared.

    Examples
    --------
    >>> from llmopt import Float, Int, Vector
    >>> codec = OffsetCodec(Vector(w=Int(-50, 50), x=Float(0, 1)), {"w": 15, "x": 0.5}, [1, 0.01])
    >>> codec.encode({"w": 12, "x": 0.57})
    'w=-3 x=7'
    >>> codec.decode("w=1 x=-2").solution
    {'w': 16, 'x': 0.48}
    """

    def __init__(
        self,
        space: Vector,
        origin: dict[str, Any],
        units: Sequence[float] | NDArray[np.float64],
        *,
        order: Sequence[str] | None = None,
    ) -> None:
        self.space = space
        self._origin_solution, self._units = origin, np.asarray(units, dtype=np.float64)
        self._origin = space.to_box(space.pack([origin]))[0]
        low, high = space.box.T
        ends = np.sort([(low - self._origin) / self._units, (high - self._origin) / self._units], axis=0)
        first, last = np.floor(ends[0]), np.ceil(ends[1])
        shown: dict[str, Variable] = {
            name: variable if _as_itself(variable) else Int(int(first[i]), int(last[i]))
            for i, (name, variable) in enumerate(space.variables.items())
        }
        self._offsets = VectorCodec(Vector(shown), order=order)
        self.lead, self.longest = self._offsets.lead, self._offsets.longest

    def reversed(self) -> OffsetCodec:
        """Return the codec that writes the variables in the opposite order."""
        return OffsetCodec(self.space, self._origin_solution, self._units, order=self._offsets.order[::-1])

    def encode(self, solution: dict[str, Any]) -> str:
        point = self.space.to_box(self.space.pack([solution]))[0]
        offsets = np.rint((point - self._origin) / self._units)
        return self._offsets.encode(
            {
                name: solution[name] if _as_itself(variable) else int(offsets[i])
                for i, (name, variable) in enumerate(self.space.variables.items())
            }
        )

    def decode(self, text: str) -> Decoded[dict[str, Any]]:
        offsets = self._offsets.decode(text).solution
        numbers = {
            i: offsets[name]
            for i, (name, variable) in enumerate(self.space.variables.items())
            if not _as_itself(variable)
        }
        point = self._origin.copy()
        for i, offset in numbers.items():
            # Rounded so that 15 hundredths after 0.3 are 0.45, as a reader expects.
            point[i] = _rounded(self._origin[i] + offset * self._units[i], self._units[i])
        point = np.clip(point, *self.space.box.T)
        decoded = self.space.row(self.space.from_box(point[None, :]), 0)
        return Decoded({name: decoded[name] if i in numbers else offsets[name] for i, name in enumerate(decoded)})

    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        return self._offsets.grammar(opening=opening, known=known)

    def schema(self) -> dict[str, Any]:
        return self._offsets.schema()

    def form(self) -> str:
        return self._offsets.form()


def units_for(space: Vector, columns: Columns, origin: dict[str, Any], reach: int = REACH) -> NDArray[np.float64]:
    """Return the units in which solutions are at most about ``reach`` from an origin, shape (d,).

    A unit is 1, 2 or 5 times a power of ten, and a whole number of steps of a variable that has steps. A variable
    in which the solutions do not differ gets a ``reach``-th of its range.
    """
    low, high = space.box.T
    spread = np.abs(space.to_box(columns) - space.to_box(space.pack([origin]))).max(axis=0, initial=0.0)
    units = np.ones(len(low))
    for i, variable in enumerate(space.variables.values()):
        if _as_itself(variable):
            continue
        wide = max(float(spread[i]), _FINEST * (high[i] - low[i])) or float(high[i] - low[i])
        units[i] = _round_up(wide / reach)
        step = 0.0 if getattr(variable, "log", False) else float(getattr(variable, "step", None) or 0.0)
        if step:
            units[i] = step * max(1.0, _round_up(units[i] / step))
    return units


def _round_up(number: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(number))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= number * (1 - 1e-9))


def _rounded(number: float, unit: float) -> float:
    return round(number, max(0, 3 - math.floor(math.log10(abs(unit)))))


def _as_itself(variable: Variable) -> bool:
    return isinstance(variable, Categorical) or variable.size == 1

"""Vectors as moves from a known one: ``w=3 b=-2``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.opro.codec import Codec, Decoded
from llmopt.opro.vector_codec import VectorCodec
from llmopt.space import Categorical, Columns, Float, Int, Variable, Vector

REACH = 20
"""The median distance, about, that the units are chosen for: two digits tell directions and lengths apart."""
_FINEST = 1e-12
"""The least distance, as a share of a variable's range, for which units are chosen."""


class MoveCodec(Codec[dict[str, Any]]):
    """The text form of vectors as what leads to them from one of them.

    A number is written as a whole number of units of its own (of logarithms, where the variable has a logarithmic
    scale), a choice as itself. What lies between two of them goes to the nearer one.

    Parameters
    ----------
    space
        The vectors.
    origin
        The vector from which the moves lead.
    units
        The unit of each variable in the coordinates of ``space.box``, positive, shape (d,).
    order
        The variables in the order in which they are written; by default as declared.

    Examples
    --------
    >>> from llmopt import Float, Int, Vector
    >>> codec = MoveCodec(Vector(w=Int(-50, 50), x=Float(0, 1)), {"w": 15, "x": 0.5}, [1, 0.01])
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
        self._origin, self._units = origin, np.asarray(units, dtype=np.float64)
        self._place = space.to_box(space.pack([origin]))[0]
        low, high = space.box.T
        first, last = np.floor((low - self._place) / self._units), np.ceil((high - self._place) / self._units)
        self._moved = [name for name, variable in space.variables.items() if is_moved(variable)]
        moves: dict[str, Variable] = {
            name: Int(int(first[i]), int(last[i])) if name in self._moved else variable
            for i, (name, variable) in enumerate(space.variables.items())
        }
        self._moves = VectorCodec(Vector(moves), order=order)
        self.order = self._moves.order
        self.lead, self.longest = self._moves.lead, self._moves.longest

    def reversed(self) -> MoveCodec:
        """Return the codec that writes the variables in the opposite order."""
        return MoveCodec(self.space, self._origin, self._units, order=self.order[::-1])

    def encode(self, solution: dict[str, Any]) -> str:
        return self.moves(self.space.pack([self._origin]), self.space.pack([solution]))[0]

    def moves(self, start: Columns, end: Columns) -> list[str]:
        """Return the texts of the moves from solutions to as many others, or from one to many.

        They may lead out of the space where they start elsewhere than in the origin.
        """
        steps = np.rint((self.space.to_box(end) - self.space.to_box(start)) / self._units).astype(int).tolist()
        names = list(self.space.variables)
        texts = []
        for step, solution in zip(steps, self.space.solutions(end), strict=True):
            moved = dict(zip(names, step, strict=True))
            written = (
                f"{name}={moved[name]}" if name in self._moved else self._moves.written(name, solution[name])
                for name in self.order
            )
            texts.append(" ".join(written))
        return texts

    def decode(self, text: str) -> Decoded[dict[str, Any]]:
        said = self._moves.decode(text).solution
        place = self._place.copy()
        for i, name in enumerate(self.space.variables):
            if name in self._moved:
                # Without the noise of the sum: 0.3 and 15 hundredths are 0.45.
                digits = max(0, 3 - math.floor(math.log10(self._units[i])))
                place[i] = round(place[i] + said[name] * self._units[i], digits)
        place = np.clip(place, *self.space.box.T)
        solution = self.space.row(self.space.from_box(place[None]), 0)
        # What is not moved stays to the last bit.
        stays = {name for name in self._moved if said[name] == 0}
        for name in self.space.variables:
            if name in stays or name not in self._moved:
                solution[name] = self._origin[name] if name in stays else said[name]
        return Decoded(solution)

    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        return self._moves.grammar(opening=opening, known=known)

    def schema(self) -> dict[str, Any]:
        return self._moves.schema()

    def form(self) -> str:
        return self._moves.form()


def moves_from(space: Vector, origin: dict[str, Any], columns: Columns) -> MoveCodec:
    """Return the codec in whose units half of the other solutions are at most about :data:`REACH` from an origin.

    A unit is 1, 2 or 5 times a power of ten in the coordinates of ``space.box``, and a whole number of steps of a
    variable that has steps; where the solutions do not differ, it is chosen for the whole range.

    Parameters
    ----------
    space
        The vectors.
    origin
        The vector from which the moves lead.
    columns
        The solutions, in the space.
    """
    distances = np.abs(space.to_box(columns) - space.to_box(space.pack([origin])))
    others = distances[distances.any(axis=1)]
    spans = np.ptp(space.box, axis=1).tolist()
    units = [_unit(variable, others[:, i], spans[i]) for i, variable in enumerate(space.variables.values())]
    return MoveCodec(space, origin, units)


def is_moved(variable: Variable) -> bool:
    """Return whether a variable is a number with more than one value, so that there are moves along it."""
    return not isinstance(variable, Categorical) and variable.size != 1


def _unit(variable: Variable, distances: NDArray[np.float64], span: float) -> float:
    if not is_moved(variable):
        return 1.0
    known = [float(f(distances)) for f in (np.median, np.max)] if len(distances) else []
    wanted = _round(next((d for d in known if d > _FINEST * span), span) / REACH)
    step = variable.step if isinstance(variable, Float | Int) and not variable.log else None
    return wanted if not step else float(step * max(1.0, _round(wanted / step)))


def _round(number: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten from a positive number on."""
    power = 10.0 ** math.floor(math.log10(number))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= number * (1 - 1e-9))

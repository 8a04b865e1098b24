"""Vectors as moves from a known one: ``w=3 b=-2``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.opro.codec import Codec, Decoded
from llmopt.opro.vector_codec import VectorCodec
from llmopt.space import Categorical, Columns, Float, Int, Variable, Vector

_FARTHEST = 1e15
"""Units that a move is written with, at most."""


class MoveCodec(Codec[dict[str, Any]]):
    """The text form of vectors as what leads to them from one of them.

    A number is written as a whole number of units of its own (of logarithms, where the variable has a logarithmic
    scale), counted from where the variables before it let it be expected; a choice is written as itself. What lies
    between two of them goes to the nearer one.

    Parameters
    ----------
    space
        The vectors.
    origin
        The vector from which the moves lead.
    units
        The unit of each variable in the coordinates of ``space.box``, shape (d,); a negative one counts backwards.
    slopes
        How far a variable (row) is expected to move with each that is written before it (column), in the coordinates of
        ``space.box``, shape (d, d); by default not at all.
    order
        The variables in the order in which they are written; by default as declared.

    Attributes
    ----------
    units
        As given.
    count
        The number of texts.

    Examples
    --------
    >>> import numpy as np
    >>> from llmopt import Float, Int, Vector
    >>> codec = MoveCodec(Vector(w=Int(-50, 50), x=Float(0, 1)), {"w": 15, "x": 0.5}, [1, 0.01])
    >>> codec.encode({"w": 12, "x": 0.57})
    'w=-3 x=7'
    >>> codec.decode("w=1 x=-2").solution
    {'w': 16, 'x': 0.48}

    In a valley where x falls by 0.1 with each step of w:

    >>> valley = MoveCodec(codec.space, {"w": 15, "x": 0.5}, [1, 0.01], slopes=np.array([[0, 0], [-0.1, 0]]))
    >>> valley.encode({"w": 17, "x": 0.31})
    'w=2 x=1'
    >>> valley.decode("w=-1 x=0").solution
    {'w': 14, 'x': 0.6}
    """

    def __init__(
        self,
        space: Vector,
        origin: dict[str, Any],
        units: Sequence[float] | NDArray[np.float64],
        *,
        slopes: NDArray[np.float64] | None = None,
        order: Sequence[str] | None = None,
    ) -> None:
        self.space = space
        self._origin = origin
        self.units: NDArray[np.float64] = np.asarray(units, dtype=np.float64)
        self._slopes = np.zeros((len(space.variables),) * 2) if slopes is None else slopes
        self._place = space.to_box(space.pack([origin]))[0]
        low, high = space.box.T
        expected = np.abs(self._slopes) @ (high - low)
        ends = np.sort((np.array([low - expected, high + expected]) - self._place) / self.units, axis=0)
        first, last = np.maximum(np.floor(ends[0]), -_FARTHEST), np.minimum(np.ceil(ends[1]), _FARTHEST)
        self._names = list(space.variables)
        self._steps = np.array([step_of(variable) for variable in space.variables.values()])
        self._moved = [name for name, variable in space.variables.items() if is_moved(variable)]
        moves: dict[str, Variable] = {
            name: Int(int(first[i]), int(last[i])) if name in self._moved else variable
            for i, (name, variable) in enumerate(space.variables.items())
        }
        self._moves = VectorCodec(Vector(moves), order=order)
        self.count = math.prod(variable.size or 1 for variable in moves.values())
        self.order = self._moves.order
        self._places = [self._names.index(name) for name in self.order if name in self._moved]
        self.lead, self.longest = self._moves.lead, self._moves.longest

    def encode(self, solution: dict[str, Any]) -> str:
        return self.moves(self.space.pack([self._origin]), self.space.pack([solution]))[0]

    def moves(
        self, start: Columns, end: Columns, factor: float = 1.0, rng: np.random.Generator | None = None
    ) -> list[str]:
        """Return the texts of the moves from solutions to as many others, or from one to many.

        They may lead out of the space where they start elsewhere than in the origin.

        Parameters
        ----------
        start, end
            Members of the space.
        factor
            Makes all of them longer or shorter, or lead back.
        rng
            Rounds by chance, so that whole numbers that are equal seem to lie within half a step of each other.
        """
        far = factor * (self.space.to_box(end) - self.space.to_box(start))
        far -= far @ self._slopes.T
        if rng is not None:
            far += self._steps * (rng.random(far.shape) - rng.random(far.shape))
        steps = np.rint(np.clip(far / self.units, -_FARTHEST, _FARTHEST)).astype(int).tolist()
        texts = []
        for step, solution in zip(steps, self.space.solutions(end), strict=True):
            moved = dict(zip(self._names, step, strict=True))
            written = (
                f"{name}={moved[name]}" if name in self._moved else self._moves.written(name, solution[name])
                for name in self.order
            )
            texts.append(" ".join(written))
        return texts

    def decode(self, text: str) -> Decoded[dict[str, Any]]:
        return Decoded(self._reached(self._moves.decode(text).solution))

    def every(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every text and the solution that it leads to."""
        for columns in self._moves.space.enumerate():
            for said in self._moves.space.solutions(columns):
                yield self._moves.encode(said), self._reached(said)

    def _reached(self, said: dict[str, Any]) -> dict[str, Any]:
        place = self._place.copy()
        low, high = self.space.box.T
        for i in self._places:
            name = self._names[i]
            far = self._slopes[i] @ (place - self._place) + said[name] * self.units[i]
            if far:
                # Without the noise of the sum: 0.3 and 15 hundredths are 0.45.
                digits = max(0, 3 - math.floor(math.log10(abs(self.units[i]))))
                point = np.clip(round(place[i] + far, digits), low[i], high[i])
                variable = self.space.variables[name]
                # Where it really goes, which is what the next ones are expected from.
                place[i] = variable.to_box(variable.from_box(np.array([point])))[0]
        solution = self.space.row(self.space.from_box(place[None]), 0)
        for i, name in enumerate(self._names):
            # What is not moved stays to the last bit.
            if name not in self._moved:
                solution[name] = said[name]
            elif place[i] == self._place[i]:
                solution[name] = self._origin[name]
        return solution

    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        return self._moves.grammar(opening=opening, known=known)

    def schema(self) -> dict[str, Any]:
        return self._moves.schema()

    def form(self) -> str:
        return self._moves.form()


def is_moved(variable: Variable) -> bool:
    """Return whether a variable is a number with more than one value, so that there are moves along it."""
    return not isinstance(variable, Categorical) and variable.size != 1


def step_of(variable: Variable) -> float:
    """Return the step of a variable in the coordinates of the box, 0.0 where it has none."""
    return float(variable.step or 0.0) if isinstance(variable, Float | Int) and not variable.log else 0.0

"""What moves are counted in: a unit for each variable, and slopes along which several move together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.opro.move_codec import MoveCodec, is_moved, step_of
from llmopt.space import Columns, Variable, Vector

REACH = 20
"""The median distance, about, that the units are chosen for: two digits tell directions and lengths apart."""
_FINEST = 1e-12
"""The least distance, as a share of a variable's range, for which units are chosen."""


def moves_from(
    space: Vector,
    origin: dict[str, Any],
    columns: Columns,
    *,
    near: int | None = None,
    order: Sequence[str] | None = None,
    signs: Sequence[int] | NDArray[np.int64] | None = None,
    finer: int = 0,
) -> MoveCodec:
    """Return the codec in whose units half of the best solutions are at most about :data:`REACH` from an origin.

    A unit is 1, 2 or 5 times a power of ten in the coordinates of ``space.box``, and a whole number of steps of a
    variable that has steps. A variable is counted from its linear regression on those that are written before it.

    Parameters
    ----------
    space
        The vectors.
    origin
        The vector from which the moves lead.
    columns
        The solutions, best first.
    near
        How many of them the units are of; by default all. In a variable in which these do not differ, the unit is the
        least distance of the others, and where nothing differs, it is chosen for the whole range.
    order
        The variables in the order in which they are written; by default as declared.
    signs
        1 or -1 for each variable; one with -1 is counted backwards. By default, none is.
    finer
        So many times, each unit goes down to the next of these numbers, as far as its variable has steps or digits.
    """
    points = space.to_box(columns)
    far = points - space.to_box(space.pack([origin]))
    best = slice(near)
    names = list(space.variables)
    spans = np.ptp(space.box, axis=1)
    places = [names.index(name) for name in order or names if is_moved(space.variables[name])]
    slopes = _slopes(points, places, _FINEST * spans)
    distances = np.abs(far[best] - far[best] @ slopes.T)[far[best].any(axis=1)]
    units = [
        _unit(variable, distances[:, i], np.abs(far[:, i]), float(spans[i]), finer)
        for i, variable in enumerate(space.variables.values())
    ]
    return MoveCodec(space, origin, units if signs is None else units * np.asarray(signs), slopes=slopes, order=order)


def _slopes(points: NDArray[np.float64], places: Sequence[int], finest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the slopes of the regressions of each place on those before it, shrunk where there are few points; none
    where the points do not differ by more than the finest distances."""
    n, d = points.shape
    slopes = np.zeros((d, d))
    if n < 2 or len(places) < 2:
        return slopes
    points = points[:, places]
    # The mean of equal numbers may lie beside them, and rounding is no spread.
    spread = np.where(np.ptp(points, axis=0) > finest[places], points.std(axis=0), 0.0)
    scaled = np.where(spread > 0, points - points.mean(axis=0), 0.0)
    spread[spread == 0] = 1.0
    scaled /= spread
    # Each slope that is estimated adds to the error about as much as this takes away.
    ridge = (len(places) - 1) / n * np.eye(len(places))
    # All regressions at once: x = L D e with independent e, and the inverse of L is 1 less the slopes.
    factor = np.linalg.cholesky(scaled.T @ scaled / n + ridge)
    found = np.eye(len(places)) - np.linalg.inv(factor / factor.diagonal())
    slopes[np.ix_(places, places)] = np.tril(found, -1) * spread[:, None] / spread
    return slopes


def _unit(variable: Variable, near: NDArray[np.float64], every: NDArray[np.float64], span: float, finer: int) -> float:
    if not is_moved(variable):
        return 1.0
    known = [float(f(near)) for f in (np.median, np.max)] if len(near) else []
    least = float(np.min(every, initial=np.inf, where=every > _FINEST * span))
    wanted = _round(next((d for d in known if d > _FINEST * span), min(REACH * least, span)) / REACH)
    step = step_of(variable)
    unit, least = (max(1.0, _round(wanted / step)), 1.0) if step else (wanted, _FINEST * span)
    for _ in range(finer):
        unit = max(_round(0.4 * unit), min(unit, least))
    return unit * (step or 1.0)


def _round(number: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten from a positive number on."""
    power = 10.0 ** math.floor(math.log10(number))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= number * (1 - 1e-9))

"""A tour in a terminal, in dots of Braille characters: four rows of two in each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BLANK = 0x2800
# What the dot in row y and column x of a character adds to its code.
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


def sketch(points: NDArray[np.float64], tour: ArrayLike, *, columns: int = 40, rows: int = 12) -> list[str]:
    """Return the lines of a picture of a round trip.

    Parameters
    ----------
    points
        Coordinates, shape (n, 2).
    tour
        The order in which they are visited, shape (n,).
    columns, rows
        The most characters of a line, and the number of lines; the aspect of the points is kept.

    Examples
    --------
    >>> from llmopt.report.sketch import sketch
    >>> import numpy as np
    >>> print("\\n".join(sketch(np.array([[0, 0], [0, 1], [1, 1], [1, 0.0]]), [0, 1, 2, 3], columns=6, rows=3)))
    ⡏⠉⠉⠉⠉⢹
    ⡇⠀⠀⠀⠀⢸
    ⣇⣀⣀⣀⣀⣸
    """
    low = points.min(axis=0)
    wide, high = (points.max(axis=0) - low).tolist()
    # A dot is as wide as it is high.
    scale = min((2 * columns - 1) / (wide or 1.0), (4 * rows - 1) / (high or 1.0))
    places = (points - low) * scale
    dots = np.zeros((4 * rows, 2 * columns), dtype=np.bool_)
    order = np.asarray(tour)
    for here, there in zip(places[order], places[np.roll(order, -1)], strict=True):
        count = int(np.ceil(np.abs(there - here).max())) + 1
        x, y = np.rint(np.linspace(here, there, count)).astype(int).T
        dots[4 * rows - 1 - y, x] = True
    cells = (dots.reshape(rows, 4, columns, 2) * _DOTS[:, None, :]).sum(axis=(1, 3))
    used = int(np.ceil((places[:, 0].max() + 1) / 2))
    return ["".join(chr(_BLANK + int(code)) for code in line[:used]) for line in cells]

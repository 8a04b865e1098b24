"""What a round trip costs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmopt.errors import InvalidInput

CHUNK = 512
"""Tours whose ways fit a processor's cache."""


@dataclass(frozen=True, eq=False)
class Distances:
    """The distances between n cities, finite and not negative, and the lengths of tours.

    The triangle inequality need not hold, and different cities may be at the distance 0. The diagonal counts for
    nothing and is set to 0.

    Parameters
    ----------
    matrix
        ``matrix[i, j]`` is the way from i to j, shape (n, n), n at least 3.

    Raises
    ------
    InvalidInput
        The matrix is not such a matrix; the message names the entry.

    Examples
    --------
    >>> from llmopt.tours import Distances
    >>> square = Distances([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0]])
    >>> square.lengths([[0, 1, 2, 3], [0, 2, 1, 3]]).tolist()
    [4.0, 6.0]
    """

    matrix: NDArray[np.float64]
    symmetric: bool = field(init=False)

    def __init__(self, matrix: ArrayLike) -> None:
        checked = _checked(matrix)
        checked.flags.writeable = False
        object.__setattr__(self, "matrix", checked)
        object.__setattr__(self, "symmetric", bool(np.array_equal(checked, checked.T)))

    @property
    def n(self) -> int:
        """The number of cities."""
        return len(self.matrix)

    def lengths(self, tours: ArrayLike) -> NDArray[np.float64]:
        """Return the lengths of B closed tours, shape (B, n), as an array of shape (B,).

        Distances are added in the order of the tour, so that a tour has the same length in every batch.
        """
        orders = np.asarray(tours)
        lengths = np.empty(len(orders))
        for start in range(0, len(orders), CHUNK):
            lengths[start : start + CHUNK] = self._some(orders[start : start + CHUNK])
        return lengths

    def _some(self, orders: NDArray[np.integer]) -> NDArray[np.float64]:
        # A row for each place of the tours. The sum over rows adds one after the other, except that NumPy takes a
        # single column for a row and adds in pairs; a second one prevents that.
        columns = np.ascontiguousarray(orders.T)
        if columns.shape[1] == 1:
            columns = np.repeat(columns, 2, axis=1)
        ways = np.empty(columns.shape, dtype=np.intp)
        np.multiply(columns, self.n, out=ways)
        ways[:-1] += columns[1:]
        ways[-1] += columns[0]
        return np.asarray(np.add.reduce(self.matrix.ravel().take(ways, mode="clip"), axis=0)[: len(orders)])


def _checked(matrix: ArrayLike) -> NDArray[np.float64]:
    try:
        found = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput("a distance matrix must be a square table of numbers; an entry or a row is not") from None
    if found.ndim != 2 or found.shape[0] != found.shape[1]:
        raise InvalidInput(f"a distance matrix must be square, shape (n, n), not {found.shape}")
    if len(found) < 3:
        raise InvalidInput(f"a tour needs at least 3 cities; this distance matrix has {len(found)}")
    np.fill_diagonal(found, 0.0)
    for wrong, what in ((~np.isfinite(found), "not a finite number"), (found < 0, "negative")):
        if wrong.any():
            i, j = (int(k) for k in np.argwhere(wrong)[0])
            raise InvalidInput(f"the distance from city {i} to city {j} is {what} ({found[i, j]}); give 0 or more")
    return found

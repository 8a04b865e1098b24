"""Curves with fewer points that look the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LIMIT = 400
"""Points of a curve; on an axis of some 800 pixels no eye tells more of them."""


def kept(values: ArrayLike, limit: int = LIMIT) -> NDArray[np.int64]:
    """Return the positions at which a step function is to be drawn.

    These are the first one, the last one and every one at which the value changes. Where there are more than
    ``limit``, the axis of evaluations is divided evenly in its logarithm, and of each part the last change is kept:
    at every kept position the curve is exact, and between two of them it is off by less than the width of a part.

    Parameters
    ----------
    values
        The values after 1, 2, ... evaluations, shape (n,); equal ones in a row are a step, NaN is equal to NaN.
    limit
        At least 3.

    Returns
    -------
    ndarray
        Rising, at most ``limit`` of them.

    Examples
    --------
    >>> kept([9.0, 9.0, 4.0, 4.0, 4.0]).tolist()
    [0, 2, 4]
    """
    curve = np.asarray(values, dtype=np.float64)
    if not len(curve):
        return np.empty(0, dtype=np.int64)
    before, after = curve[:-1], curve[1:]
    changed = (before != after) & ~(np.isnan(before) & np.isnan(after))
    changes = np.flatnonzero(np.concatenate([[True], changed]))
    last = len(curve) - 1
    if len(changes) + 1 > limit:
        # The first and the last position have their places beside the parts.
        part = np.floor(np.log(changes + 1.0) / np.log(last + 2.0) * (limit - 2))
        changes = changes[np.append(part[:-1] != part[1:], True)]
    return np.unique(np.concatenate([[0], changes, [last]]))


def grid(longest: int, limit: int = LIMIT) -> NDArray[np.int64]:
    """Return numbers of evaluations from 1 to ``longest``, evenly spaced in their logarithm; all where they are few.

    Examples
    --------
    >>> grid(5).tolist()
    [1, 2, 3, 4, 5]
    >>> len(grid(1_000_000, 50)) <= 50
    True
    """
    if longest <= limit:
        return np.arange(1, longest + 1)
    return np.unique(np.rint(np.geomspace(1, longest, limit)).astype(np.int64))

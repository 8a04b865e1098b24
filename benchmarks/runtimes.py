"""How many evaluations it takes to reach targets: hitting times, expected running time, empirical distribution.

Hansen, Auger, Ros, Mersmann, Tusar and Brockhoff, "COCO: a platform for comparing continuous optimizers in a black-box
setting" (2021), section 4.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def hitting_times(losses: ArrayLike, targets: ArrayLike) -> NDArray[np.float64]:
    """Return the number of the first evaluation of a run whose loss is at most each target, infinite where none is.

    Parameters
    ----------
    losses
        Those of the run in the order of its evaluations, shape (n,); NaN where there is none.
    targets
        Shape (t,).

    Returns
    -------
    ndarray
        Shape (t,), counted from 1.

    Examples
    --------
    >>> hitting_times([5.0, 3.0, 4.0, 1.0], [3.0, 2.0, 0.0]).tolist()
    [2.0, 4.0, inf]
    """
    values = np.asarray(losses, dtype=np.float64)
    best = np.minimum.accumulate(np.where(np.isnan(values), np.inf, values))
    # The best so far never rises, so that the first one that is low enough is found by bisection.
    first = np.searchsorted(-best, -np.asarray(targets, dtype=np.float64), side="left")
    return np.where(first < len(best), first + 1.0, np.inf)


def ert(times: ArrayLike, evaluations: ArrayLike) -> float:
    """Return the expected running time: the evaluations of all runs, failures included, for each success.

    Parameters
    ----------
    times
        The hitting time of each run for one target, shape (r,), infinite where it failed.
    evaluations
        What each run spent in all, shape (r,); of a run that succeeded the hitting time counts instead.

    Returns
    -------
    float
        Infinite without a success.

    Examples
    --------
    >>> ert([10, np.inf, 20], [100, 100, 100])
    65.0
    """
    hits = np.asarray(times, dtype=np.float64)
    successes = np.isfinite(hits)
    if not successes.any():
        return math.inf
    return float(np.where(successes, hits, np.asarray(evaluations)).sum() / successes.sum())


def ecdf(times: ArrayLike, at: ArrayLike) -> NDArray[np.float64]:
    """Return the share of all pairs of a run and a target that are reached by each number of evaluations.

    Parameters
    ----------
    times
        Hitting times, shape (runs, targets).
    at
        Numbers of evaluations, shape (e,).

    Returns
    -------
    ndarray
        Shape (e,), never decreasing in ``at``.

    Examples
    --------
    >>> ecdf([[1, 4], [2, np.inf]], [1, 2, 5]).tolist()
    [0.25, 0.5, 0.75]
    """
    known = np.sort(np.asarray(times, dtype=np.float64).ravel())
    return np.searchsorted(known, np.asarray(at, dtype=np.float64), side="right") / len(known)

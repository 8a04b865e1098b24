"""How many evaluations it takes to reach targets: hitting times, expected running time, empirical distribution.

A runtime is a number of evaluations. One of a target that was not reached is infinite.

Hansen, Auger, Ros, Mersmann, Tusar and Brockhoff, "COCO: a platform for comparing continuous optimizers in a black-box
setting" (2021), section 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmopt.history import running_best

RESAMPLES = 2_000
"""Of every bootstrap."""
RESTARTS = 1_000
"""Runtimes with restarts for each target, at least."""
FEWEST = 5
"""With fewer runs, or pairs of runs, no bootstrap interval is claimed."""
_BLOCK = 1_000_000


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
    best = running_best(np.asarray(losses, dtype=np.float64))
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
    spent, success = charged(times, evaluations)
    return float(spent.sum() / success.sum()) if success.any() else math.inf


def charged(times: ArrayLike, evaluations: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return what each run counts with in :func:`ert`, whose arguments these are, and whether it is a success."""
    hits = np.asarray(times, dtype=np.float64)
    success = np.isfinite(hits)
    return np.where(success, hits, np.asarray(evaluations, dtype=np.float64)), success


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


def quantiles(values: ArrayLike, shares: ArrayLike) -> NDArray[np.float64]:
    """Return quantiles of values that may be infinite, such as runtimes; of others those of :func:`numpy.quantile`.

    Parameters
    ----------
    values
        Shape (n,), at least one.
    shares
        From 0 to 1, shape (q,).

    Returns
    -------
    ndarray
        Shape (q,). The median is infinite where half of the values are.

    Examples
    --------
    >>> quantiles([3, 1, np.inf, 2, np.inf], [0.25, 0.5, 0.75]).tolist()
    [2.0, 3.0, inf]
    """
    known = np.sort(np.asarray(values, dtype=np.float64))
    place = np.asarray(shares, dtype=np.float64) * (len(known) - 1)
    below, above = np.floor(place).astype(np.intp), np.ceil(place).astype(np.intp)
    low, high = known[below], known[above]
    with np.errstate(invalid="ignore"):
        between = low + (place - below) * (high - low)
    return np.where(low == high, low, between)


def ert_interval(
    times: ArrayLike, evaluations: ArrayLike, rng: np.random.Generator, level: float = 0.95
) -> tuple[float, float]:
    """Return an interval of the expected running time: percentiles of the bootstrap over runs.

    Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), section 13.3. A resample without a success has an
    infinite running time and counts as such, so that few successes make the upper end infinite. It says nothing for
    a handful of runs: of one run, both ends are its own.

    Parameters
    ----------
    times, evaluations
        As for :func:`ert`, shape (r,).
    rng
        Draws the resamples; the order of the runs does not count.
    level
        The share of the resamples that lies within.

    Returns
    -------
    low, high
        In evaluations; ends are those of resamples, outwards.

    Examples
    --------
    >>> ert_interval([10, 20, 30, 40, 50], [100] * 5, np.random.default_rng(0))
    (18.0, 42.0)
    """
    spent, success = charged(times, evaluations)
    order = np.lexsort((spent, success))
    return ends(resampled_ert(spent[order], success[order], rng), level)


def resampled_ert(
    spent: NDArray[np.float64], success: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the expected running time of each of :data:`RESAMPLES` bootstrap resamples of runs.

    Parameters
    ----------
    spent, success
        As :func:`charged` returns them, shape (r,) or (r, k): of k solvers, whose runs are drawn in pairs.
    rng
        Draws the resamples.

    Returns
    -------
    ndarray
        Shape (RESAMPLES,) or (RESAMPLES, k).
    """
    runs = len(spent)
    rows = max(1, _BLOCK // spent.size)
    blocks = [min(rows, RESAMPLES - begin) for begin in range(0, RESAMPLES, rows)]
    return np.concatenate([_ert_of(spent, success, rng.integers(runs, size=(block, runs))) for block in blocks])


def _ert_of(spent: NDArray[np.float64], success: NDArray[np.bool_], drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    total, successes = spent[drawn].sum(axis=1), success[drawn].sum(axis=1)
    found = np.full(total.shape, np.inf)
    np.divide(total, successes, out=found, where=successes > 0)
    return found


def ends(resampled: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """Return the percentiles between which a share ``level`` of the resampled values lies, outwards.

    One that is undefined (NaN) may be anything: it counts as the smallest for the lower end, as the largest for the
    upper one.
    """
    tail, undefined = (1 - level) / 2, np.isnan(resampled)
    low = np.quantile(np.where(undefined, -np.inf, resampled), tail, method="lower")
    high = np.quantile(np.where(undefined, np.inf, resampled), 1 - tail, method="higher")
    return float(low), float(high)


def simulated_restarts(times: ArrayLike, evaluations: ArrayLike, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what a solver needs for each target that is restarted until it reaches it.

    After a run that failed, others are drawn at random from all runs until one succeeds, and their evaluations add
    up: Hansen et al. (2021), section 4. The mean of these runtimes is :func:`ert`. As in cocopp, every run is the first
    equally often, so that nothing is random about a target that all runs reach.

    Parameters
    ----------
    times
        Hitting times, shape (r, t).
    evaluations
        What each run spent in all, shape (r,).
    rng
        Draws the further runs.

    Returns
    -------
    ndarray
        Shape (s, t), where s is the smallest multiple of r of at least :data:`RESTARTS`; infinite where no run reached
        the target.

    Examples
    --------
    >>> found = simulated_restarts([[10], [np.inf]], [10, 100], np.random.default_rng(0))
    >>> np.unique(found)[:4].tolist(), ert([10, np.inf], [10, 100])
    ([10.0, 110.0, 210.0, 310.0], 110.0)
    """
    hits, spent = np.asarray(times, dtype=np.float64), np.asarray(evaluations, dtype=np.float64)
    copies = -(-RESTARTS // len(spent))
    return np.column_stack([_restarted(column, spent, copies, rng) for column in hits.T])


def _restarted(
    hits: NDArray[np.float64], spent: NDArray[np.float64], copies: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    success = np.isfinite(hits)
    total = np.repeat(hits, copies)
    failed = np.isinf(total)
    if not success.any() or not failed.any():
        return total
    # How many runs fail before one succeeds is geometric; which ones they are, multinomial over what they spent.
    lengths, counts = np.unique(spent[~success], return_counts=True)
    further = rng.geometric(success.mean(), failed.sum()) - 1
    more = rng.multinomial(further, counts / counts.sum()) @ lengths
    total[failed] = np.repeat(spent, copies)[failed] + more + rng.choice(hits[success], len(more))
    return total


def runtime_profile(
    problems: Sequence[tuple[ArrayLike, ArrayLike]], at: ArrayLike, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the share of all pairs of a problem and a target that a solver has reached by numbers of evaluations.

    The empirical distribution of runtimes with simulated restarts of COCO: Hansen et al. (2021), section 4.

    Parameters
    ----------
    problems
        For each problem the hitting times, shape (r, t), and what the runs spent, shape (r,).
    at
        Numbers of evaluations, shape (e,).
    rng
        See :func:`simulated_restarts`.

    Returns
    -------
    ndarray
        Shape (e,), from 0 to 1 and never decreasing in ``at``. Every pair weighs the same, however many runs it has.

    Examples
    --------
    >>> sphere = ([[3, 9], [5, 7]], [9, 7])
    >>> runtime_profile([sphere], [1, 3, 5, 7, 9], np.random.default_rng(0)).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    found = [simulated_restarts(times, evaluations, rng) for times, evaluations in problems]
    return np.average([ecdf(runtimes, at) for runtimes in found], axis=0, weights=[r.shape[1] for r in found])

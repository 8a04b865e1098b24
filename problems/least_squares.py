"""Sums of squared residuals, and where exactly in a box they are smallest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NODES = 200_000
DEPTH = 200
"""Partial assignments, and coefficients, beyond which :meth:`SumOfSquares.best_integers` gives up: about a second."""


class SumOfSquares:
    """The loss f(c) = sum((y - A c)**2) as a function of the coefficients c.

    With A = Q R (QR factorization) and residuals r at a centre m, f(c) = f_min + ||R (c - m) - Q'r||**2: a sum
    of terms that are not negative, so that nothing cancels, at a cost that does not grow with the number of
    rows (Golub and Van Loan, "Matrix Computations", 4th edition, section 5.3.3).

    Parameters
    ----------
    design
        A, shape (rows, k), of full column rank.
    response
        y, shape (rows,).
    integer
        The coefficients are whole numbers; then so is the centre, which makes a perfect fit give 0 exactly.
    """

    def __init__(self, design: Floats, response: Floats, *, integer: bool) -> None:
        q, self.factor = np.linalg.qr(design)
        centre = np.linalg.solve(self.factor, q.T @ response)
        self.centre: Floats = np.rint(centre) if integer else centre
        residuals = response - design @ self.centre
        self.offset: Floats = q.T @ residuals
        self.smallest = float(np.sum((residuals - q @ self.offset) ** 2))

    def __call__(self, coefficients: Sequence[NDArray[Any]]) -> Floats:
        """Return the losses of B solutions, given one array of shape (B,) per coefficient.

        Only element-wise operations are used, so that a solution's loss does not depend on its batch.
        """
        deviations = [values - middle for values, middle in zip(coefficients, self.centre, strict=True)]
        losses = np.full(len(deviations[0]), self.smallest)
        for i, row in enumerate(self.factor):
            term = row[i] * deviations[i] - self.offset[i]
            for j in range(i + 1, len(row)):
                term += row[j] * deviations[j]
            losses += np.square(term, out=term)
        return losses

    def best_reals(self, low: float, high: float) -> Floats:
        """Return the coefficients in [low, high] with the smallest loss, to rounding."""
        free = self.centre + np.linalg.solve(self.factor, self.offset)
        if low == high or np.all((low <= free) & (free <= high)):
            return np.clip(free, low, high)
        from scipy.optimize import lsq_linear

        # The active-set method ends at the exact solution after finitely many steps; by default it stops after k.
        steps = 1000 * len(free)
        response = self.factor @ free
        fit = lsq_linear(self.factor, response, bounds=(low, high), method="bvls", tol=1e-14, max_iter=steps)
        return np.clip(np.asarray(fit.x, dtype=np.float64), low, high)

    def best_integers(self, low: int, high: int, nodes: int = NODES) -> list[int] | None:
        """Return the whole coefficients in [low, high] with the smallest loss, or None.

        None means that the search was given up, after ``nodes`` trials or because there are over 200 coefficients.

        A depth-first search from the last coefficient to the first that tries values outwards from the best
        one, after Schnorr and Euchner ("Lattice basis reduction", Mathematical Programming 66, 1994, section 3).
        Around the best real point p of the box, with gradient g there, f(c) - f(p) is the sum over i of
        (R (c - p))_i**2 + g_i (c_i - p_i). In the box no term is negative, and term i knows c_i, .., c_k only: the
        sum so far bounds every completion from below, also where the free minimum lies outside the box.
        """
        if len(self.centre) > DEPTH:
            return None
        point = self.best_reals(low, high)
        gradient = 2 * self.factor.T @ (self.factor @ (point - self.centre) - self.offset)
        gradient = np.where(point <= low, np.maximum(gradient, 0), np.where(point >= high, np.minimum(gradient, 0), 0))
        factor, slope, middle = self.factor.tolist(), gradient.tolist(), point.tolist()
        k = len(middle)
        chosen = [0] * k
        best: list[int] | None = None
        best_excess = math.inf

        def search(i: int, excess: float) -> None:
            nonlocal best, best_excess, nodes
            row = factor[i]
            shift = sum(row[j] * (chosen[j] - middle[j]) for j in range(i + 1, k))
            lowest = middle[i] - shift / row[i] - slope[i] / (2 * row[i] ** 2)
            for value in _outwards(lowest, low, high):
                step = value - middle[i]
                total = excess + (row[i] * step + shift) ** 2 + slope[i] * step
                if total >= best_excess or nodes <= 0:
                    return
                nodes -= 1
                chosen[i] = value
                if i:
                    search(i - 1, total)
                else:
                    best, best_excess = chosen.copy(), total

        search(k - 1, 0.0)
        return best if nodes > 0 else None


def _outwards(centre: float, low: int, high: int) -> Iterator[int]:
    """Yield the whole numbers of [low, high], the nearest to ``centre`` first."""
    below = math.floor(min(max(centre, low - 1), high))
    above = below + 1
    while below >= low or above <= high:
        if above > high or (below >= low and centre - below <= above - centre):
            yield below
            below -= 1
        else:
            yield above
            above += 1

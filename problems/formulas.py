"""Test functions of numerical optimization: formula, domain, known optimum, source.

Each formula takes points as columns, shape (d, B), and gives B values. Sums over variables are taken one after
the other (``sum``, not ``np.sum``, whose order depends on B), so that a value does not depend on the batch.
Every minimum given here is the minimum over all of R^d, not only over the domain: what lets the domain be moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Formula:
    """A function, the box in which it is minimized, and its known minimum.

    Parameters
    ----------
    value
        From points, shape (d, B), to values, shape (B,).
    box
        Bounds (low, high) of the variables, shape (d, 2).
    minimizers
        Points of the box with the smallest value, shape (m, d).
    minimum
        That value.
    source
        Where the function is from.
    """

    value: Callable[[Floats], Floats]
    box: Floats
    minimizers: Floats
    minimum: float
    source: str


def sphere(dim: int) -> Formula:
    """Return the sum of squares: one basin, all directions alike."""

    def value(x: Floats) -> Floats:
        return _sum(x**2)

    source = "De Jong, An analysis of the behavior of a class of genetic adaptive systems, thesis, 1975, function F1"
    return Formula(value, np.array([[-5.12, 5.12]] * dim), np.zeros((1, dim)), 0.0, source)


def rosenbrock(dim: int, a: float = 1.0, b: float = 100.0) -> Formula:
    """Return sum((a - x_i)**2 + b (x_{i+1} - x_i**2)**2) over i < d: a curved, flat valley.

    The minimum is 0 at (a, a**2), and for a = 1 at (1, .., 1) with any d; for other a, no point with d > 2 makes
    every term zero. The usual box is [-5, 10]; where a is not 1, it is [-2 r, 2 r] x [-2 r**2, 2 r**2] with
    r = max(1, |a|), which holds the optimum: for the paper's a = 20, b = 1 (OPRO, arXiv 2309.03409, appendix A)
    [-40, 40] x [-800, 800] with (20, 400).
    """

    def value(x: Floats) -> Floats:
        return _sum((a - x[:-1]) ** 2 + b * (x[1:] - x[:-1] ** 2) ** 2)

    r = max(1.0, abs(a))
    if a == 1:
        box, minimizer = np.array([[-5.0, 10.0]] * dim), np.ones(dim)
    else:
        box, minimizer = np.array([[-2 * r, 2 * r], [-2 * r**2, 2 * r**2]]), np.array([a, a**2])
    source = (
        "Rosenbrock, An automatic method for finding the greatest or least value of a function, "
        "The Computer Journal 3 (1960) 175-184"
    )
    return Formula(value, box, minimizer[None], 0.0, source)


def rastrigin(dim: int) -> Formula:
    """Return 10 d + sum(x_i**2 - 10 cos(2 pi x_i)): a grid of local minima."""

    def value(x: Floats) -> Floats:
        return _sum(x**2 + 10 * (1 - np.cos(2 * np.pi * x)))

    source = (
        "Rastrigin, Systems of extremal control, 1974; for any d Muehlenbein, Schomisch and Born, The parallel genetic "
        "algorithm as function optimizer, Parallel Computing 17 (1991) 619-632"
    )
    return Formula(value, np.array([[-5.12, 5.12]] * dim), np.zeros((1, dim)), 0.0, source)


def ackley(dim: int) -> Formula:
    """Return -20 exp(-0.2 rms(x)) - exp(mean(cos(2 pi x_i))) + 20 + e: a funnel in a nearly flat, rough plain."""

    def value(x: Floats) -> Floats:
        spread = np.sqrt(_sum(x**2) / dim)
        waves = _sum(np.cos(2 * np.pi * x)) / dim
        return np.asarray(20 * (1 - np.exp(-0.2 * spread)) + (np.e - np.exp(waves)))

    source = "Ackley, A connectionist machine for genetic hillclimbing, 1987"
    return Formula(value, np.array([[-32.768, 32.768]] * dim), np.zeros((1, dim)), 0.0, source)


def branin() -> Formula:
    """Return (x2 - 5.1 x1**2 / (4 pi**2) + 5 x1 / pi - 6)**2 + 10 (1 - 1 / (8 pi)) cos(x1) + 10: three equal optima.

    The square is 0 and the cosine -1 at the optima, so that the minimum 10 / (8 pi) holds everywhere.
    """
    weight = 10 * (1 - 1 / (8 * np.pi))

    def value(x: Floats) -> Floats:
        x1, x2 = x
        bend = x2 - 5.1 / (4 * np.pi**2) * x1**2 + 5 / np.pi * x1 - 6
        return np.asarray(bend**2 + weight * np.cos(x1) + 10)

    source = (
        "Branin, Widely convergent method for finding multiple solutions of simultaneous nonlinear equations, "
        "IBM Journal of Research and Development 16 (1972) 504-522; "
        "box of Dixon and Szegoe, Towards global optimisation 2, 1978"
    )
    minimizers = np.array([[-np.pi, 12.275], [np.pi, 2.275], [3 * np.pi, 2.475]])
    return Formula(value, np.array([[-5.0, 10.0], [0.0, 15.0]]), minimizers, 10 / (8 * np.pi), source)


_HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
_HARTMANN_STEEPNESS = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_HARTMANN_CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6() -> Formula:
    """Return -sum(w_i exp(-sum(A_ij (x_j - P_ij)**2))) over four wells, in six variables.

    Where the gradient is zero, each x_j is a mean of the P_ij with positive weights, which lie in [0, 1]: no
    point outside the box is lower. The minimum was refined by Newton's method from the published digits.
    """

    def value(x: Floats) -> Floats:
        wells = [
            weight * np.exp(-_sum(steepness[:, None] * (x - centre[:, None]) ** 2))
            for weight, steepness, centre in zip(_HARTMANN_WEIGHTS, _HARTMANN_STEEPNESS, _HARTMANN_CENTRES, strict=True)
        ]
        return -_sum(wells)

    source = (
        "Hartman, Some experiments in global optimization, Naval Research Logistics Quarterly 20 (1973) 569-576; "
        "Dixon and Szegoe, Towards global optimisation 2, 1978"
    )
    minimizer = np.array(
        [
            0.20168951100670543,
            0.15001069182345797,
            0.47687397422189703,
            0.2753324304940561,
            0.31165161660011326,
            0.6573005340656204,
        ]
    )
    return Formula(value, np.array([[0.0, 1.0]] * 6), minimizer[None], -3.322368011415515, source)


def _sum(terms: Floats | Sequence[Floats]) -> Floats:
    """Return the sum over the first axis, added in order."""
    return np.asarray(sum(terms[1:], terms[0]))

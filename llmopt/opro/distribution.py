"""The search distribution of CMA-ES in the relaxation of a vector, into which points of others are injected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.space.relaxation import Points, Relaxation

SIGMA = 0.2
"""The first step size, as a share of each variable's range."""
_LEAST_STRETCH = 1e-9
FEWEST, MOST = 4, 1024
"""Points in a generation: with fewer there is little to recombine, with more there is little but random search."""


@dataclass(frozen=True)
class Shape:
    """How a distribution lies.

    Attributes
    ----------
    deviations
        The standard deviation along each coordinate, in units of the relaxation; shape (d,).
    correlations
        From -1 to 1, shape (d, d).
    """

    deviations: Points
    correlations: NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """Points of a distribution.

    Attributes
    ----------
    shown
        What is evaluated: coordinates of whole numbers and choices are those of a value; shape (n, d).
    told
        The draws themselves, which the distribution learns from; shape (n, d).
    """

    shown: Points
    told: Points


class Distribution:
    """CMA-ES with margin and restarts.

    The package cmaes has the strategy (Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772) and the
    margin, which keeps whole numbers and choices from freezing (Hamano et al., "CMA-ES with Margin", arXiv 2205.13482).
    Restarts are those of Auger and Hansen ("A restart CMA evolution strategy with increasing population size",
    CEC 2005): at a random point with twice the population.

    Parameters
    ----------
    relaxation
        With the whole range as its unit.
    mean
        Where it begins, shape (d,), with a step size of a fifth of each range.
    batch
        How many points are usually told at a time. The first population is the smallest multiple of it that is at
        least 4; points are collected until there are as many.
    rng
        Draws the seeds and points of restarts.

    Attributes
    ----------
    population
        Points in a generation.
    """

    def __init__(self, relaxation: Relaxation, mean: Points, batch: int, rng: np.random.Generator) -> None:
        self._relaxation = relaxation
        self._rng = rng
        self.population = batch * -(-FEWEST // batch)
        self._begin(mean)

    def _begin(self, mean: Points) -> None:
        # Here, since it loads SciPy's statistics, which take most of a second.
        from cmaes import CMAwM

        width, step = self._relaxation.width, self._relaxation.lattice
        # The strategy counts values from their own places, the relaxation from the edge of the first one's part.
        bounds = np.column_stack([step / 2, width - step / 2])
        self._strategy = CMAwM(
            mean=np.clip(mean, *bounds.T),
            sigma=SIGMA,
            bounds=bounds,
            steps=step,
            population_size=self.population,
            seed=int(self._rng.integers(2**31)),
        )
        self._points: list[tuple[Points, float]] = []

    def restart(self) -> None:
        """Begin again at a random point, with twice the population up to a limit."""
        self.population = max(self.population, min(2 * self.population, MOST))
        self._begin(self._relaxation.uniform(1, self._rng)[0])

    @property
    def shape(self) -> Shape:
        """How it lies now."""
        covariance = self._cma._C
        deviations = np.sqrt(np.diag(covariance))
        return Shape(self._cma._sigma * self._stretch * deviations, covariance / np.outer(deviations, deviations))

    @property
    def reach(self) -> float:
        """How many standard deviations from the mean a point of another source may lie to count as it is.

        The parameter c_y of Hansen, "Injecting external solutions into CMA-ES", arXiv 1110.4181.
        """
        d = self._relaxation.dimension
        return float(np.sqrt(d) + 2 * d / (d + 2))

    def draw(self, n: int) -> Drawn:
        """Draw ``n`` points."""
        pairs = np.array([self._strategy.ask() for _ in range(n)]).reshape(n, 2, self._relaxation.dimension)
        return Drawn(pairs[:, 0], pairs[:, 1])

    def distances(self, points: Points) -> NDArray[np.float64]:
        """Return how many standard deviations points, shape (n, d), lie from the mean: Mahalanobis distances."""
        axes, lengths = self._cma._eigen_decomposition()
        moves = (points - self._strategy.mean) / (self._cma._sigma * self._stretch)
        return np.asarray(np.linalg.norm(moves @ axes / lengths, axis=1))

    def injected(self, points: Points) -> Points:
        """Return points of another source, shape (n, d), as the distribution may be told of them.

        One beyond its reach is drawn towards the mean, so that it cannot tear the distribution apart, and shows the
        direction all the same (Hansen, arXiv 1110.4181: the clipping of y_i).
        """
        mean = self._strategy.mean
        far = np.maximum(self.distances(points) / self.reach, 1.0)
        return np.asarray(mean + (points - mean) / (far[:, None] * self._stretch))

    def tell(self, points: Points, losses: NDArray[np.float64]) -> None:
        """Learn the finite losses, shape (n,), of points drawn here or injected; begin again where it has converged."""
        self._points += zip(points, losses.tolist(), strict=True)
        while len(self._points) >= self.population:
            generation, self._points = self._points[: self.population], self._points[self.population :]
            self._strategy.tell(generation)
        if self._strategy.should_stop():
            self.restart()

    @property
    def _cma(self) -> Any:
        # The package has no public access to the step size and the covariance.
        return self._strategy._cma

    @property
    def _stretch(self) -> Points:
        """What the margin stretches coordinates of whole numbers and choices by, shape (d,)."""
        ones = np.ones(self._relaxation.dimension)
        # A mean on the border of a value's part makes the package's factor 0.
        return np.maximum(getattr(self._strategy, "_A", ones), _LEAST_STRETCH)

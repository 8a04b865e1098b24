"""Lengths of tours, and exact methods."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np

from llmopt.benchmarks.perf.row import Row
from llmopt.problems.tsp import tsp
from llmopt.tours import Distances
from llmopt.tours.held_karp import held_karp
from llmopt.tours.subtours import subtour_cuts

CITIES = 50
SMALL, LARGE = 15, 18
REPEATS = 5


@dataclass(frozen=True)
class TourCost:
    """Seconds: of the length of one tour of 50 cities in a batch, of dynamic programming for 15 and 18 cities, and of
    integer programming for 50; medians of five random instances (of the length: the best of five batches)."""

    tours: int
    length: float
    small: float
    large: float
    cuts: float

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        return [
            Row(f"length of a tour of {CITIES} cities, in a batch", self.length * 1e6, "us each", limit=0.25),
            Row(f"shortest of {SMALL} cities, dynamic programming", self.small, "s", limit=1.0),
            Row(f"shortest of {LARGE} cities, dynamic programming", self.large, "s", limit=15.0),
            Row(f"shortest of {CITIES} cities, integer programming", self.cuts, "s", limit=2.0),
        ]


def measure(*, quick: bool = False) -> TourCost:
    """Time each on random instances."""
    tours, repeats = (10_000, 1) if quick else (1_000_000, REPEATS)
    rng = np.random.default_rng(0)
    orders = rng.permuted(np.tile(np.arange(CITIES, dtype=np.int32), (tours, 1)), axis=1)
    lengths: list[float] = []
    small: list[float] = []
    large: list[float] = []
    cuts: list[float] = []
    for instance in range(repeats):
        fifty = _distances(CITIES, instance)
        began = time.perf_counter()
        fifty.lengths(orders)
        lengths.append((time.perf_counter() - began) / tours)
        for seconds, method, distances in (
            (small, held_karp, _distances(SMALL, instance)),
            (large, held_karp, _distances(LARGE, instance)),
            (cuts, subtour_cuts, fifty),
        ):
            began = time.perf_counter()
            method(distances)
            seconds.append(time.perf_counter() - began)
    return TourCost(tours, min(lengths), *map(statistics.median, (small, large, cuts)))


def _distances(n: int, instance: int) -> Distances:
    return tsp(n=n, instance=instance, optimum="none").structure

"""The shortest tour by dynamic programming over subsets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.tours.distances import Distances

LARGEST = 20
"""More cities would need more than 100 MB; the time grows by a factor of 2.2 a city."""


def held_karp(distances: Distances) -> NDArray[np.int32]:
    """Return a shortest tour, shape (n,), from city 0; symmetric or not.

    Held and Karp, "A dynamic programming approach to sequencing problems" (1962), section 2: the shortest way from the
    start through a set of cities to its last one extends the shortest ways of the set without it. Sets of equal size
    are computed together. Time and memory are of order n**2 2**n and n 2**n.

    Raises
    ------
    InvalidInput
        There are more than :data:`LARGEST` cities.

    Examples
    --------
    >>> from llmopt.tours import Distances
    >>> from llmopt.tours.held_karp import held_karp
    >>> held_karp(Distances([[0, 2, 9], [1, 0, 6], [15, 7, 0]])).tolist()
    [0, 2, 1]
    """
    n, matrix = distances.n, distances.matrix
    if n > LARGEST:
        raise InvalidInput(f"dynamic programming is for at most {LARGEST} cities, not {n}; use milp")
    last = n - 1
    # Set s, a bit for each city 1 .. n-1; ways[s, j] ends at city j + 1.
    ways = np.full((2**last, last), np.inf)
    ways[2 ** np.arange(last), np.arange(last)] = matrix[0, 1:]
    between = matrix[1:, 1:]
    sets = np.arange(2**last)
    sizes = np.bitwise_count(sets)
    for size in range(2, n):
        level = sets[sizes == size]
        for j in range(last):
            ending = level[(level >> j) & 1 == 1]
            ways[ending, j] = (ways[ending ^ (1 << j)] + between[:, j]).min(axis=1)
    tour = [int(np.argmin(ways[-1] + matrix[1:, 0]))]
    left = 2**last - 1
    while len(tour) < last:
        left ^= 1 << tour[-1]
        tour.append(int(np.argmin(ways[left] + between[:, tour[-1]])))
    return np.array([0, *(city + 1 for city in reversed(tour))], dtype=np.int32)

"""Steepest descent over 2-opt and Or-opt moves, with every evaluated move counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt.tours.distances import Distances

Tour = NDArray[np.int32]
LONGEST_SEGMENT = 3
SMALLEST_GAIN = 1e-9
"""As a share of the tour's length; less is rounding."""


@dataclass(frozen=True)
class Descent:
    """A tour that no move shortens, and how many moves were evaluated on the way to it."""

    tour: Tour
    moves: int


def local_search(distances: Distances, tour: Tour, limit: int | None = None) -> Descent:
    """Apply the best of all 2-opt and Or-opt moves until none shortens the tour.

    2-opt (Croes 1958) reverses a part of the tour; Or-opt (Or 1976) moves one to three neighbouring cities elsewhere,
    in either direction. Where distances are not symmetric, the changed direction of the reversed part is counted.

    Parameters
    ----------
    distances
        Between n cities.
    tour
        Where to begin, shape (n,).
    limit
        Stop before more moves than this would be evaluated; None: at a local optimum.
    """
    tour = np.array(tour, dtype=np.int32)
    moves = 0
    while True:
        cost = number_of_moves(distances.n)
        if limit is not None and moves + cost > limit:
            return Descent(tour, moves)
        moves += cost
        better = _best_neighbour(distances, tour)
        if better is None:
            return Descent(tour, moves)
        tour = better


def descend(distances: Distances, tours: NDArray[np.integer]) -> tuple[NDArray[np.int32], int]:
    """Return the local optimum of each tour, shape (B, n), and how many moves were evaluated in all."""
    descents = [local_search(distances, tour) for tour in tours.astype(np.int32)]
    found = [descent.tour for descent in descents]
    return np.array(found, dtype=np.int32).reshape(tours.shape), sum(descent.moves for descent in descents)


def number_of_moves(n: int) -> int:
    """Return how many moves a pass over the neighbourhood evaluates."""
    segments = sum(2 * n * (n - length - 1) for length in range(1, min(LONGEST_SEGMENT, n - 3) + 1))
    return n * (n - 1) // 2 + segments


def _best_neighbour(distances: Distances, tour: Tour) -> Tour | None:
    matrix, n = distances.matrix, distances.n
    ways = matrix[tour[:, None], tour[None, :]]
    smallest = -SMALLEST_GAIN * float(np.trace(np.roll(ways, -1, axis=1)))
    best, found = smallest, None
    gain, (i, j) = _two_opt(ways)
    if gain < best:
        best, found = gain, np.concatenate([tour[:i], tour[i : j + 1][::-1], tour[j + 1 :]])
    for length in range(1, min(LONGEST_SEGMENT, n - 3) + 1):
        gain, (i, j, backwards) = _or_opt(ways, length)
        if gain < best:
            best = gain
            rolled = np.roll(tour, -i)
            segment, rest = rolled[:length], rolled[length:]
            segment = segment[::-1] if backwards else segment
            found = np.concatenate([rest[: j + 1], segment, rest[j + 1 :]])
    return found


def _two_opt(ways: NDArray[np.float64]) -> tuple[float, tuple[int, int]]:
    """Return the best change of length, and the first and last place of the part to reverse.

    ``ways`` are the distances between the places of the tour.
    """
    n = len(ways)
    places = np.arange(n)
    ahead = ways[places, (places + 1) % n]
    behind = ways[(places + 1) % n, places]
    # inside[j] - inside[i] is what reversing places i .. j adds inside; 0 where distances are symmetric.
    inside = np.concatenate([[0.0], np.cumsum(behind - ahead)[:-1]])
    before = places - 1
    change = (
        ways[before][:, places]
        + np.roll(ways, -1, axis=1)
        - ahead[before][:, None]
        - ahead[None, :]
        + (inside[None, :] - inside[:, None])
    )
    # To reverse the whole tour is no move of two ways.
    i, j = np.triu_indices(n, 1)
    keep = (i > 0) | (j < n - 1)
    i, j = i[keep], j[keep]
    best = int(np.argmin(change[i, j]))
    return float(change[i[best], j[best]]), (int(i[best]), int(j[best]))


def _or_opt(ways: NDArray[np.float64], length: int) -> tuple[float, tuple[int, int, bool]]:
    """Return the best change of length, the first place of the segment, after which of the remaining places (counted
    from the one behind the segment) it goes, and whether backwards."""
    n = len(ways)
    first = np.arange(n)
    final = (first + length - 1) % n
    rest = n - length
    # Places of the remaining cities, from the one behind the segment; the last gap is where the segment comes from.
    left = (first[:, None] + length + np.arange(rest - 1)[None, :]) % n
    right = (left + 1) % n
    before, behind = (first - 1) % n, (first + length) % n
    out = ways[before, behind] - ways[before, first] - ways[final, behind]
    gap = ways[left, right]
    ahead = ways[left, first[:, None]] + ways[final[:, None], right] - gap
    turned = sum(
        (
            ways[(first + k + 1) % n, (first + k) % n] - ways[(first + k) % n, (first + k + 1) % n]
            for k in range(length - 1)
        ),
        start=np.zeros(n),
    )
    back = ways[left, final[:, None]] + ways[first[:, None], right] - gap + turned[:, None]
    changes = np.stack([ahead, back]) + out[None, :, None]
    backwards, i, j = (int(k) for k in np.unravel_index(int(np.argmin(changes)), changes.shape))
    return float(changes[backwards, i, j]), (i, j, bool(backwards))

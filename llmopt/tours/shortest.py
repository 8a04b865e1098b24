"""The shortest tour, found once for each matrix of distances."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llmopt.tours.distances import Distances
from llmopt.tours.held_karp import held_karp
from llmopt.user_cache import user_cache

DYNAMIC = 12
"""Up to so many cities dynamic programming is the quicker one."""


def checksum(distances: Distances) -> str:
    """Return the SHA-256 of a matrix, by which its shortest tour is kept."""
    return hashlib.sha256(distances.matrix.astype("<f8").tobytes()).hexdigest()


def shortest_tour(distances: Distances, *, find: bool = True) -> NDArray[np.int32] | None:
    """Return a shortest tour, shape (n,): the one that is kept in the user's cache, or a new one, which is then kept.

    Parameters
    ----------
    distances
        Between n cities.
    find
        Search where none is kept: by dynamic programming for few cities, else by integer programming, which takes
        seconds for 100 cities and may take hours for more. Otherwise return None then.
    """
    path = user_cache() / "tours" / f"{checksum(distances)}.json"
    kept = _read(path, distances.n)
    if kept is not None or not find:
        return kept
    if distances.n <= DYNAMIC:
        # Quicker found than kept.
        return held_karp(distances)
    from llmopt.tours.subtours import subtour_cuts

    tour = subtour_cuts(distances)
    with suppress(OSError):
        _write(path, tour)
    return tour


def _read(path: Path, n: int) -> NDArray[np.int32] | None:
    try:
        document = json.loads(path.read_bytes())
        tour = np.array(document["tour"], dtype=np.int32)
        whole = document["sha256"] == _sum(tour)
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    return tour if whole and np.array_equal(np.sort(tour), np.arange(n)) else None


def _write(path: Path, tour: NDArray[np.int32]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump({"tour": tour.tolist(), "sha256": _sum(tour)}, file)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _sum(tour: NDArray[np.int32]) -> str:
    return hashlib.sha256(tour.astype("<i4").tobytes()).hexdigest()

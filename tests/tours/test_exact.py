"""Exact methods and local search agree with the enumeration of all tours."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from llmopt import InvalidInput
from llmopt.tours import Distances
from llmopt.tours.held_karp import held_karp
from llmopt.tours.local_search import local_search, number_of_moves
from llmopt.tours.shortest import checksum, shortest_tour
from llmopt.tours.subtours import subtour_cuts


@st.composite
def distances(draw: st.DrawFn, least: int = 3, most: int = 7) -> Distances:
    n = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    kind = draw(st.sampled_from(["points", "equal points", "ties", "directed", "far", "near"]))
    if "points" in kind:
        places = rng.integers(0, 3, (n, 2)) if kind == "equal points" else rng.uniform(-1, 1, (n, 2))
        return Distances(np.hypot(*(places[:, None] - places).transpose(2, 0, 1)))
    matrix = (
        rng.integers(0, 4, (n, n))
        if kind == "ties"
        else rng.uniform(0, {"far": 1e12, "near": 1e-12}.get(kind, 1.0), (n, n))
    )
    return Distances(matrix if kind == "directed" else matrix + matrix.T)


def every_tour(n: int) -> NDArray[np.int32]:
    return np.array([(0, *rest) for rest in itertools.permutations(range(1, n))], dtype=np.int32)


@settings(max_examples=60)
@given(ways=distances())
def test_exact_methods_find_a_shortest_tour(ways: Distances) -> None:
    shortest = ways.lengths(every_tour(ways.n)).min()
    for method in (held_karp, subtour_cuts):
        tour = method(ways)
        assert sorted(tour.tolist()) == list(range(ways.n))
        assert tour[0] == 0
        assert ways.lengths([tour])[0] == pytest.approx(shortest, rel=1e-9, abs=0)


@pytest.mark.parametrize("directed", [False, True])
def test_exact_methods_agree_on_more_cities(directed: bool) -> None:
    rng = np.random.default_rng(3)
    for _ in range(3):
        matrix = rng.uniform(0, 1, (14, 14))
        ways = Distances(matrix if directed else matrix + matrix.T)
        assert ways.lengths([held_karp(ways)])[0] == pytest.approx(ways.lengths([subtour_cuts(ways)])[0], rel=1e-9)


def neighbours(tour: NDArray[np.int32]) -> Iterator[NDArray[np.int32]]:
    n = len(tour)
    for i in range(n):
        for j in range(i + 1, n):
            if (i, j) != (0, n - 1):
                yield np.concatenate([tour[:i], tour[i : j + 1][::-1], tour[j + 1 :]])
        for length in range(1, min(3, n - 3) + 1):
            turned = np.roll(tour, -i)
            part, rest = turned[:length], turned[length:]
            for place in range(1, len(rest)):
                for way in (part, part[::-1]):
                    yield np.concatenate([rest[:place], way, rest[place:]])


@settings(max_examples=60)
@given(ways=distances(most=9), seed=st.integers(0, 99))
def test_local_search_ends_where_no_move_is_better(ways: Distances, seed: int) -> None:
    first = np.random.default_rng(seed).permutation(ways.n).astype(np.int32)
    descent = local_search(ways, first)
    assert sorted(descent.tour.tolist()) == list(range(ways.n))
    assert descent.moves % number_of_moves(ways.n) == 0
    before, after = ways.lengths([first, descent.tour])
    assert after <= before
    assert min(ways.lengths(list(neighbours(descent.tour))), default=after) >= after * (1 - 1e-8)
    assert local_search(ways, first, limit=0).tour.tolist() == first.tolist()
    assert local_search(ways, first, limit=descent.moves).tour.tolist() == descent.tour.tolist()


def test_dynamic_programming_refuses_what_would_not_fit() -> None:
    with pytest.raises(InvalidInput, match="for at most 20 cities, not 21; use milp"):
        held_karp(Distances(np.ones((21, 21))))


def test_a_shortest_tour_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path))
    rng = np.random.default_rng(0)
    ways = Distances(rng.uniform(0, 1, (15, 15)))
    assert shortest_tour(ways, find=False) is None
    tour = shortest_tour(ways)
    assert tour is not None
    kept = shortest_tour(ways, find=False)
    assert kept is not None and kept.tolist() == tour.tolist()
    path = tmp_path / "tours" / f"{checksum(ways)}.json"
    for damage in (b"", b"[]", b'{"tour": 3}', path.read_bytes().replace(b"[0, ", b"[1, "), b'{"tour": [1e99]}'):
        path.write_bytes(damage)
        assert shortest_tour(ways, find=False) is None
    again = shortest_tour(ways)
    assert again is not None and again.tolist() == tour.tolist()
    (tmp_path / "elsewhere").touch()
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "elsewhere"))
    assert shortest_tour(ways) is not None

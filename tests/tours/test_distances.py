"""Lengths of tours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import InvalidInput
from llmopt.tours import Distances


@given(n=st.integers(3, 40), count=st.sampled_from([0, 1, 2, 511, 513, 1025]), seed=st.integers(0, 99))
def test_a_tour_has_the_same_length_in_every_batch(n: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances = Distances(rng.uniform(0, 1, (n, n)))
    tours = rng.permuted(np.tile(np.arange(n, dtype=np.int32), (count, 1)), axis=1)
    lengths = distances.lengths(tours)
    assert lengths.shape == (count,)
    for i in {0, count // 2, count - 1} & set(range(count)):
        tour = tours[i]
        assert lengths[i] == distances.lengths([tour])[0]
        total = 0.0
        for here, there in zip(tour, np.roll(tour, -1), strict=True):
            total += float(distances.matrix[here, there])
        assert lengths[i] == total


@given(n=st.integers(3, 12), shift=st.integers(0, 11), seed=st.integers(0, 99))
def test_turned_tours_have_equal_lengths_where_distances_are_symmetric(n: int, shift: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(0, 1000, (n, n))
    tour = rng.permutation(n)
    there, back = (Distances(m).lengths([np.roll(tour, shift), tour, tour[::-1]]) for m in (matrix, matrix + matrix.T))
    assert there[0] == there[1]
    assert back[0] == back[1] == back[2]


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[0, 1], [1, 0]], "at least 3 cities; this distance matrix has 2"),
        ([[0, 1, 2]] * 2, r"must be square, shape \(n, n\), not \(2, 3\)"),
        ([[0, 1], [2]], "must be a square table of numbers"),
        ([["a", 1, 2]] * 3, "must be a square table of numbers"),
        ([[0, 1, 2], [1, 0, float("nan")], [2, 3, 0]], "from city 1 to city 2 is not a finite number"),
        ([[0, 1, 2], [1, 0, 3], [2, -3, 0]], r"from city 2 to city 1 is negative \(-3.0\)"),
    ],
)
def test_what_is_no_matrix_of_distances_is_refused(matrix: list[list[float]], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        Distances(matrix)

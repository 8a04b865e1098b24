"""Random search: uniform, and without replacement where the space is finite."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Float, Int, Permutation, Space, Text, Vector, minimize
from support.strategies import vectors


@given(vectors().filter(lambda v: v.size is not None and v.size <= 500), st.integers(1, 30))
def test_a_finite_space_is_gone_through_without_repeats(space: Vector, batch: int) -> None:
    result = minimize(lambda s: 0.0, space, solver=f"random:batch={batch}", max_evaluations=501)
    assert result.stop_reason == "exhausted"
    assert result.nfev == space.size
    # The five start points may repeat one another; they are not the solver's.
    assert result.duplicates <= 4


def test_tours_are_drawn_without_repeats_up_to_symmetry() -> None:
    result = minimize(lambda tour: 0.0, Permutation(5, "dihedral"), solver="random", starts=[], max_evaluations=50)
    assert (result.nfev, result.duplicates, result.stop_reason) == (12, 0, "exhausted")


def test_a_large_space_is_drawn_without_repeats_and_without_being_listed() -> None:
    space = Vector(a=Int(1, 10**9), b=Int(1, 10**9))
    result = minimize(lambda s: 0.0, space, solver="random", starts=[], max_evaluations=1000)
    assert (result.nfev, result.duplicates) == (1000, 0)


@pytest.mark.parametrize("space", [Vector(x=Float(0, 1)), Text(30), Permutation(12)])
def test_it_works_on_every_space(space: Space[Any]) -> None:
    assert minimize(lambda s: 0.0, space, solver="random", max_evaluations=50).nfev == 50


def test_draws_are_uniform_from_first_to_last() -> None:
    space = Vector(a=Int(0, 999))
    result = minimize(lambda s: 0.0, space, solver="random", starts=[], max_evaluations=1000)
    drawn = np.array([e.solution["a"] for e in result.history])
    for part in np.array_split(drawn, 4):
        assert abs(part.mean() - 499.5) < 4 * 999 / np.sqrt(12 * 250)

"""The exact minima against brute force and optimality conditions."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt.problems.least_squares import SumOfSquares


def random_fit(seed: int, k: int, *, integer: bool) -> tuple[SumOfSquares, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = k + int(rng.integers(0, 6))
    # Columns that share a direction make the valley narrow and the search hard.
    design = rng.normal(size=(rows, k)) + rng.choice([0, 1, 5]) * rng.normal(size=(rows, 1))
    response = design @ rng.uniform(-8, 8, k) + rng.choice([0, 0.1, 5]) * rng.normal(size=rows)
    return SumOfSquares(design, response, integer=integer), design, response


@settings(deadline=None, max_examples=300)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 4), low=st.integers(-6, 6), width=st.integers(0, 6))
def test_integers_against_brute_force(seed: int, k: int, low: int, width: int) -> None:
    loss, design, response = random_fit(seed, k, integer=True)
    grid = np.array(list(itertools.product(range(low, low + width + 1), repeat=k)))
    naive = np.sum((response - grid @ design.T) ** 2, axis=1)
    np.testing.assert_allclose(loss(list(grid.T)), naive, rtol=1e-9, atol=1e-20)
    best = loss.best_integers(low, low + width)
    assert best is not None
    assert all(low <= value <= low + width for value in best)
    np.testing.assert_allclose(np.sum((response - design @ best) ** 2), naive.min(), rtol=1e-9, atol=1e-20)


@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 25), low=st.floats(-6, 6), width=st.floats(0, 12))
def test_reals_meet_the_optimality_conditions(seed: int, k: int, low: float, width: float) -> None:
    loss, design, response = random_fit(seed, k, integer=False)
    high = low + width
    best = loss.best_reals(low, high)
    assert np.all((low <= best) & (best <= high))
    gradient = -2 * design.T @ (response - design @ best)
    slack = 1e-7 * (1 + np.abs(design).sum(axis=0) * np.abs(response).max())
    # Downhill leads out of the box, or nowhere.
    assert np.all((gradient >= -slack) | (best >= high - 1e-9))
    assert np.all((gradient <= slack) | (best <= low + 1e-9))


def test_the_search_gives_up() -> None:
    loss, _, _ = random_fit(1, 12, integer=True)
    assert loss.best_integers(-1000, 1000, nodes=5) is None
    wide = np.eye(201)
    assert SumOfSquares(wide, wide[0], integer=True).best_integers(-5, 5) is None

"""``bounds`` as SciPy has them: points are arrays, whatever is given and returned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds

from llmopt import InvalidInput, minimize, resume
from llmopt.baselines.random import RandomSearch


def noted(calls: list[Any], value: Any) -> Any:
    """Keep a value of a call and return it."""
    calls.append(value)
    return value


def test_bounds_mean_an_array_as_in_scipy() -> None:
    seen: list[Any] = []
    result = minimize(
        lambda x: float(((noted(seen, x) - 1) ** 2).sum()),
        bounds=[(-2, 2), (0, 4)],
        starts=[np.array([1.0, 1.0])],
        solver=RandomSearch(),
        max_evaluations=9,
    )
    assert all(isinstance(x, np.ndarray) and x.shape == (2,) for x in seen)
    assert result.x.tolist() == [1.0, 1.0] and result.fun == 0.0


def test_bounds_of_scipy_are_bounds() -> None:
    def losses(bounds: Any) -> list[float]:
        found: list[float] = minimize(sum, bounds=bounds, solver="random", max_evaluations=20).history.losses.tolist()
        return found

    assert losses(Bounds([-2, 0], [2, 4])) == losses([(-2, 2), (0, 4)])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"starts": [[1, 1]]}, "starts must be a list of points of 1 numbers each"),
        ({"starts": [1]}, "starts must be a list of points of 1 numbers each"),
        ({"earlier": [([1, 1], 0.0)]}, "earlier must be a list of points of 1 numbers each"),
        ({"earlier": [[1]]}, "earlier must be a list of pairs of a point and its score"),
        ({"bounds": [(0,)]}, "list of (low, high) pairs"),
    ],
)
def test_what_is_no_point_is_one_clear_error(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        minimize(sum, **{"bounds": [(0, 1)], "solver": "random", **arguments})
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_resumed_run_has_its_points_as_arrays_again(tmp_path: Path) -> None:
    seen: list[Any] = []

    def fun(x: Any) -> float:
        seen.append(x)
        return float(x.sum())

    bounds, starts, earlier = [(-2, 2), (0, 4)], [[1.0, 2.0], [0.5, 3.0]], [([2.0, 2.0], 4.0)]
    first = minimize(
        fun, bounds=bounds, starts=starts, earlier=earlier, solver="random", max_evaluations=9, log=tmp_path
    )
    more = resume(tmp_path, fun, max_evaluations=30)
    assert more.nfev == 30 and len(seen) == 29
    assert more.history.losses[:9].tolist() == first.history.losses.tolist()
    assert isinstance(more.x, np.ndarray) and all(isinstance(x, np.ndarray) for x in seen)

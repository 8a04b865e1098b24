"""``callback`` means what it means in SciPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmopt import Int, OptimizeResult, Vector, maximize, minimize

SPACE = Vector(x=Int(-500, 500))


def square(solution: dict[str, int]) -> float:
    return float(solution["x"] ** 2)


def test_a_callback_is_shown_the_result_so_far_after_every_step() -> None:
    seen: list[tuple[int, int, float]] = []

    def callback(intermediate_result: OptimizeResult) -> None:
        seen.append((intermediate_result.nit, intermediate_result.nfev, intermediate_result.fun))

    result = minimize(square, SPACE, solver="random:batch=8", max_evaluations=29, callback=callback)
    assert [(nit, nfev) for nit, nfev, _ in seen] == [(0, 5), (1, 13), (2, 21), (3, 29)]
    assert seen[-1][2] == result.fun
    assert sorted((fun for *_, fun in seen), reverse=True) == [fun for *_, fun in seen]


def test_a_callback_without_that_parameter_is_shown_the_best_solution() -> None:
    seen: list[Any] = []
    result = minimize(lambda x: float(x[0]), bounds=[(0, 1)], solver="random", max_evaluations=20, callback=seen.append)
    assert np.array_equal(seen[-1], result.x)


@pytest.mark.parametrize("solver", ["random", "nelder-mead", "differential-evolution", "tpe"])
def test_stop_iteration_ends_the_run(solver: str) -> None:
    def callback(intermediate_result: OptimizeResult) -> None:
        if intermediate_result.nfev >= 10:
            raise StopIteration

    result = maximize(square, SPACE, solver=solver, max_evaluations=200, callback=callback)
    assert result.stop_reason == "callback"
    assert result.message == "the callback ended the run"
    assert 10 <= result.nfev < 200


def test_other_errors_of_a_callback_are_the_users() -> None:
    def callback(x: Any) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        minimize(square, SPACE, solver="random", max_evaluations=20, callback=callback)


def test_a_run_that_a_callback_ended_goes_on_without_it(tmp_path: Path) -> None:
    def callback(x: Any) -> None:
        raise StopIteration

    first = minimize(square, SPACE, solver="random", max_evaluations=20, log=tmp_path, callback=callback)
    more = minimize(square, SPACE, solver="random", max_evaluations=20, log=tmp_path)
    assert (first.nfev, more.nfev) == (5, 20)
    assert more.history.losses[:5].tolist() == first.history.losses.tolist()

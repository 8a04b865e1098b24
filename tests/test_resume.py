"""``resume``: a run of Python code goes on with what its log says that it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmopt import Budget, Int, InvalidInput, Problem, Vector, maximize, minimize, resume, run
from llmopt.baselines.random import RandomSearch
from llmopt.runlog import RunLog, Slot

SPACE = Vector(x=Int(-50, 50))


class Parabola(Problem):
    space = SPACE

    def evaluate(self, solution: Any) -> float:
        return float(solution["x"] ** 2)

    def describe(self) -> str:
        return "Find x."


def square(s: dict[str, int]) -> float:
    return float(s["x"] ** 2)


def test_what_was_asked_for_is_asked_for_again(tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "solver": "random:batch=4", "seed": 7, "starts": [{"x": 1}, {"x": 2}], "earlier": [({"x": 9}, 81.0)],
        "target": 2500, "max_steps": 5, "description": "Find x.",
    }  # fmt: skip
    first = maximize(square, SPACE, max_evaluations=11, log=tmp_path, **asked)
    again = resume(tmp_path, square, max_evaluations=30)
    whole = maximize(square, SPACE, max_evaluations=30, **asked)
    assert first.nfev == 11
    assert again.history.losses.tolist() == whole.history.losses.tolist()
    assert (again.nit, again.stop_reason, again.x) == (whole.nit, whole.stop_reason, whole.x)


def test_a_problem_brings_its_own_space(tmp_path: Path) -> None:
    minimize(Parabola(), solver="random", starts=[{"x": 3}], max_evaluations=10, log=tmp_path)
    assert resume(tmp_path, Parabola(), max_evaluations=20).nfev == 20


def test_changed_code_needs_force(tmp_path: Path) -> None:
    minimize(lambda s: s["x"] ** 2, SPACE, solver="random", max_evaluations=10, log=tmp_path)
    with pytest.raises(InvalidInput, match=r"problem.code was .*<lambda> .* and is .*--force"):
        resume(tmp_path, lambda s: s["x"] ** 4, max_evaluations=20)
    assert resume(tmp_path, lambda s: s["x"] ** 4, max_evaluations=20, force=True).nfev == 20


def test_what_was_an_object_is_handed_in_again(tmp_path: Path) -> None:
    minimize(square, SPACE, solver=RandomSearch(), max_evaluations=10, log=tmp_path)
    with pytest.raises(InvalidInput, match=r"was given its solver as an object; hand it in again: solver=\.\.\.$"):
        resume(tmp_path, square)
    assert resume(tmp_path, square, solver=RandomSearch(), max_evaluations=20).nfev == 20


def test_a_run_of_the_command_line_is_resumed_there(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        run(Parabola(), RandomSearch(), Budget(evaluations=9), log=Slot(log, asked={"problem": "parabola"}))
    with pytest.raises(InvalidInput, match=r"holds no run that Python code began; .*: llmopt resume "):
        resume(tmp_path, square)

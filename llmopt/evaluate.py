"""Calls of ``Problem.evaluate``: scores become losses, failures become values. Used by the objective alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.history import FAILED, INFEASIBLE, OK
from llmopt.problem import Infeasible, Problem
from llmopt.space import Columns, length


class Outcomes:
    """The outcomes of ``count`` solutions; the first ``done`` of them are there.

    They are filled in one by one, so that what is done is kept when an evaluation is interrupted.
    """

    def __init__(self, count: int) -> None:
        self.losses: NDArray[np.float64] = np.full(count, np.nan)
        self.status: NDArray[np.int8] = np.zeros(count, dtype=np.int8)
        self.reasons: dict[int, str] = {}
        self.done = 0

    def evaluate(
        self, problem: Problem, columns: Columns, out_of_time: Callable[[], bool], raise_failures: bool
    ) -> None:
        """Evaluate solutions until all are done or the time is up.

        Raises
        ------
        InvalidInput
            A batch gave something else than one number for each solution.
        """
        sign = -1.0 if problem.direction == "maximize" else 1.0
        scores = _batch_scores(problem, columns)
        if scores is not None:
            self.status[:] = np.where(np.isfinite(scores), OK, FAILED)
            self.reasons = {int(i): f"score is {scores[i]}" for i in np.flatnonzero(self.status)}
            self.losses[:] = np.where(self.status == OK, sign * scores, np.nan)
            self.done = len(scores)
            return
        for i in range(len(self.losses)):
            if i and out_of_time():
                return
            status, score, reason = _outcome(problem, problem.space.row(columns, i), raise_failures)
            self.status[i] = status
            self.losses[i] = sign * score
            if reason:
                self.reasons[i] = reason
            self.done = i + 1


def _batch_scores(problem: Problem, columns: Columns) -> NDArray[np.float64] | None:
    try:
        # A copy, since what a function does to its argument must not change the history.
        scores = problem.evaluate_batch({name: values.copy() for name, values in columns.items()})
    except Exception:
        # One bad row spoils the call; evaluated one by one, only that row fails, with its own reason.
        return None
    if scores is None:
        return None
    scores = np.asarray(scores)
    if scores.shape != (length(columns),) or scores.dtype.kind not in "fiu":
        raise InvalidInput(
            f"{type(problem).__name__}: a batch of {length(columns)} solutions gave an array of shape {scores.shape} "
            f"and type {scores.dtype}; return one number for each"
        )
    return scores.astype(np.float64)


def _outcome(problem: Problem, solution: Any, raise_failures: bool) -> tuple[int, float, str]:
    """Return status, score and reason of one evaluation."""
    try:
        score = problem.evaluate(solution)
        if type(score) is not float:
            score = _as_number(score)
    except Infeasible as error:
        return INFEASIBLE, math.nan, str(error) or "infeasible"
    except Exception as error:
        # Whatever a user's function raises is an outcome of the evaluation, not of the run.
        if raise_failures:
            raise
        return FAILED, math.nan, f"{type(error).__name__}: {error}"
    if not math.isfinite(score):
        return FAILED, math.nan, f"score is {score}"
    return OK, score, ""


def _as_number(score: Any) -> float:
    number = np.asarray(score)
    if number.shape != () or number.dtype.kind not in "fiu":
        raise TypeError(f"the score must be one number, not {score!r}")
    return float(score)

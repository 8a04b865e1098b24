"""Calls of ``Problem.evaluate``: scores become losses, failures become values. Used by the objective alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput, WorkerError
from llmopt.history import FAILED, INFEASIBLE, OK
from llmopt.problem import Infeasible, Problem
from llmopt.space import Columns, length, take

Keep = Callable[[list[int], float], None]
"""Is told the positions of evaluations that were just made, and the seconds that they took."""


class Outcomes:
    """The outcomes of ``count`` solutions; those with ``done`` are there.

    They are filled in as they come, so that what is done is kept when an evaluation is interrupted.
    """

    def __init__(self, count: int) -> None:
        self.losses: NDArray[np.float64] = np.full(count, np.nan)
        self.status: NDArray[np.int8] = np.zeros(count, dtype=np.int8)
        self.done: NDArray[np.bool_] = np.zeros(count, dtype=np.bool_)
        self.reasons: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.losses)

    def put(self, rows: NDArray[np.int64], scores: NDArray[np.float64], *, maximize: bool) -> None:
        """Fill in scores in the problem's own sign, shape (len(rows),); one that is not finite is a failure."""
        status = np.where(np.isfinite(scores), OK, FAILED)
        self.reasons |= {int(rows[i]): f"score is {scores[i]}" for i in np.flatnonzero(status)}
        self.status[rows] = status
        # Adding 0.0 turns -0.0 into 0.0.
        self.losses[rows] = np.where(status == OK, (-scores if maximize else scores) + 0.0, np.nan)
        self.done[rows] = True


@dataclass(frozen=True)
class Workers:
    """What evaluates several solutions of a step at the same time.

    Parameters
    ----------
    executor
        Any executor of ``concurrent.futures``; one of processes, or of machines, needs a problem that can be pickled.
    count
        How many solutions are given to it at the same time; None: the whole step.
    """

    executor: Executor
    count: int | None = None


@dataclass(frozen=True)
class Evaluator:
    """Evaluates solutions of a problem.

    Parameters
    ----------
    problem
        What is evaluated.
    raise_failures
        Let exceptions of ``evaluate`` through instead of making them outcomes.
    workers
        None: one after the other.
    """

    problem: Problem
    raise_failures: bool = False
    workers: Workers | None = None

    def evaluate(self, columns: Columns, outcomes: Outcomes, out_of_time: Callable[[], bool], keep: Keep) -> None:
        """Evaluate the solutions that are not done, until all are or the time is up.

        The outcome of a solution does not depend on the order in which others end. When the time is up, what has
        begun is awaited.

        Raises
        ------
        InvalidInput
            A batch gave something else than one number for each solution.
        WorkerError
            The workers cannot evaluate.
        """
        missing = np.flatnonzero(~outcomes.done).tolist()
        if not missing:
            return
        began = time.perf_counter()
        scores = self._batch(columns if len(missing) == length(columns) else take(columns, np.array(missing)))
        if scores is not None:
            outcomes.put(np.array(missing), scores, maximize=self.problem.direction == "maximize")
            keep(missing, time.perf_counter() - began)
        elif self.workers is None:
            self._in_turn(columns, missing, outcomes, out_of_time, keep)
        else:
            self._at_once(self.workers, columns, missing, outcomes, out_of_time, keep)

    def _in_turn(
        self, columns: Columns, missing: list[int], outcomes: Outcomes, out_of_time: Callable[[], bool], keep: Keep
    ) -> None:
        for i in missing:
            if i and out_of_time():
                return
            began = time.perf_counter()
            self._put(outcomes, i, outcome(self.problem, self.problem.space.row(columns, i), self.raise_failures))
            keep([i], time.perf_counter() - began)

    def _at_once(
        self,
        workers: Workers,
        columns: Columns,
        missing: list[int],
        outcomes: Outcomes,
        out_of_time: Callable[[], bool],
        keep: Keep,
    ) -> None:
        began = time.perf_counter()
        running: dict[Future[tuple[int, float, str]], int] = {}
        waiting = missing[::-1]
        try:
            while running or (waiting and not (outcomes.done.any() and out_of_time())):
                while waiting and (workers.count is None or len(running) < workers.count):
                    i = waiting.pop()
                    solution = self.problem.space.row(columns, i)
                    running[workers.executor.submit(outcome, self.problem, solution, self.raise_failures)] = i
                done = wait(running, return_when=FIRST_COMPLETED).done
                # What has an outcome comes first, so that an error of another one does not lose it.
                for future in sorted(done, key=lambda future: future.exception() is not None):
                    i = running.pop(future)
                    self._put(outcomes, i, future.result())
                    # Before the next one begins, so that no more than the running ones can be lost.
                    keep([i], time.perf_counter() - began)
                if out_of_time():
                    waiting.clear()
        except BrokenExecutor as error:
            raise WorkerError(f"a worker ended while it evaluated: {error}") from None
        finally:
            for future in running:
                future.cancel()

    def _batch(self, columns: Columns) -> NDArray[np.float64] | None:
        try:
            # A copy, since what a function does to its argument must not change the history.
            scores = self.problem.evaluate_batch({name: values.copy() for name, values in columns.items()})
        except Exception:
            # One bad row spoils the call; evaluated one by one, only that row fails, with its own reason.
            return None
        if scores is None:
            return None
        scores = np.asarray(scores)
        if scores.shape != (length(columns),) or scores.dtype.kind not in "fiu":
            raise InvalidInput(
                f"{type(self.problem).__name__}: a batch of {length(columns)} solutions gave an array of shape "
                f"{scores.shape} and type {scores.dtype}; return one number for each"
            )
        return scores.astype(np.float64)

    def _put(self, outcomes: Outcomes, i: int, found: tuple[int, float, str]) -> None:
        outcomes.status[i], score, reason = found
        # Adding 0.0 turns -0.0 into 0.0.
        outcomes.losses[i] = self._sign * score + 0.0
        if reason:
            outcomes.reasons[i] = reason
        outcomes.done[i] = True

    @property
    def _sign(self) -> float:
        return -1.0 if self.problem.direction == "maximize" else 1.0


def outcome(problem: Problem, solution: Any, raise_failures: bool) -> tuple[int, float, str]:
    """Return status, score and reason of one evaluation; workers call this."""
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

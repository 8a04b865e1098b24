"""The only door to ``Problem.evaluate``: counts, answers duplicates, keeps budgets, recognises the target."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.history import FAILED, INFEASIBLE, OK, Evaluations, History
from llmopt.problem import Infeasible, Problem
from llmopt.space import Columns, Keys, length, take
from llmopt.space.base import CHUNK

StopReason = Literal[
    "target", "evaluations", "steps", "seconds", "stalled", "exhausted", "finished", "interrupted", "error"
]

PROPOSALS_PER_EVALUATION = 20
DUPLICATES_IN_A_ROW = 1_000


class Stopped(BaseException):
    """Ends a solver from within; derived from BaseException so that no routine swallows it."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason: StopReason = reason


@dataclass(frozen=True)
class Budget:
    """What a run may spend; None means without limit.

    Parameters
    ----------
    evaluations
        Calls of ``Problem.evaluate``, start points included.
    steps
        Sets of proposals that do not depend on each other's results; the start points are step 0 and free.
    seconds
        Wall-clock time since the first evaluation.
    """

    evaluations: int | None = None
    steps: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("evaluations", "steps"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise InvalidInput(f"the budget of {name} must be a whole number of at least 1, not {value!r}")
        if self.seconds is not None and not (isinstance(self.seconds, int | float) and self.seconds > 0):
            raise InvalidInput(f"the budget of seconds must be a positive number, not {self.seconds!r}")
        if self.evaluations is None and self.steps is None and self.seconds is None:
            raise InvalidInput("give a budget: of evaluations, steps or seconds")


@dataclass(frozen=True)
class Proposals:
    """The candidates of one step.

    Parameters
    ----------
    columns
        Decoded candidates; those outside the space are counted as invalid.
    invalid
        One reason for each candidate that could not be decoded.
    """

    columns: Columns
    invalid: Sequence[str] = field(default=())


class Objective:
    """Evaluates what a solver proposes and keeps the books of one run.

    Parameters
    ----------
    problem
        What is evaluated.
    budget
        What may be spent.
    target
        A score that ends the run once it is reached, in the user's own sign; None: there is none.
    on_step
        Called after every step.
    clock
        Seconds, for the budget of time.
    raise_failures
        Let exceptions of ``evaluate`` through instead of recording them.
    """

    def __init__(
        self,
        problem: Problem,
        budget: Budget,
        *,
        target: float | None = None,
        on_step: Callable[[Objective], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        raise_failures: bool = False,
    ) -> None:
        self.history = History(problem.space, maximize=problem.direction == "maximize")
        self.budget = budget
        self.target_loss = None if target is None else self.history.to_score(target)
        self.target_row: int | None = None
        self.step_count = 0
        self.proposals = 0
        self.duplicates = 0
        self.invalid: Counter[str] = Counter()
        self.evaluation_seconds = 0.0
        self._problem = problem
        self._on_step = on_step
        self._clock = clock
        self._began: float | None = None
        self._raise_failures = raise_failures
        self._duplicates_in_a_row = 0

    @property
    def remaining_evaluations(self) -> int | None:
        """What is left of the budget of evaluations; None: without limit."""
        limit = self.budget.evaluations
        return None if limit is None else max(0, limit - len(self.history))

    def start(self, solutions: Sequence[Any]) -> None:
        """Evaluate the start points as step 0."""
        for solution in solutions:
            if reason := self.history.space.violation(solution):
                raise InvalidInput(f"start point {solution!r} is not legal: {reason}")
        self._began = self._clock()
        if solutions:
            self._step(Proposals(self.history.space.pack(solutions)), 0)

    def step(self, proposals: Proposals | Sequence[Any]) -> Evaluations:
        """Evaluate the proposals of one step and return their outcomes in order.

        Parameters
        ----------
        proposals
            :class:`Proposals`, or a list of solutions in the user's form.

        Raises
        ------
        Stopped
            The budget is spent, the target reached, or the run stalled. What was evaluated is recorded.
        """
        if self._began is None:
            self._began = self._clock()
        if self.budget.steps is not None and self.step_count >= self.budget.steps:
            raise Stopped("steps")
        self._check_clock()
        self.step_count += 1
        return self._step(self._as_proposals(proposals), self.step_count)

    def __call__(self, solution: Any) -> float:
        """Evaluate one solution as a step of its own and return its loss; NaN where it has none."""
        return float(self.step([solution]).losses[0])

    def _as_proposals(self, proposals: Proposals | Sequence[Any]) -> Proposals:
        if isinstance(proposals, Proposals):
            return proposals
        space = self.history.space
        reasons = [space.violation(solution) for solution in proposals]
        legal = [s for s, reason in zip(proposals, reasons, strict=True) if reason is None]
        return Proposals(space.pack(legal), [reason for reason in reasons if reason is not None])

    def _step(self, proposals: Proposals, step: int) -> Evaluations:
        history, columns = self.history, proposals.columns
        for reason in proposals.invalid:
            self.invalid[reason] += 1
        members = history.space.member_mask(columns)
        outcome = np.full(len(members), -1, dtype=np.int64)
        if not members.all():
            self.invalid["outside the space"] += int(np.count_nonzero(~members))
            columns = take(columns, members)
        rows, fresh, keys = self._match(columns)
        new = fresh.nonzero()[0]
        remaining = self.remaining_evaluations
        # The budget admits the leading proposals, up to the first new one that it cannot pay.
        admitted = len(rows) if remaining is None or len(new) <= remaining else int(new[remaining])
        new = new[:remaining]
        self.proposals += len(proposals.invalid) + len(members) - len(rows) + admitted
        self._count_duplicates(admitted, new)
        reached_before = self.target_row is not None
        whole = self._evaluate_new(columns, keys, new, step)
        outcome[members.nonzero()[0][:admitted]] = np.where(rows < len(history), rows, -1)[:admitted]
        if self._on_step is not None:
            self._on_step(self)
        if self.target_row is not None and not reached_before:
            raise Stopped("target")
        if not whole:
            raise Stopped("seconds")
        self._check_spent()
        return Evaluations(history, outcome)

    def _match(self, columns: Columns) -> tuple[NDArray[np.int64], NDArray[np.bool_], Keys | None]:
        if self._problem.noisy:
            count = length(columns)
            rows = np.arange(len(self.history), len(self.history) + count)
            return rows, np.ones(count, dtype=np.bool_), None
        keys = self.history.space.keys(columns)
        return *self.history.match(keys), keys

    def _count_duplicates(self, count: int, new: NDArray[np.int64]) -> None:
        self.duplicates += count - len(new)
        if len(new):
            self._duplicates_in_a_row = count - 1 - int(new[-1])
        else:
            self._duplicates_in_a_row += count

    def _evaluate_new(self, columns: Columns, keys: Keys | None, new: NDArray[np.int64], step: int) -> bool:
        """Evaluate the rows that are new, in chunks; return False where the clock ran out first."""
        for start in range(0, len(new), CHUNK):
            chunk = new[start : start + CHUNK]
            whole = len(chunk) == length(columns)
            part = columns if whole else take(columns, chunk)
            began = time.perf_counter()
            losses, status, reasons = self._losses(part)
            self.evaluation_seconds += time.perf_counter() - began
            done = len(losses)
            chunk_keys: Keys | None = None
            if keys is not None:
                chunk_keys = keys[chunk[:done]] if isinstance(keys, np.ndarray) else [keys[i] for i in chunk[:done]]
            if done < len(chunk):
                part = take(part, slice(done))
            first = len(self.history)
            self.history.append(part, losses, status, step, reasons, chunk_keys)
            if self.target_loss is not None and self.target_row is None:
                hits = np.flatnonzero(losses <= self.target_loss)
                if len(hits):
                    self.target_row = first + int(hits[0])
            if done < len(chunk) or (self._out_of_time() and start + CHUNK < len(new)):
                return False
        return True

    def _losses(self, columns: Columns) -> tuple[NDArray[np.float64], NDArray[np.int8], dict[int, str]]:
        """Return loss, status and reasons of the rows, of fewer where the clock runs out on the way."""
        count = length(columns)
        scores = self._batch_scores(columns)
        if scores is not None:
            status = np.where(np.isfinite(scores), OK, FAILED).astype(np.int8)
            reasons = {int(i): f"score is {scores[i]}" for i in np.flatnonzero(status)}
            losses = -scores if self.history.maximize else scores
            return np.where(status == OK, losses, np.nan), status, reasons
        losses = np.full(count, np.nan)
        status = np.zeros(count, dtype=np.int8)
        reasons = {}
        for i in range(count):
            if i and self._out_of_time():
                return losses[:i], status[:i], reasons
            status[i], losses[i], reason = self._evaluate_one(self.history.space.row(columns, i))
            if reason:
                reasons[i] = reason
        return losses, status, reasons

    def _batch_scores(self, columns: Columns) -> NDArray[np.float64] | None:
        try:
            scores = self._problem.evaluate_batch(columns)
        except Exception:
            # One bad row spoils the call; evaluated one by one, only that row fails, with its own reason.
            return None
        if scores is None or np.shape(scores) == (length(columns),):
            return None if scores is None else np.asarray(scores, dtype=np.float64)
        raise InvalidInput(
            f"{type(self._problem).__name__}: a batch of {length(columns)} solutions gave scores of shape "
            f"{np.shape(scores)}; return one number for each"
        )

    def _evaluate_one(self, solution: Any) -> tuple[int, float, str]:
        try:
            score = self._problem.evaluate(solution)
            if type(score) is not float:
                score = _as_number(score)
        except Infeasible as error:
            return INFEASIBLE, math.nan, str(error) or "infeasible"
        except Exception as error:
            # Whatever a user's function raises is an outcome of the evaluation, not of the run.
            if self._raise_failures:
                raise
            return FAILED, math.nan, f"{type(error).__name__}: {error}"
        if not math.isfinite(score):
            return FAILED, math.nan, f"score is {score}"
        return OK, -score if self.history.maximize else score, ""

    def _out_of_time(self) -> bool:
        if self.budget.seconds is None or self._began is None:
            return False
        return self._clock() - self._began >= self.budget.seconds

    def _check_clock(self) -> None:
        if self._out_of_time():
            raise Stopped("seconds")

    def _check_spent(self) -> None:
        size = self.history.space.size
        if size is not None and not self._problem.noisy and len(self.history) >= size:
            raise Stopped("exhausted")
        if self.remaining_evaluations == 0:
            raise Stopped("evaluations")
        # Here rather than before the next step, so that no model is paid for proposals nobody may evaluate.
        if self.budget.steps is not None and self.step_count >= self.budget.steps:
            raise Stopped("steps")
        self._check_clock()
        limit = self.budget.evaluations
        if limit is not None and self.proposals > PROPOSALS_PER_EVALUATION * limit:
            raise Stopped("stalled")
        if self._duplicates_in_a_row >= DUPLICATES_IN_A_ROW:
            raise Stopped("stalled")


def _as_number(score: Any) -> float:
    if isinstance(score, bool | np.bool_) or (not np.isscalar(score) and np.shape(score) != ()):
        raise TypeError(f"the score must be one number, not {score!r}")
    if isinstance(score, str | bytes | complex) or score is None:
        raise TypeError(f"the score must be one number, not {score!r}")
    return float(score)

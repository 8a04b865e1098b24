"""The only door to ``Problem.evaluate``: counts, answers duplicates, keeps budgets, recognises the target."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from llmopt.budget import Budget, Limit
from llmopt.errors import InvalidInput
from llmopt.evaluate import Evaluator, Outcomes, Workers
from llmopt.history import Evaluations, History
from llmopt.item_evaluator import ItemEvaluator
from llmopt.items import ItemProblem, ItemScores
from llmopt.llm.terms import Models
from llmopt.problem import Problem
from llmopt.racing import Race
from llmopt.runlog.journal import Journal
from llmopt.space import Columns, Keys, length, take
from llmopt.space.base import CHUNK

StopReason = Literal[Limit, "target", "stalled", "exhausted", "finished", "callback", "interrupted", "error"]

PROPOSALS_PER_EVALUATION = 20
IN_A_ROW = 1_000
"""Duplicates, or steps without a new evaluation, after which a run has stalled."""


class Stopped(BaseException):
    """Ends a solver from within; derived from BaseException so that no routine swallows it."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason: StopReason = reason


@dataclass(frozen=True)
class Proposals:
    """The candidates of one step.

    Parameters
    ----------
    columns
        Decoded candidates; those outside the space are counted as invalid.
    invalid
        One reason for each candidate that could not be decoded.
    repaired
        How many of the decoded candidates had to be repaired to be solutions.
    move_evaluations
        Moves of a local search whose change of the score was computed to find the candidates, for solvers that look
        into the problem; they are not evaluations and are not charged.
    repeated
        Candidates that the solver has replaced itself because they were known; counted as duplicates.
    """

    columns: Columns
    invalid: Sequence[str] = field(default=())
    repaired: int = 0
    move_evaluations: int = 0
    repeated: int = 0


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
    models
        The language models of the run, with what they cost.
    journal
        The run's log, which answers what it knows and keeps what is new; None: nothing is kept.
    workers
        Evaluate the solutions of a step at the same time; None: one after the other.
    race
        Ends the scoring of candidates that cannot beat the incumbent, on a problem with items; None: none is dropped.
    item_order
        The order in which items are scored; by default their own.
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
        models: Models | None = None,
        journal: Journal | None = None,
        workers: Workers | None = None,
        race: Race | None = None,
        item_order: NDArray[np.int64] | None = None,
    ) -> None:
        self.models = models or Models()
        self.history = History(problem.space, maximize=problem.direction == "maximize")
        self.budget = budget
        self.target_loss = None if target is None else self.history.to_score(target)
        self.target_row: int | None = None
        self.step_count = 0
        self.proposals = 0
        self.duplicates = 0
        self.invalid: Counter[str] = Counter()
        self.repaired = 0
        self.move_evaluations = 0
        self.evaluation_seconds = 0.0
        self._problem = problem
        self._on_step = on_step
        self._clock = clock
        self._began: float | None = None
        self.item_scores: ItemScores | None = None
        self._evaluator: Evaluator | ItemEvaluator = Evaluator(problem, raise_failures, workers)
        if isinstance(problem, ItemProblem):
            self.item_scores = ItemScores(problem, journal)
            order = np.arange(problem.items) if item_order is None else item_order
            self._evaluator = ItemEvaluator(problem, self.item_scores, self.history, race, order, budget.scorer_calls)
        self._journal = journal
        self._duplicates_in_a_row = 0
        self._barren_steps = 0

    @property
    def remaining_evaluations(self) -> int | None:
        """What is left of the budget of evaluations; None: without limit."""
        count = len(self.history)
        # A replay cuts the same steps short.
        earlier = None if self._journal is None else self._journal.earlier_limit(count)
        limit = self.budget.evaluations if earlier is None else earlier
        return None if limit is None else max(0, limit - count)

    @property
    def scorer_calls(self) -> int:
        """Pairs of a solution and an item that the search has scored; 0 for a problem without items."""
        return self._evaluator.calls if isinstance(self._evaluator, ItemEvaluator) else 0

    def start(self, solutions: Sequence[Any]) -> None:
        """Evaluate the start points as step 0."""
        if not isinstance(solutions, Sequence):
            raise InvalidInput(f"start points must be a list of solutions, not {solutions!r}")
        for solution in solutions:
            if reason := self.history.space.violation(solution):
                raise InvalidInput(f"start point {solution!r} is not legal: {reason}")
        self._start_clock()
        if solutions:
            self._step(Proposals(self.history.space.pack(solutions)), 0)

    def recall(self, earlier: Sequence[tuple[Any, float]]) -> None:
        """Record evaluations of earlier, pairs of a solution and its score, as part of step 0; they are charged.

        Of a solution that comes twice the first score counts, unless the problem is noisy.
        """
        columns = self.history.space.pack([solution for solution, _ in earlier])
        scores = np.array([score for _, score in earlier], dtype=np.float64)
        _, fresh, keys = self._match(columns)
        columns, scores = take(columns, fresh), scores[fresh]
        outcomes = Outcomes(len(scores))
        if self._journal is not None:
            self._journal.step = 0
            self._journal.answer(0, columns, outcomes)
        new = np.flatnonzero(~outcomes.done)
        outcomes.put(new, scores[new], maximize=self.history.maximize)
        if self._journal is not None and len(new):
            self._journal.go_live()
            self._journal.keep(0, columns, outcomes, new.tolist(), 0.0)
        self._record(outcomes, columns, keys, fresh.nonzero()[0], 0)
        if self.target_row is not None:
            raise Stopped("target")
        self._check_spent()

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
        self._start_clock()
        if self.budget.steps is not None and self.step_count >= self.budget.steps:
            raise Stopped("steps")
        self._check_clock()
        self.step_count += 1
        if isinstance(proposals, Proposals):
            return self._step(proposals, self.step_count)
        space = self.history.space
        reasons = [space.violation(solution) for solution in proposals]
        legal = [i for i, reason in enumerate(reasons) if reason is None]
        columns = space.pack([proposals[i] for i in legal])
        outcome = self._step(Proposals(columns, ["outside the space"] * (len(reasons) - len(legal))), self.step_count)
        rows = np.full(len(reasons), -1, dtype=np.int64)
        rows[legal] = outcome.rows
        return Evaluations(self.history, rows)

    def __call__(self, solution: Any) -> float:
        """Evaluate one solution as a step of its own and return its loss; NaN where it has none."""
        return float(self.step([solution]).losses[0])

    def _step(self, proposals: Proposals, step: int) -> Evaluations:
        if self._journal is not None:
            self._journal.step = step
        try:
            return self._evaluated(proposals, step)
        finally:
            if self._journal is not None:
                # What is asked from now on is asked for the next step.
                self._journal.step = self.step_count + 1

    def _evaluated(self, proposals: Proposals, step: int) -> Evaluations:
        history, columns = self.history, proposals.columns
        for reason in proposals.invalid:
            self.invalid[reason] += 1
        self.repaired += proposals.repaired
        self.move_evaluations += proposals.move_evaluations
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
        self.proposals += len(proposals.invalid) + proposals.repeated + len(members) - len(rows) + admitted
        self._count_duplicates(proposals.repeated, admitted, new)
        reached_before = self.target_row is not None
        whole = self._evaluate_new(columns, keys, new, step)
        outcome[members.nonzero()[0][:admitted]] = np.where(rows < len(history), rows, -1)[:admitted]
        if self._on_step is not None:
            self._on_step(self)
        if self.target_row is not None and not reached_before:
            raise Stopped("target")
        if not whole:
            spent = isinstance(self._evaluator, ItemEvaluator) and self._evaluator.spent
            raise Stopped("scorer_calls" if spent else "seconds")
        self._barren_steps = 0 if len(new) else self._barren_steps + 1
        self._check_spent()
        return Evaluations(history, outcome)

    def _match(self, columns: Columns) -> tuple[NDArray[np.int64], NDArray[np.bool_], Keys | None]:
        if self._problem.noisy:
            count = length(columns)
            rows = np.arange(len(self.history), len(self.history) + count)
            return rows, np.ones(count, dtype=np.bool_), None
        keys = self.history.space.keys(columns)
        return *self.history.match(keys), keys

    def _count_duplicates(self, repeated: int, count: int, new: NDArray[np.int64]) -> None:
        self.duplicates += repeated + count - len(new)
        if len(new):
            self._duplicates_in_a_row = count - 1 - int(new[-1])
        else:
            self._duplicates_in_a_row += repeated + count

    def _evaluate_new(self, columns: Columns, keys: Keys | None, new: NDArray[np.int64], step: int) -> bool:
        """Evaluate the rows that are new, in chunks; return False where the clock ran out first."""
        for start in range(0, len(new), CHUNK):
            chunk = new[start : start + CHUNK]
            part = columns if len(chunk) == length(columns) else take(columns, chunk)
            outcomes = Outcomes(len(chunk))
            try:
                self._evaluate_part(part, outcomes)
            finally:
                # Also on the way out: an interrupt loses only the evaluations that were running.
                self._record(outcomes, part, keys, chunk, step)
            if not outcomes.done.all() or (self.out_of_time and start + CHUNK < len(new)):
                return False
        return True

    def _evaluate_part(self, columns: Columns, outcomes: Outcomes) -> None:
        first, journal = len(self.history), self._journal
        if journal is not None:
            journal.answer(first, columns, outcomes)
            if not outcomes.done.all():
                if journal.out_of_time:
                    return
                journal.go_live()
            self._start_clock()
        began = time.perf_counter()

        def keep(new: list[int], seconds: float) -> None:
            if journal is not None:
                journal.keep(first, columns, outcomes, new, seconds)

        try:
            self._evaluator.evaluate(columns, outcomes, lambda: self.out_of_time, keep)
        finally:
            self.evaluation_seconds += time.perf_counter() - began

    def _record(
        self, outcomes: Outcomes, columns: Columns, keys: Keys | None, rows: NDArray[np.int64], step: int
    ) -> None:
        first, losses, status, reasons = len(self.history), outcomes.losses, outcomes.status, outcomes.reasons
        if not outcomes.done.all():
            done = np.flatnonzero(outcomes.done)
            columns, rows, losses, status = take(columns, done), rows[done], losses[done], status[done]
            reasons = {i: reasons[row] for i, row in enumerate(done.tolist()) if row in reasons}
        if keys is not None:
            keys = keys[rows] if isinstance(keys, np.ndarray) else [keys[i] for i in rows]
        self.history.append(columns, losses, status, step, reasons, keys)
        if self.target_loss is not None and self.target_row is None:
            hits = np.flatnonzero(losses <= self.target_loss)
            if len(hits):
                self.target_row = first + int(hits[0])

    def _start_clock(self) -> None:
        # A replay takes no time: the clock goes on where the log ends.
        if self._began is None and (self._journal is None or self._journal.live):
            self._began = self._clock()

    @property
    def out_of_time(self) -> bool:
        """Whether the budget of seconds is spent."""
        if self.budget.seconds is None:
            return False
        journal = self._journal
        if journal is not None and not journal.live:
            return journal.out_of_time and len(self.history) >= len(journal)
        before = 0.0 if journal is None else journal.before
        live = 0.0 if self._began is None else self._clock() - self._began
        return before + live >= self.budget.seconds

    def _check_clock(self) -> None:
        if self.out_of_time:
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
        if isinstance(self._evaluator, ItemEvaluator) and self._evaluator.exhausted:
            raise Stopped("scorer_calls")
        self._check_clock()
        limit = self.budget.evaluations
        if limit is not None and self.proposals > PROPOSALS_PER_EVALUATION * limit:
            raise Stopped("stalled")
        if max(self._duplicates_in_a_row, self._barren_steps) >= IN_A_ROW:
            raise Stopped("stalled")

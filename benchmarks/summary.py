"""From records to the rows of a table: means, standard deviations, successes."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmopt.benchmarks.record import Record
from llmopt.solver import Access


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation (n - 1 in the denominator; None for fewer than two values)."""

    mean: float
    std: float | None


def moments(values: Iterable[float | None]) -> Moments | None:
    """Return mean and standard deviation, or None where a value is missing or there is none."""
    known = list(values)
    numbers = [value for value in known if value is not None]
    if not numbers or len(numbers) < len(known):
        return None
    return Moments(statistics.fmean(numbers), statistics.stdev(numbers) if len(numbers) > 1 else None)


@dataclass(frozen=True)
class Summary:
    """One solver over its repeats.

    ``evaluations``, ``steps`` and ``unique_pairs`` are over all repeats. A repeat that did not reach the target
    enters with all that it spent, so that they are lower bounds where ``successes < repeats``. ``cost`` is None where
    it is not known of every repeat; ``unpriced`` says whether that is for want of a price. ``failures`` are the
    different messages of errors.
    """

    solver: str
    access: Access
    llm: str | None
    repeats: int
    successes: int
    errors: int
    failures: Sequence[str]
    interrupted: int
    evaluations: Moments
    steps: Moments
    unique_pairs: Moments
    best_score: Moments | None
    gap: Moments | None
    relative_gap: Moments | None
    move_evaluations: Moments
    prompt_tokens: Moments
    completion_tokens: Moments
    cost: Moments | None
    unpriced: bool
    cached_replies: int
    seconds: Moments

    @property
    def bounded(self) -> bool:
        """Whether means of what was needed are only lower bounds."""
        return self.successes < self.repeats


def summarize(records: Sequence[Record]) -> list[Summary]:
    """Return one summary for each solver, in the order in which they ran."""
    return [
        _summary([record for record in records if record.solver == solver])
        for solver in dict.fromkeys(record.solver for record in records)
    ]


def informed(records: Sequence[Record]) -> Record:
    """Return a record that knows its solver's model, and what the solver sees: that of a run which came about, if any
    did."""
    return next((record for record in records if record.evaluations or record.llm is not None), records[0])


def _summary(records: Sequence[Record]) -> Summary:
    def over(name: str) -> Moments:
        result = moments(getattr(record, name) for record in records)
        assert result is not None, "these fields are never missing"
        return result

    return Summary(
        solver=records[0].solver,
        access=informed(records).access,
        llm=informed(records).llm,
        repeats=len(records),
        successes=sum(record.success for record in records),
        errors=sum(record.stop_reason == "error" for record in records),
        failures=list(dict.fromkeys(record.message for record in records if record.stop_reason == "error")),
        interrupted=sum(record.stop_reason == "interrupted" for record in records),
        evaluations=over("evaluations"),
        steps=over("steps"),
        unique_pairs=over("unique_pairs"),
        best_score=moments(record.best_score for record in records),
        gap=moments(record.gap for record in records),
        relative_gap=moments(record.relative_gap for record in records),
        move_evaluations=over("move_evaluations"),
        prompt_tokens=over("prompt_tokens"),
        completion_tokens=over("completion_tokens"),
        cost=moments(record.cost_usd for record in records),
        unpriced=any(record.cost_usd is None and record.llm_calls for record in records),
        cached_replies=sum(record.llm_cached for record in records),
        seconds=over("seconds"),
    )

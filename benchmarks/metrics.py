"""What a benchmark says of a solver on a problem: one row from all of its runs there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmopt.benchmarks.results import Trace, by_problem
from llmopt.benchmarks.runtimes import FEWEST, ert, ert_interval, quantiles
from llmopt.benchmarks.summary import informed
from llmopt.history import running_best
from llmopt.problems.prompt.significance import wilson
from llmopt.solver import Access


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval at 95 %; the ends are None where there are too few runs for one."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Quartiles:
    """Within which value a quarter, half and three quarters of the runs are; infinite where fewer succeeded."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Metrics:
    """A solver on a problem, over its runs: every one counts, whether it reached the target or not.

    Attributes
    ----------
    problem, solver, access, llm
        What was run on what, as in a record.
    target
        Whether the runs had a target; without one, what is said of successes means nothing.
    runs, successes
        How many there are, and how many reached the target within the budget.
    success
        Their share, with Wilson's interval.
    ert
        Expected running time in evaluations, with a bootstrap interval over at least five runs.
    evaluations, steps
        Up to and including the evaluation, and the step, that reached the target.
    unique_pairs
        Different solutions evaluated, as the paper counts; mean.
    gap, relative_gap
        Of the best score to the optimum, in the problem's units and as a share of the optimum's distance from zero;
        medians, infinite where half of the runs have no score. None where an optimum is not known, or is zero.
    duplicates, invalid
        Shares of all proposals.
    llm_calls, prompt_tokens, cached_tokens, completion_tokens
        Means per run; cached tokens are a part of the prompt's.
    cost_usd
        Mean per run; None where a price is not known.
    seconds, evaluation_seconds, overhead_seconds
        Means per run: wall-clock time, the part of it inside the problem, and the rest, which is the solver's, its
        models' and the framework's. None where a run does not say it.
    budgets
        Numbers of evaluations b: 1, 2, 5, 10 and so on, and the most that any solver spent on the problem.
    best_scores
        The best score after each of them, in the problem's own sign; of a run that had ended, its best. Medians,
        infinite while half of the runs have no score.
    best_gaps
        The same as gaps to the optimum; None where one is not known.
    """

    problem: str
    solver: str
    access: Access
    llm: str | None
    target: bool
    runs: int
    successes: int
    success: Estimate
    ert: Estimate
    evaluations: Quartiles
    steps: Quartiles
    unique_pairs: float
    gap: float | None
    relative_gap: float | None
    duplicates: float
    invalid: float
    llm_calls: float
    prompt_tokens: float
    cached_tokens: float
    completion_tokens: float
    cost_usd: float | None
    seconds: float
    evaluation_seconds: float | None
    overhead_seconds: float | None
    budgets: tuple[int, ...]
    best_scores: tuple[float, ...]
    best_gaps: tuple[float, ...] | None


def measure(traces: Iterable[Trace], rng: np.random.Generator) -> list[Metrics]:
    """Return one row for each problem and each solver that ran on it, in the order in which they come.

    Parameters
    ----------
    traces
        Runs, such as :attr:`llmopt.benchmarks.results.Results.traces`.
    rng
        Draws the bootstrap of the expected running times.
    """
    rows = []
    for problem, listed in by_problem(traces).items():
        at = fixed_budgets(max(len(trace.losses) for trace in listed))
        by_solver: dict[str, list[Trace]] = {}
        for trace in listed:
            by_solver.setdefault(trace.record.solver, []).append(trace)
        rows += [_row(problem, runs, at, rng) for runs in by_solver.values()]
    return rows


def runtimes_of(traces: Sequence[Trace]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what r runs needed to their own targets, infinite where they failed, and what they spent; shapes (r,)."""
    spent = np.array([trace.record.evaluations for trace in traces], dtype=np.float64)
    return np.where([trace.record.success for trace in traces], spent, np.inf), spent


def steps_of(traces: Sequence[Trace]) -> NDArray[np.float64]:
    """Return the steps that r runs needed to their own targets, infinite where they failed; shape (r,)."""
    return np.array([trace.record.steps if trace.record.success else np.inf for trace in traces])


def fixed_budgets(most: int) -> NDArray[np.int64]:
    """Return the numbers of evaluations at which solvers are compared, up to and with ``most``.

    Examples
    --------
    >>> fixed_budgets(60).tolist()
    [1, 2, 5, 10, 20, 50, 60]
    """
    found = np.outer(10 ** np.arange(len(str(most))), [1, 2, 5]).ravel()
    return np.union1d(found[found <= most], [most])


def best_so_far(losses: ArrayLike, evaluations: ArrayLike) -> NDArray[np.float64]:
    """Return the smallest loss of a run after numbers of evaluations; after its end, that of the whole run.

    Parameters
    ----------
    losses
        In the order of the evaluations, shape (n,); NaN where there is none.
    evaluations
        From 1, shape (b,).

    Returns
    -------
    ndarray
        Shape (b,), infinite where nothing has a score yet.

    Examples
    --------
    >>> best_so_far([np.nan, 3.0, 4.0, 1.0], [1, 2, 3, 10]).tolist()
    [inf, 3.0, 3.0, 1.0]
    """
    best = running_best(np.append(np.inf, np.asarray(losses, dtype=np.float64)))
    last: NDArray[np.intp] = np.minimum(np.asarray(evaluations, dtype=np.intp), len(best) - 1)
    return best[last]


def _row(problem: str, traces: Sequence[Trace], at: NDArray[np.int64], rng: np.random.Generator) -> Metrics:
    records = [trace.record for trace in traces]
    runs, successes = len(records), sum(record.success for record in records)
    times, spent = runtimes_of(traces)
    known = informed(records)
    proposals = max(1, sum(record.proposals for record in records))
    best = np.array([best_so_far(trace.losses, at) for trace in traces])
    scores = np.median(np.where([[trace.run.maximize] for trace in traces], -best, best) + 0.0, axis=0)
    gaps = _best_gaps(traces, best)
    relative = gaps is not None and all(r.relative_gap is not None for r in records if r.gap is not None)

    inside = [record.evaluation_seconds for record in records]
    overhead = [None if part is None else record.seconds - part for record, part in zip(records, inside, strict=True)]
    return Metrics(
        problem=problem,
        solver=records[0].solver,
        access=known.access,
        llm=known.llm,
        target=any(trace.target is not None for trace in traces),
        runs=runs,
        successes=successes,
        success=Estimate(successes / runs, *wilson(successes, runs)),
        ert=Estimate(ert(times, spent), *(ert_interval(times, spent, rng) if runs >= FEWEST else (None, None))),
        evaluations=Quartiles(*quantiles(times, [0.25, 0.5, 0.75]).tolist()),
        steps=Quartiles(*quantiles(steps_of(traces), [0.25, 0.5, 0.75]).tolist()),
        unique_pairs=fmean(record.unique_pairs for record in records),
        gap=_median([record.gap for record in records]) if gaps is not None else None,
        relative_gap=_median([record.relative_gap for record in records]) if relative else None,
        duplicates=sum(record.duplicates for record in records) / proposals,
        invalid=sum(record.invalid for record in records) / proposals,
        llm_calls=fmean(record.llm_calls for record in records),
        prompt_tokens=fmean(record.prompt_tokens for record in records),
        cached_tokens=fmean(record.cached_tokens for record in records),
        completion_tokens=fmean(record.completion_tokens for record in records),
        cost_usd=_mean([record.cost_usd for record in records]),
        seconds=fmean(record.seconds for record in records),
        evaluation_seconds=_mean(inside),
        overhead_seconds=_mean(overhead),
        budgets=tuple(at.tolist()),
        best_scores=tuple(scores.tolist()),
        best_gaps=None if gaps is None else tuple(gaps.tolist()),
    )


def _best_gaps(traces: Sequence[Trace], best: NDArray[np.float64]) -> NDArray[np.float64] | None:
    # A run that evaluated nothing does not say what its optimum is, but is infinitely far from it.
    ran = [trace for trace in traces if len(trace.losses)]
    if not ran or any(trace.optimum is None for trace in ran):
        return None
    return np.median(best - [[trace.optimum or 0.0] for trace in traces], axis=0)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def _median(gaps: Sequence[float | None]) -> float:
    # Of a run without a score.
    return float(np.median([np.inf if gap is None else gap for gap in gaps]))

"""What the runs show of the solvers: expected running times with intervals, sentences, and average ranks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from llmopt.benchmarks.metrics import Estimate, Metrics, Quartiles, measure
from llmopt.benchmarks.ratio import ratio_of_evaluations, sentence
from llmopt.benchmarks.results import Trace
from llmopt.benchmarks.statistics import Friedman, friedman, pair
from llmopt.report.safe import one_line
from llmopt.report.table import Column, Table

# Solvers of which every two are compared; of more, the best one with each of the others.
_ALL_PAIRS = 5
# An interval is drawn by chance; the same results give the same page.
_SEED = 0


@dataclass(frozen=True)
class Ranking:
    """Average ranks of solvers, and what their differences show."""

    solvers: tuple[str, ...]
    result: Friedman


def expected(traces: Sequence[Trace]) -> Table | None:
    """Return the table of successes and expected running times on one problem; None where no run had a target."""
    if not _has_target(traces):
        return None
    rows = [_row(each) for each in measure(traces, np.random.default_rng(_SEED))]
    columns = [
        Column("solver", number=False),
        Column("runs", "solved"),
        Column("success %", "(95 % interval)"),
        Column("expected evaluations", "(95 % interval)"),
        Column("evaluations", "median (quartiles)"),
        Column("known already", "% of proposals"),
        Column("not legal", "% of proposals"),
    ]
    notes = [
        "expected evaluations until solved (ERT): those of all runs, failures included, for each success, with a "
        "bootstrap interval over at least 5 runs; the interval of the success is Wilson's",
        "inf: too many runs failed",
    ]
    return Table("Success and expected running time", columns, rows, notes)


def _row(found: Metrics) -> list[str]:
    return [
        one_line(found.solver),
        f"{found.successes}/{found.runs}",
        _estimate(found.success, 100),
        _estimate(found.ert),
        _quartiles(found.evaluations),
        f"{100 * found.duplicates:.1f}",
        f"{100 * found.invalid:.1f}",
    ]


def _estimate(found: Estimate, times: int = 1) -> str:
    if found.low is None or found.high is None:
        return _number(times * found.value)
    return f"{_number(times * found.value)} ({_number(times * found.low)} to {_number(times * found.high)})"


def _quartiles(found: Quartiles) -> str:
    return f"{_number(found.median)} ({_number(found.low)} to {_number(found.high)})"


def _number(value: float) -> str:
    return "inf" if math.isinf(value) else f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.1f}"


def sentences(traces: Sequence[Trace], found: Ranking | None) -> list[str]:
    """Say of pairs of solvers which one needs fewer evaluations, and how sure that is; nothing without a target.

    Parameters
    ----------
    traces
        The runs.
    found
        Their :func:`ranking`.
    """
    if not _has_target(traces):
        return []
    order = [solver for solver, _ in _ranked(traces, found)]
    pairs: Iterable[tuple[str, str]] = combinations(order, 2)
    if len(order) > _ALL_PAIRS:
        # Every solver beside the best one, and beside those that ask a model.
        asking = {trace.record.solver for trace in traces if trace.record.llm is not None}
        pairs = [both for both in pairs if both[0] == order[0] or asking.intersection(both)]
    rng = np.random.default_rng(_SEED)
    return [one_line(sentence(ratio_of_evaluations(pair(traces, both), rng))) for both in pairs]


def ranking(traces: Sequence[Trace]) -> Ranking | None:
    """Return average ranks of the solvers; None where there are fewer than three, or they share too few instances."""
    solvers = _solvers(traces)
    if len(solvers) < 3:
        return None
    paired = pair(traces, solvers)
    return Ranking(solvers, friedman(paired.costs)) if len(paired) > 1 else None


def _has_target(traces: Sequence[Trace]) -> bool:
    return any(trace.target is not None for trace in traces)


def _solvers(traces: Sequence[Trace]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(trace.record.solver for trace in traces))


def _ranked(traces: Sequence[Trace], found: Ranking | None) -> list[tuple[str, float]]:
    """Return the solvers from the best on: by their average rank, or by their success where there is none."""
    if found is not None:
        return sorted(zip(found.solvers, found.result.ranks, strict=True), key=lambda item: item[1])
    shares = {
        solver: [trace.record.success for trace in traces if trace.record.solver == solver]
        for solver in _solvers(traces)
    }
    return sorted(((solver, -sum(won) / len(won)) for solver, won in shares.items()), key=lambda item: item[1])

"""How far from the start region an optimum may lie, and how much runs differ: the data of two figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmopt.benchmarks.metrics import runtimes_of, steps_of
from llmopt.benchmarks.rebuilt import rebuilt
from llmopt.benchmarks.results import Trace
from llmopt.benchmarks.runtimes import quantiles
from llmopt.history import History
from llmopt.space import Categorical, Vector


@dataclass(frozen=True)
class Reach:
    """A run, and how far from the start points the optimum of its instance lies.

    Attributes
    ----------
    problem, solver, instance, repeat
        The run.
    distance
        See :func:`distance_to_region`, in the units of the variables.
    steps, evaluations
        Up to the target; infinite where it was not reached.
    """

    problem: str
    solver: str
    instance: int
    repeat: int
    distance: float
    steps: float
    evaluations: float


def reaches(traces: Iterable[Trace], history: Callable[[Trace], History]) -> list[Reach]:
    """Return the runs on vectors of numbers whose optimal solution is known, without those that did not come about.

    The start points are those of step 0 in the log; the optimal solution is that of the problem, which is built anew
    from what was asked for.

    Parameters
    ----------
    traces
        Runs, such as :attr:`llmopt.benchmarks.results.Results.traces`.
    history
        Reads what a run has evaluated; asked once for each instance.
    """
    distances: dict[tuple[str, int], float | None] = {}
    found = []
    for trace in traces:
        if not len(trace.losses):
            continue
        key = trace.problem, trace.record.instance
        if key not in distances:
            distances[key] = _distance(trace, history)
        if (distance := distances[key]) is not None:
            (times, _), steps = runtimes_of([trace]), steps_of([trace])
            found.append(Reach(key[0], trace.record.solver, key[1], trace.record.repeat, distance, *steps, *times))
    return found


def distance_to_region(point: ArrayLike, starts: ArrayLike) -> float:
    """Return the Euclidean distance of a point, shape (d,), from the smallest box around start points, shape (s, d).

    Examples
    --------
    >>> distance_to_region([23, 14], [[10, 10], [20, 18], [12, 19]])
    3.0
    """
    x, region = np.asarray(point, dtype=np.float64), np.asarray(starts, dtype=np.float64)
    return float(np.linalg.norm(x - np.clip(x, region.min(axis=0), region.max(axis=0))))


@dataclass(frozen=True)
class Spread:
    """How much values differ over runs, in their units.

    Attributes
    ----------
    std
        Standard deviation (n - 1 in the denominator); infinite where a run failed, None for fewer than two runs.
    iqr
        Distance of the quartiles; infinite where a quarter of the runs failed.
    """

    std: float | None
    iqr: float


@dataclass(frozen=True)
class RunSpread:
    """How much the runs of a solver on a problem differ.

    Attributes
    ----------
    problem, solver
        What was run on what.
    method
        The solver without the setting that says how many proposals a step has, so that solvers that differ in it alone
        share it.
    samples
        Proposals per step.
    runs, successes
        How many there are, and how many reached the target.
    evaluations, steps
        Up to the target.
    """

    problem: str
    solver: str
    method: str
    samples: int
    runs: int
    successes: int
    evaluations: Spread
    steps: Spread


def run_spreads(traces: Iterable[Trace]) -> list[RunSpread]:
    """Return one row for each problem and solver that proposes a set number of solutions per step."""
    groups: dict[tuple[str, str, int], list[Trace]] = {}
    for trace in traces:
        if (samples := trace.run.identity["solver"]["settings"].get("batch")) is not None:
            groups.setdefault((trace.problem, trace.record.solver, samples), []).append(trace)
    return [
        RunSpread(
            problem,
            solver,
            ":".join(part for part in solver.split(":") if part.partition("=")[0] not in ("samples", "batch")),
            samples,
            len(listed),
            sum(trace.record.success for trace in listed),
            spread(runtimes_of(listed)[0]),
            spread(steps_of(listed)),
        )
        for (problem, solver, samples), listed in groups.items()
    ]


def spread(values: NDArray[np.float64]) -> Spread:
    """Return how much values, shape (n,), differ; infinite ones are runs that failed.

    Examples
    --------
    >>> spread(np.array([1.0, 2.0, 3.0])), spread(np.array([1.0, 2.0, 3.0, 4.0, np.inf]))
    (Spread(std=1.0, iqr=1.0), Spread(std=inf, iqr=2.0))
    """
    low, high = quantiles(values, [0.25, 0.75])
    iqr = float(high - low) if np.isfinite(high) else np.inf
    if len(values) < 2:
        return Spread(None, iqr)
    return Spread(float(values.std(ddof=1)) if np.isfinite(values).all() else np.inf, iqr)


def _distance(trace: Trace, history: Callable[[Trace], History]) -> float | None:
    # A tour has none, and to build its problem anew may mean to find the optimum anew.
    if trace.optimum is None or not _on_numbers(trace):
        return None
    problem = rebuilt(trace)
    if problem is None or problem.optimum is None or problem.optimum.solution is None:
        return None
    solution, logged = problem.optimum.solution, history(trace)
    starts = np.column_stack([logged.columns[name] for name in solution])[logged.steps == 0]
    return distance_to_region(list(solution.values()), starts) if len(starts) else None


def _on_numbers(trace: Trace) -> bool:
    space = trace.space
    return isinstance(space, Vector) and not any(isinstance(v, Categorical) for v in space.variables.values())

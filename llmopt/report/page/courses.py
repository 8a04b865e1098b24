"""The course of the best score over the evaluations of a run, and over the runs of a solver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt.benchmarks.results import Trace
from llmopt.history import running_best
from llmopt.report.page.thin import LIMIT, grid

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Courses:
    """Best losses so far of one solver on one problem, over its runs.

    Attributes
    ----------
    evaluations
        Where the course is known exactly, shape (e,).
    low, median, high
        Quartiles over the runs at these, shape (e,), as :func:`best` has them; a run that has ended keeps its last
        value, and infinity stands for no score yet.
    """

    evaluations: NDArray[np.int64]
    low: Floats
    median: Floats
    high: Floats


def best(trace: Trace, *, gap: bool) -> Floats:
    """Return the best loss so far after each evaluation, infinite where there is none; ``gap`` above the optimum."""
    losses = running_best(trace.losses)
    if gap:
        assert trace.optimum is not None
        return np.maximum(losses - trace.optimum, 0.0)
    return losses


def courses(traces: Sequence[Trace], *, gap: bool, points: int = LIMIT) -> Courses | None:
    """Return the courses of the runs of one solver; None where none has evaluated anything."""
    found = [best(trace, gap=gap) for trace in traces if len(trace.losses)]
    if not found:
        return None
    at = grid(max(map(len, found)), points)
    # On the grid alone: runs of very different lengths would not fit into one array.
    values = np.sort([curve[np.minimum(at, len(curve)) - 1] for curve in found], axis=0)
    # Quartiles that are values of runs: with "no score yet" there is no mean.
    low, high = (values[round(share * (len(values) - 1))] for share in (0.25, 0.75))
    return Courses(at, low, np.median(values, axis=0), high)


def knows_optimum(traces: Sequence[Trace]) -> bool:
    """Return whether the gap of every run is known."""
    return all(trace.optimum is not None for trace in traces)

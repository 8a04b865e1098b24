"""Pictures of landscapes and tours: those in the folder, or drawn anew."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.results import Trace
from llmopt.history import History
from llmopt.problem import Problem
from llmopt.problems.tsp import TSP
from llmopt.report import tours
from llmopt.report.pictures import (
    NEAR,
    SEARCH,
    TOURS,
    draw_search,
    drawable,
    landscape,
    near_window,
    whole_window,
)
from llmopt.space import Permutation, Vector

# Panels of a picture; more of them are too small to see anything.
_PANELS = 24
_SHOWS = {
    SEARCH: "The landscape of the loss in grey and the points that each solver visited, coloured by their order",
    NEAR: "The part of the landscape that matters: start points, optimum and every best so far, numbered in order",
    TOURS: "The best start tour, the best tour of each solver, and the shortest one where it is known",
}


@dataclass(frozen=True)
class Picture:
    """A picture and what it shows."""

    png: bytes
    alt: str
    caption: str


def found(folder: Path, traces: Sequence[Trace]) -> list[Picture]:
    """Return the pictures that a comparison has left in its folder."""
    return [_picture(name, (folder / name).read_bytes(), traces) for name in _SHOWS if (folder / name).is_file()]


def could_be_drawn(trace: Trace) -> bool:
    """Return whether solutions are of a kind of which there are pictures: two numbers, or a tour."""
    space = trace.space
    return isinstance(space, Permutation) or (isinstance(space, Vector) and len(space.variables) == 2)


def drawn(problem: Problem, traces: Sequence[Trace], history: Callable[[Trace], History]) -> list[Picture]:
    """Draw the pictures of one problem: one panel for each solver's run of its first repeat."""
    chosen = {trace.record.solver: trace for trace in reversed(traces) if trace.space is not None}
    first = [trace for trace in traces if chosen.get(trace.record.solver) is trace][:_PANELS]
    if not first or not (drawable(problem) or tours.drawable(problem)):
        return []
    runs = [Run(trace.record, history(trace)) for trace in first]
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        # A missing glyph in a solver's name is no news for the user.
        warnings.simplefilter("ignore")
        path = Path(folder)
        if drawable(problem):
            land = landscape(problem)
            near = near_window(land, runs)
            draw_search(land, runs, whole_window(land.space), path / SEARCH, numbered=near is None)
            if near is not None:
                draw_search(land, runs, near, path / NEAR, numbered=True)
        elif isinstance(problem, TSP):
            tours.draw_tours(problem, runs, path / TOURS)
        return found(path, first)


def _picture(name: str, png: bytes, traces: Sequence[Trace]) -> Picture:
    caption = _SHOWS[name]
    solvers = ", ".join(dict.fromkeys(trace.record.solver for trace in traces))
    outcome = "; ".join(
        f"{trace.record.solver} {'solved it in' if trace.record.success else 'did not solve it in'} "
        f"{trace.record.evaluations:,} evaluations"
        for trace in traces
        if trace.record.repeat == traces[0].record.repeat
    )
    return Picture(png, f"{caption}. Solvers: {solvers}. {outcome}."[:1_000], caption)

"""A picture of tours: where they began, the best of each solver, and the shortest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmopt.benchmarks.execution import Run
from llmopt.problem import Problem
from llmopt.problems.tsp import TSP
from llmopt.report.canvas import canvas, save, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 4
# Cities get their number where there are no more than this.
_NUMBERED = 30


def drawable(problem: Problem) -> bool:
    """Return whether a problem has tours that can be drawn: cities with coordinates."""
    return isinstance(problem, TSP) and problem.points is not None


def draw_tours(problem: TSP, runs: Sequence[Run], path: Path) -> None:
    """Draw one panel for the best start point, one for the best tour of each run, one for the shortest tour.

    Parameters
    ----------
    problem
        Has points.
    runs
        All of this problem; the first one's start points are drawn.
    path
        Of the PNG file.
    """
    assert problem.points is not None
    panels: list[tuple[str, Any, str]] = []
    starts = runs[0].history[: int(np.count_nonzero(runs[0].history.steps == 0))]
    scored = [start for start in starts if start.status == "ok"]
    if scored:
        best = min(scored, key=lambda start: start.loss)
        panels.append((f"best start point\nlength {best.score:,.6g}", best.solution, "tab:gray"))
    for run in runs:
        incumbent = run.history.incumbent
        if incumbent is not None:
            count = run.record.evaluations
            title = f"{short(run.record.solver)}\nlength {incumbent.score:,.6g}, {count:,} evaluations"
            panels.append((title, incumbent.solution, "tab:blue" if run.record.access == "scores" else "tab:orange"))
    optimum = problem.optimum
    if optimum is not None and optimum.solution is not None:
        panels.append((f"shortest\nlength {optimum.score:,.6g}", optimum.solution, "tab:green"))
    rows, columns = math.ceil(len(panels) / _COLUMNS), min(len(panels), _COLUMNS)
    figure = canvas(3.2 * columns, 3.4 * rows + 0.4)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, (title, tour, colour) in zip(axes, panels, strict=False):
        _draw(axis, problem.points, tour, colour)
        axis.set_title(title, fontsize=9, parse_math=False)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    figure.suptitle("repeat 1; blue: the solver is told lengths only, orange: it looks at the distances", fontsize=9)
    save(figure, path)


def _draw(axis: Axes, points: NDArray[np.float64], tour: ArrayLike, colour: str) -> None:
    order = np.asarray(tour)
    axis.plot(*points[np.append(order, order[0])].T, color=colour, linewidth=1.2, marker="o", markersize=3)
    if len(points) <= _NUMBERED:
        for city, place in enumerate(points):
            axis.annotate(str(city), place, xytext=(3, 3), textcoords="offset points", fontsize=6)
    axis.set_aspect("equal", adjustable="datalim")
    axis.tick_params(labelsize=7)

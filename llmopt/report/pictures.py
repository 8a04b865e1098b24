"""Pictures of a comparison: where each solver looked, and how fast it came near."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.execution import Run
from llmopt.budget import Budget
from llmopt.history import History
from llmopt.objective import Objective, Proposals, Stopped
from llmopt.problem import Problem
from llmopt.problems.tsp import TSP
from llmopt.report import tours
from llmopt.report.canvas import canvas, save, short
from llmopt.report.folder import PICTURES, Folder
from llmopt.space import Categorical, Columns, Vector, take

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEARCH, NEAR, TOURS, PROGRESS = PICTURES
# Per axis of the landscape; whole numbers are not drawn finer than they are.
_GRID = 201
_LANDSCAPE_SECONDS = 5.0
_PROBES = 4
_COLUMNS = 4
# Points get their number where no more than this are in a panel.
_NUMBERED = 60
# Of the area of the box: a part larger than this is no close-up.
_NEAR = 0.5

Floats = NDArray[np.float64]


def draw(comparison: Comparison, runs: Sequence[Run], folder: Folder) -> list[str]:
    """Draw what can be drawn of the runs and return the names of the pictures.

    Where the space has two numeric variables, ``search.png`` shows repeat 0 in the whole box and
    ``search-near.png`` in the part that matters; where cities have coordinates, ``tours.png`` shows the tours of
    repeat 0; ``progress.png`` shows all repeats.

    Raises
    ------
    NotWritten
        The folder cannot be written any more.
    """
    drawn = []
    first = [run for run in runs if run.record.repeat == 0 and len(run.history)]
    problem = comparison.problems[0]
    with warnings.catch_warnings():
        # A missing glyph in a solver's name is no news for the user.
        warnings.simplefilter("ignore")
        if first and drawable(problem):
            land = landscape(problem)
            near = near_window(land, first)
            windows = {SEARCH: whole_window(land.space), NEAR: near}
            for name, window in windows.items():
                if window is not None:
                    with folder.picture(name) as path:
                        draw_search(land, first, window, path, numbered=window is near or near is None)
                    drawn.append(name)
        if first and isinstance(problem, TSP) and tours.drawable(problem):
            with folder.picture(TOURS) as path:
                tours.draw_tours(problem, first, path)
            drawn.append(TOURS)
        if any(run.history.incumbent for run in runs):
            with folder.picture(PROGRESS) as path:
                draw_progress(comparison, runs, path)
            drawn.append(PROGRESS)
    return drawn


def drawable(problem: Problem) -> bool:
    """Return whether a problem has a landscape: two variables, both numbers, both with more than one value."""
    space = problem.space
    return (
        isinstance(space, Vector)
        and len(space.variables) == 2
        and not any(isinstance(variable, Categorical) or variable.size == 1 for variable in space.variables.values())
    )


@dataclass(frozen=True)
class Landscape:
    """The loss over a grid in the box of two variables.

    ``excess`` is the loss above the smallest one of the grid, shape (len(y), len(x)); NaN where it is not known.
    """

    space: Vector
    x: Floats
    y: Floats
    excess: Floats
    optimum: Floats | None

    @property
    def levels(self) -> Floats | None:
        """Levels of contours, evenly spaced in the logarithm; None where there is nothing to draw."""
        positive = self.excess[self.excess > 0]
        if not len(positive):
            return None
        high = float(np.max(positive))
        low = max(float(np.min(positive)), high * 1e-8)
        levels: Floats = np.geomspace(low, high, 17)
        return levels if low < high else None


def draw_search(land: Landscape, runs: Sequence[Run], window: Floats, path: Path, *, numbered: bool) -> None:
    """Draw one panel per run: contours of the loss, and the visited points coloured by their order.

    Parameters
    ----------
    land, runs
        What is drawn.
    window
        The part of the box that is shown, shape (2, 2): low and high of each variable.
    path
        Of the PNG file.
    numbered
        Write its number beside each point of a panel that does not hold too many.
    """
    from matplotlib.colors import LogNorm

    rows = math.ceil(len(runs) / _COLUMNS)
    columns = min(len(runs), _COLUMNS)
    figure = canvas(3.5 * columns + 1.6, 3.4 * rows + 0.7)
    axes = figure.subplots(rows, columns, squeeze=False)
    levels = land.levels
    names = [f"{name} (log)" if getattr(v, "log", False) else name for name, v in land.space.variables.items()]
    filled = None
    for i, (axis, run) in enumerate(zip(axes.ravel(), runs, strict=False)):
        if levels is not None:
            shown, norm = np.maximum(land.excess, levels[0]), LogNorm(levels[0], levels[-1])
            filled = axis.contourf(land.x, land.y, shown, levels=levels, norm=norm, cmap="Greys_r")
            axis.contour(land.x, land.y, shown, levels=levels, colors="white", linewidths=0.3)
        points = _draw_points(axis, run.history, land, window, numbered)
        axis.set_xlim(*window[0])
        axis.set_ylim(*window[1])
        axis.tick_params(labelsize=8)
        if i + columns >= len(runs):
            axis.set_xlabel(names[0], parse_math=False)
        if i % columns == 0:
            axis.set_ylabel(names[1], parse_math=False)
        record = run.record
        how = "solved in" if record.success else "not solved in"
        axis.set_title(
            f"{short(record.solver)}\n{how} {record.evaluations:,} evaluations", fontsize=9, parse_math=False
        )
    for axis in axes.ravel()[len(runs) :]:
        axis.set_visible(False)
    share: dict[str, Any] = {"ax": axes.ravel().tolist(), "pad": 0.01, "fraction": 0.03}
    if filled is not None and levels is not None:
        first, last = math.ceil(math.log10(levels[0])), math.floor(math.log10(levels[-1]))
        bar = figure.colorbar(filled, **share, ticks=[10.0**power for power in range(first, last + 1)], format="%.0e")
        bar.set_label("loss above the smallest (grey, logarithmic)", fontsize=8)
    bar = figure.colorbar(points, **share, ticks=[0, 1])
    bar.ax.set_yticklabels(["first", "last"], fontsize=8)
    bar.set_label("order of the evaluations (colour)", fontsize=8)
    handles, labels = axes.ravel()[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(handles), fontsize=8, frameon=False)
    save(figure, path)


def _draw_points(axis: Axes, history: History, land: Landscape, window: Floats, numbered: bool) -> Any:
    points = land.space.to_box(history.columns)
    order = np.linspace(0.0, 1.0, len(points))
    starts = history.steps == 0
    inside = ((points >= window[:, 0]) & (points <= window[:, 1])).all(axis=1)
    visible = int(np.count_nonzero(inside))
    size = 16.0 if visible <= 300 else 5.0 if visible <= 3_000 else 1.0
    drawn = axis.scatter(
        points[~starts, 0], points[~starts, 1], c=order[~starts], cmap="plasma", vmin=0, vmax=1, s=size, linewidths=0
    )
    improved = _improvements(history)
    axis.plot(*points[improved].T, color="tab:cyan", linewidth=1.2, marker=".", markersize=3, label="best so far")
    squares = {"marker": "s", "s": 24, "facecolors": "white", "edgecolors": "black", "linewidths": 0.8, "zorder": 3}
    _mark(axis, points[starts], "start points", squares)
    if land.optimum is not None:
        star = {"marker": "*", "s": 130, "color": "tab:red", "edgecolors": "white", "linewidths": 0.6, "zorder": 4}
        _mark(axis, land.optimum[None, :], "known optimum", star)
    if numbered and visible <= _NUMBERED:
        for row in np.flatnonzero(inside):
            axis.annotate(str(row + 1), points[row], xytext=(3, 3), textcoords="offset points", fontsize=6, zorder=5)
    return drawn


def _mark(axis: Axes, points: Floats, label: str, style: dict[str, Any]) -> None:
    axis.scatter(points[:, 0], points[:, 1], label=label, **style)


def _improvements(history: History) -> NDArray[np.int64]:
    """Return the rows that were the best so far when they came."""
    return np.flatnonzero(np.diff(history.best_so_far(), prepend=np.inf) < 0)


def whole_window(space: Vector) -> Floats:
    """Return the box with a narrow margin."""
    box = space.box
    margin = 0.02 * (box[:, 1] - box[:, 0])
    return np.column_stack([box[:, 0] - margin, box[:, 1] + margin])


def near_window(land: Landscape, runs: Sequence[Run]) -> Floats | None:
    """Return the part of the box that holds the start points, the optimum and every best so far; None where that
    is most of it."""
    space = land.space
    kept = [np.empty((0, 2)) if land.optimum is None else land.optimum[None, :]]
    for run in runs:
        rows = np.union1d(np.flatnonzero(run.history.steps == 0), _improvements(run.history))
        kept.append(space.to_box(run.history.columns)[rows])
    points = np.concatenate(kept)
    box = space.box
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.maximum(0.15 * (high - low), 0.025 * (box[:, 1] - box[:, 0]))
    whole = whole_window(space)
    window = np.column_stack([np.maximum(low - margin, whole[:, 0]), np.minimum(high + margin, whole[:, 1])])
    share = np.prod((window[:, 1] - window[:, 0]) / (whole[:, 1] - whole[:, 0]))
    return window if share < _NEAR else None


def landscape(problem: Problem) -> Landscape:
    """Return the landscape of a problem that is :func:`drawable`.

    The grid is evaluated through an objective of its own: no run is charged. It stays empty where that would
    take more than a few seconds.
    """
    space = problem.space
    assert isinstance(space, Vector)
    x, y = _ticks(space, 0), _ticks(space, 1)
    across, up = np.meshgrid(x, y)
    columns: Columns = space.from_box(np.column_stack([across.ravel(), up.ravel()]))
    objective = Objective(problem, Budget(evaluations=across.size, seconds=_LANDSCAPE_SECONDS))
    # The budget ends it exactly when the last point is evaluated. A few points tell what the grid would take.
    with suppress(Stopped):
        objective.step(Proposals(take(columns, slice(0, _PROBES))))
        if objective.evaluation_seconds / _PROBES * across.size < _LANDSCAPE_SECONDS:
            objective.step(Proposals(columns))
    losses = objective.history.losses
    if len(losses) < across.size or np.isnan(losses).all():
        losses = np.full(across.size, np.nan)
    else:
        losses = losses - np.nanmin(losses)
    optimum = problem.optimum.solution if problem.optimum is not None else None
    best = None if optimum is None else space.to_box(space.pack([optimum]))[0]
    return Landscape(space, x, y, losses.reshape(across.shape), best)


def _ticks(space: Vector, j: int) -> Floats:
    variable = list(space.variables.values())[j]
    low, high = variable.box
    count = _GRID if variable.size is None else min(_GRID, variable.size)
    # To the values that the variable has, so that no two ticks are the same solution.
    ticks: Floats = np.unique(variable.to_box(variable.from_box(np.linspace(low, high, count))))
    return ticks


def draw_progress(comparison: Comparison, runs: Sequence[Run], path: Path) -> None:
    """Draw the best score so far against the evaluations: every repeat thin, their median thick."""
    import matplotlib as mpl

    by_solver: dict[str, list[Run]] = {}
    for run in runs:
        if len(run.history):
            by_solver.setdefault(run.record.solver, []).append(run)
    known = all(run.record.optimum is not None for run in runs)
    longest = max(len(run.history) for run in runs)
    figure = canvas(8.5, 5.0)
    axis = figure.subplots()
    colours = mpl.colormaps["tab20"].colors  # type: ignore[attr-defined]
    smallest = math.inf
    for i, (solver, mine) in enumerate(by_solver.items()):
        colour = colours[(2 * i) % 20 + (2 * i) // 20 % 2]
        curves = [_curve(run, known) for run in mine]
        for curve in curves:
            axis.step(np.arange(1, len(curve) + 1), curve, where="post", color=colour, linewidth=0.6, alpha=0.45)
            positive = curve[curve > 0]
            smallest = min(smallest, float(np.min(positive, initial=math.inf)))
        median = _median(curves)
        solved = sum(run.record.success for run in mine)
        label = f"{short(solver)} ({solved}/{len(mine)} solved)"
        axis.step(np.arange(1, len(median) + 1), median, where="post", color=colour, linewidth=2.0, label=label)
    axis.set_xlabel("evaluations, start points included")
    if longest > 50:
        axis.set_xscale("log")
    if known:
        axis.set_ylabel("gap: best score so far to the known optimum")
        # The scale is linear close to zero, so that an optimum that is reached can be seen.
        axis.set_yscale("symlog", linthresh=smallest if math.isfinite(smallest) else 1.0)
        axis.set_ylim(bottom=0)
    else:
        axis.set_ylabel("best score so far")
    axis.grid(True, which="major", linewidth=0.3)
    title = f"{comparison.name}: every repeat (thin) and the median over repeats (thick)"
    axis.set_title(short(title, 100), fontsize=10, parse_math=False)
    legend = figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    save(figure, path)


def _curve(run: Run, gap: bool) -> Floats:
    history = run.history
    best = history.best_so_far()
    best = np.where(np.isinf(best), np.nan, best)
    if gap:
        assert run.record.optimum is not None
        optimum = -run.record.optimum if history.maximize else run.record.optimum
        return np.maximum(best - optimum, 0.0)
    return -best if history.maximize else best


def _median(curves: Sequence[Floats]) -> Floats:
    """Return the median over repeats; a repeat that has ended keeps its last value."""
    longest = max(map(len, curves))
    rows = np.stack([np.concatenate([curve, np.full(longest - len(curve), curve[-1])]) for curve in curves])
    # A repeat without a score yet is worse than any.
    return np.asarray(np.median(rows, axis=0), dtype=np.float64)

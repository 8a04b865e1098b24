"""The plots of scores against evaluations: of all runs of a problem, and of one run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from llmopt.benchmarks.results import Trace
from llmopt.benchmarks.targets import tolerance
from llmopt.report.canvas import short
from llmopt.report.page.chart import Figure, Style, by_solver, down_to, layout, marked_table, marks, numbers, plain
from llmopt.report.page.courses import Courses, Floats, best, courses, knows_optimum
from llmopt.report.page.thin import LIMIT, kept

# More runs than this are shown by their quartiles.
_SINGLE = 60
# Of the scores of one run.
_DOTS = 200


def convergence(traces: Sequence[Trace], styles: Mapping[str, Style], points: int = LIMIT) -> Figure | None:
    """Return the course of the best score of every solver on a problem; None where no run has a score.

    Parameters
    ----------
    traces, styles
        The runs, and how each solver is drawn.
    points
        Of a curve, at most.
    """
    traces = [trace for trace in traces if len(trace.losses)]
    gap = knows_optimum(traces)
    groups = [
        (name, style, mine, courses(mine, gap=gap, points=points)) for name, style, mine in by_solver(traces, styles)
    ]
    found = [(name, style, mine, course) for name, style, mine, course in groups if course is not None]
    if not any(np.isfinite(course.low).any() for *_, course in found):
        return None
    sign = -1.0 if traces[0].run.maximize and not gap else 1.0
    floor = _floor(traces, (course.low for *_, course in found)) if gap else None
    single = len(traces) <= _SINGLE
    plots: list[dict[str, Any]] = []
    for name, style, mine, course in found:
        line = {"color": style.colour, "shape": "hv"}
        common = {"type": "scatter", "mode": "lines", "meta": style.number}
        if single and len(mine) > 1:
            for trace in mine:
                curve = best(trace, gap=gap)
                at = kept(curve, points)
                spots = {"x": (at + 1).tolist(), "y": _height(curve[at], sign, floor)}
                plots.append({**common, **spots, "opacity": 0.35, "line": {**line, "width": 1}, "hoverinfo": "skip"})
        elif len(mine) > 1:
            for values, fill in ((course.high, "none"), (course.low, "tonexty")):
                spots = {"x": course.evaluations.tolist(), "y": _height(values, sign, floor)}
                area = {"fill": fill, "fillcolor": style.colour + "28"}
                plots.append({**common, **spots, **area, "line": {**line, "width": 0}, "hoverinfo": "skip"})
        at = kept(course.median, len(course.median) + 2)
        plots.append(
            {
                **common,
                "name": plain(name),
                "x": course.evaluations[at].tolist(),
                "y": _height(course.median[at], sign, floor),
                "customdata": numbers(sign * course.median[at]),
                "line": {**line, "width": 2.5, "dash": style.dash},
                "hovertemplate": "%{customdata:.5g} after %{x:,} evaluations",
            }
        )
    what = "gap to the optimum" if gap else "best score so far"
    form = layout("evaluations, start points included", what, max(len(trace.losses) for trace in traces))
    if floor is not None:
        highest = max(float(np.max(course.high, where=np.isfinite(course.high), initial=floor)) for *_, course in found)
        form = down_to(floor, highest, form)
    shown = "every run thin" if single else "the band from quartile to quartile"
    return Figure(
        f"{what.capitalize()}: the median over runs, {shown}",
        f"Line plot: {what} against evaluations; for each solver the median over its runs, {shown}. "
        "The table below has the same in numbers.",
        {"data": plots, "layout": form},
        _table(found, sign, what),
    )


def course_of(trace: Trace, style: Style) -> dict[str, Any] | None:
    """Return the plot of one run: each score as a dot, the best so far as a line; None where there is no score."""
    gap = knows_optimum([trace])
    curve = best(trace, gap=gap)
    if not np.isfinite(curve).any():
        return None
    sign = -1.0 if trace.run.maximize and not gap else 1.0
    floor = _floor([trace], [curve]) if gap else None
    losses = trace.losses - trace.optimum if gap and trace.optimum is not None else trace.losses
    line, dots = kept(curve), np.flatnonzero(~np.isnan(losses))
    # Of many, evenly many over the logarithm of the evaluations; the line has every improvement.
    dots = dots[kept(np.arange(len(dots)), _DOTS)]
    form = layout("evaluations", "gap to the optimum" if gap else "score", len(curve))
    if floor is not None:
        form = down_to(floor, float(np.max(losses[dots])), form)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "name": "score",
                "x": (dots + 1).tolist(),
                "y": _height(losses[dots], sign, floor),
                "marker": {"color": style.colour, "size": 5, "opacity": 0.5},
            },
            {
                "type": "scatter",
                "mode": "lines",
                "name": "best so far",
                "x": (line + 1).tolist(),
                "y": _height(curve[line], sign, floor),
                "line": {"color": style.colour, "shape": "hv", "width": 2.5},
            },
        ],
        "layout": form,
    }


def _floor(traces: Sequence[Trace], curves: Iterable[Floats]) -> float:
    """Return the gap that stands for everything that is small enough: on a logarithmic axis nothing is zero.

    It is what counts as success in every run, but not far below the smallest gap that was seen above it.
    """
    success = max(0.0, min(tolerance(trace, trace.optimum) for trace in traces if trace.optimum is not None))
    smallest = min(
        (float(np.min(curve, where=(curve > success) & np.isfinite(curve), initial=np.inf)) for curve in curves),
        default=math.inf,
    )
    return max(success, smallest / 2 if math.isfinite(smallest) else 0.0) or 1.0


def _height(values: Floats, sign: float, floor: float | None) -> list[float | None]:
    return numbers(sign * values if floor is None else np.maximum(values, floor))


def _table(found: Sequence[tuple[str, Style, list[Trace], Courses]], sign: float, what: str) -> Any:
    at = marks(max(int(course.evaluations[-1]) for *_, course in found))
    rows = []
    for name, _, _, course in found:
        values = sign * course.median[np.searchsorted(course.evaluations, at, side="right") - 1]
        rows.append([short(name), *(f"{value:.4g}" if math.isfinite(value) else "-" for value in values.tolist())])
    note = "a run that has ended keeps its last value; -: half of the runs have no score yet"
    return marked_table(f"Median {what}", at.tolist(), rows, note)

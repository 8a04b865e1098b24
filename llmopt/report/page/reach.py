"""The plots of how far optima may lie from the start points, and of how much runs differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from llmopt.benchmarks.reach import Reach, RunSpread, reaches, run_spreads
from llmopt.benchmarks.results import Trace
from llmopt.benchmarks.runtimes import quantiles
from llmopt.history import History
from llmopt.report.canvas import short
from llmopt.report.page.chart import Figure, Style, layout, numbers, plain, up_to
from llmopt.report.safe import one_line
from llmopt.report.table import Column, Table

# Points of a plot; of more runs, so many are drawn by chance, always the same ones.
_RUNS = 2_000
# Columns of the table of distances.
_RANGES = 6


def reach_figures(
    traces: Sequence[Trace], styles: Mapping[str, Style], history: Callable[[Trace], History]
) -> list[Figure]:
    """Return both plots, or those of them that the runs have the data for.

    Parameters
    ----------
    traces, styles
        The runs, and how each solver is drawn.
    history
        Reads what a run has evaluated.
    """
    found = [distance(traces, styles, history), spread(traces, styles)]
    return [figure for figure in found if figure is not None]


def distance(
    traces: Sequence[Trace], styles: Mapping[str, Style], history: Callable[[Trace], History]
) -> Figure | None:
    """Return the steps to the target against the distance of the optimum from the start points, a point for each run.

    None where the optimal solution is not known, or has the same distance in all runs.
    """
    chosen = list(traces)
    if len(chosen) > _RUNS:
        places = np.random.default_rng(0).choice(len(chosen), _RUNS, replace=False)
        chosen = [chosen[place] for place in np.sort(places).tolist()]
    rows = reaches(chosen, history)
    if len({row.distance for row in rows}) < 2:
        return None
    form = layout("distance of the optimum from the start region", "steps to the target")
    lanes = [styles[row.solver].number for row in rows]
    heights, form = up_to([row.steps for row in rows], lanes, "target not reached", form)
    plots: list[dict[str, Any]] = []
    for name, style in styles.items():
        mine = [i for i, row in enumerate(rows) if row.solver == name]
        if mine:
            points = _points(name, style, [math.isfinite(rows[i].steps) for i in mine])
            spots = {"x": numbers([rows[i].distance for i in mine]), "y": numbers(heights[mine])}
            plots.append({**points, **spots, "text": [_told(rows[i]) for i in mine]})
    note = f"; {len(chosen):,} of {len(traces):,} runs, drawn by chance" if len(chosen) < len(traces) else ""
    return Figure(
        f"Steps to the target by the distance of the optimum, a point for each run{note}",
        "Scatter plot: the steps that each run needed to its target, against the distance of the optimum from the "
        "start region; crosses above the line are runs that did not reach it. The table below has the same in numbers.",
        {"data": plots, "layout": form},
        _distances(rows, styles, note),
    )


def spread(traces: Sequence[Trace], styles: Mapping[str, Style]) -> Figure | None:
    """Return how much runs differ against the samples of a step, a line for each method on each problem.

    None where no method was run with several numbers of samples, or too many runs failed everywhere.
    """
    methods: dict[tuple[str, str], list[RunSpread]] = {}
    for row in run_spreads(trace for trace in traces if trace.target is not None):
        # One run does not differ from itself.
        if row.runs > 1:
            methods.setdefault((row.problem, row.method), []).append(row)
    several = [sorted(rows, key=lambda row: row.samples) for rows in methods.values()]
    several = [rows for rows in several if len({row.samples for row in rows}) > 1]
    rows = [row for listed in several for row in listed]
    if not any(math.isfinite(row.evaluations.iqr) for row in rows):
        return None
    lanes = [number for number, listed in enumerate(several) for _ in listed]
    form = layout("samples in a step", "evaluations, interquartile range")
    heights, form = up_to([row.evaluations.iqr for row in rows], lanes, "a quarter of the runs or more failed", form)
    samples = sorted({row.samples for row in rows})
    form["xaxis"] |= {"type": "log", "tickvals": samples, "ticktext": list(map(str, samples))}
    places = dict(zip(rows, numbers(heights), strict=True))
    plots: list[dict[str, Any]] = []
    for listed in several:
        first = styles[listed[0].solver]
        plots.append(
            {
                "type": "scatter",
                "mode": "lines",
                "meta": first.number,
                "x": [row.samples for row in listed],
                "y": [places[row] for row in listed],
                "opacity": 0.6,
                "line": {"color": first.colour, "width": 1.5, "dash": first.dash},
                "hoverinfo": "skip",
            }
        )
    for name, style in styles.items():
        mine = [row for row in rows if row.solver == name]
        if mine:
            points = _points(name, style, [math.isfinite(row.evaluations.iqr) for row in mine])
            spots = {"x": [row.samples for row in mine], "y": [places[row] for row in mine]}
            plots.append({**points, **spots, "text": [_told_of(row) for row in mine]})
    return Figure(
        "Run-to-run spread by the samples of a step",
        "Plot: the interquartile range of the evaluations that the runs of a solver needed to the target, against how "
        "many samples a step has; a line joins solvers that differ in that alone, and crosses above the dotted line "
        "are solvers of which a quarter of the runs or more failed. The table below has the same in numbers.",
        {"data": plots, "layout": form},
        _spreads(rows),
    )


def _points(name: str, style: Style, good: Sequence[bool]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plain(name),
        "meta": style.number,
        "marker": {
            "color": style.colour,
            "size": 8,
            "opacity": 0.75,
            "symbol": ["circle" if one else "x-thin" for one in good],
            "line": {"color": style.colour, "width": [0 if one else 2 for one in good]},
        },
        # Half of a point at zero would be hidden.
        "cliponaxis": False,
        "hovertemplate": "%{text}",
    }


def _told(row: Reach) -> str:
    steps = f"{row.steps:,.0f} step{'' if row.steps == 1 else 's'}" if math.isfinite(row.steps) else "not reached"
    where = plain(f"{row.problem}, instance {row.instance}, repeat {row.repeat}", 80)
    return f"{steps}, optimum {row.distance:.4g} away<br>{where}"


def _told_of(row: RunSpread) -> str:
    found = _number(row.evaluations.iqr)
    return f"{found} evaluations, {row.successes}/{row.runs} solved<br>{plain(row.problem, 80)}"


def _distances(rows: Sequence[Reach], styles: Mapping[str, Style], drawn: str) -> Table:
    """Return the median steps of each solver, by ranges of distances that hold as many distances each."""
    distances = np.unique([row.distance for row in rows])
    ranges = [(part[0], part[-1]) for part in np.array_split(distances, min(_RANGES, len(distances)))]
    columns = [Column("solver", number=False), *(Column(_range(low, high), "away") for low, high in ranges)]
    cells = [
        [short(name), *(_steps([row.steps for row in mine if low <= row.distance <= high]) for low, high in ranges)]
        for name in styles
        if (mine := [row for row in rows if row.solver == name])
    ]
    notes = [
        "median steps (runs that reached the target / runs); inf: half of the runs or more did not" + drawn,
        "away: Euclidean distance of the optimum from the smallest box around the start points, in the units of the "
        "variables",
    ]
    return Table("Steps to the target by the distance of the optimum from the start region", columns, cells, notes)


def _range(low: float, high: float) -> str:
    ends = [f"{low:.3g}", f"{high:.3g}"]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _steps(steps: Sequence[float]) -> str:
    if not steps:
        return "-"
    median = float(quantiles(steps, [0.5])[0])
    return f"{_number(median)} ({sum(map(math.isfinite, steps))}/{len(steps)})"


def _spreads(rows: Sequence[RunSpread]) -> Table:
    columns = [
        Column("solver", number=False),
        Column("problem", number=False),
        Column("samples", "in a step"),
        Column("runs", "solved"),
        Column("evaluations", "interquartile range"),
        Column("evaluations", "standard deviation"),
        Column("steps", "interquartile range"),
        Column("steps", "standard deviation"),
    ]
    cells = [
        [
            one_line(row.solver),
            one_line(row.problem),
            str(row.samples),
            f"{row.successes}/{row.runs}",
            *(_number(value) for each in (row.evaluations, row.steps) for value in (each.iqr, each.std)),
        ]
        for row in rows
    ]
    notes = ["evaluations and steps: up to the target; inf: a quarter of the runs failed, or any one (deviation)"]
    return Table("Run-to-run spread by the samples of a step", columns, cells, notes)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"

"""The plot of how many targets are reached after how many evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from llmopt.benchmarks.runtimes import ecdf
from llmopt.report.canvas import short
from llmopt.report.page.chart import Figure, Style, by_solver, layout, marked_table, marks, numbers, plain
from llmopt.report.page.courses import Floats
from llmopt.report.page.source import Part
from llmopt.report.page.thin import LIMIT, grid, kept


def reached(problems: Sequence[Part], styles: Mapping[str, Style], points: int = LIMIT) -> Figure | None:
    """Return the share of targets that each solver has reached, against the evaluations.

    Parameters
    ----------
    problems
        The runs of each. Every pair of a run and a target of its problem counts alike.
    styles
        How each solver is drawn.
    points
        Of a curve, at most.
    """
    longest = max((len(trace.losses) for part in problems for trace in part.traces), default=0)
    if not longest:
        return None
    hits: dict[str, list[Floats]] = {}
    descriptions = []
    for part in problems:
        if part.targets is None:
            continue
        descriptions.append(part.targets.describe())
        # Runs that did not come about reach nothing; the tables count them.
        for name, _, mine in by_solver([trace for trace in part.traces if len(trace.losses)], styles):
            hits.setdefault(name, []).append(part.targets.times(mine)[0].ravel())
    at, marked = grid(longest, points), marks(longest)
    plots, rows = [], []
    for name, times in hits.items():
        style = styles[name]
        share = ecdf(np.concatenate(times), at)
        chosen = kept(share, len(share) + 2)
        plots.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": plain(name),
                "x": at[chosen].tolist(),
                "y": numbers(share[chosen]),
                "meta": style.number,
                "line": {"color": style.colour, "shape": "hv", "width": 2.5, "dash": style.dash},
                "hovertemplate": "%{y:.1%} after %{x:,} evaluations",
            }
        )
        places = np.searchsorted(at, marked, side="right") - 1
        rows.append([short(name), *(f"{100 * share[place]:.1f}" for place in places)])
    form = layout("evaluations, start points included", "share of targets reached", longest)
    form["yaxis"] |= {"range": [0, 1.02], "tickformat": ".0%"}
    note = f"targets: {descriptions[0]}" if len(problems) == 1 else "targets: those of each problem, see there"
    return Figure(
        "Targets reached: the share of all pairs of a run and a target",
        "Line plot: the share of all pairs of a run and a target that is reached, against evaluations; one line for "
        f"each solver; {note}. The table below has the same in numbers.",
        {"data": plots, "layout": form},
        marked_table("Targets reached, in per cent", marked.tolist(), rows, note),
    )

"""What all interactive plots are made of, as Plotly's JSON."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmopt.benchmarks.results import Trace
from llmopt.report.canvas import short
from llmopt.report.table import Column, Table

# Told apart on white and on black: each has a contrast of 3 to both.
COLOURS = ("#2f7fc1", "#cf6a0c", "#2a9560", "#cc4a59", "#8563c9", "#148f9d", "#a06a35", "#c8579f", "#80851b", "#6f7c8a")
DASHES = ("solid", "dash", "dot", "dashdot")
# Columns of the table of a plot.
_MARKS = 6
_LOGARITHMIC = 50
_TITLE = {"size": 13}


@dataclass(frozen=True)
class Figure:
    """A plot, what it shows in words, and the same as a table."""

    title: str
    label: str
    plot: Mapping[str, Any]
    table: Table | None = None


@dataclass(frozen=True)
class Style:
    """How a solver is drawn, the same in every plot: the first ten differ in colour, more of them in their dashes."""

    number: int

    @property
    def colour(self) -> str:
        """As CSS has it."""
        return COLOURS[self.number % len(COLOURS)]

    @property
    def dash(self) -> str:
        """As Plotly has it."""
        return DASHES[self.number // len(COLOURS) % len(DASHES)]


def by_solver(traces: Sequence[Trace], styles: Mapping[str, Style]) -> list[tuple[str, Style, list[Trace]]]:
    """Return the traces of each solver, in the order of the styles."""
    groups: dict[str, list[Trace]] = {}
    for trace in traces:
        groups.setdefault(trace.record.solver, []).append(trace)
    return [(name, style, groups[name]) for name, style in styles.items() if name in groups]


def plain(text: str, length: int = 40) -> str:
    """Return a text for a label of Plotly, which takes some HTML for what it says.

    Examples
    --------
    >>> plain("<b>a</b> & c")
    '&lt;b&gt;a&lt;/b&gt; &amp; c'
    """
    return html.escape(short(text, length), quote=False)


def numbers(values: ArrayLike) -> list[float | None]:
    """Return numbers for JSON, with as many digits as can be seen; None for those that are not finite."""
    return [
        float(f"{value:.6g}") if math.isfinite(value) else None for value in np.asarray(values, dtype=float).tolist()
    ]


def layout(across: str, up: str, longest: int = 0) -> dict[str, Any]:
    """Return a layout with the names of both axes; ``longest`` is how many evaluations the first one has to show."""
    scale = {"type": "log", "dtick": 1} if longest > _LOGARITHMIC else {"rangemode": "tozero"}
    return {
        "xaxis": {"title": {"text": across, "font": _TITLE}, **scale},
        "yaxis": {"title": {"text": up, "font": _TITLE}},
        "margin": {"l": 64, "r": 16, "t": 28, "b": 48},
        "showlegend": False,
        "hovermode": "closest",
        "hoverlabel": {"namelength": -1, "align": "left"},
    }


def down_to(floor: float, highest: float, form: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layout with gaps on a logarithmic axis, where ``floor`` stands for everything that is small enough."""
    line = {"width": 1, "dash": "dot", "color": "#808890"}
    # With fewer decades Plotly's own choice of ticks has more of them.
    ticks = {"dtick": 1} if highest > 100 * floor else {}
    return {
        **form,
        "yaxis": {**form["yaxis"], "type": "log", "exponentformat": "power", **ticks},
        "shapes": [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": floor, "y1": floor, "line": line}],
        "annotations": [
            {
                "text": "solved",
                "xref": "paper",
                "x": 1,
                "xanchor": "right",
                "y": math.log10(floor),
                "yanchor": "bottom",
                "showarrow": False,
            }
        ],
    }


def marks(longest: int) -> NDArray[np.int64]:
    """Return the numbers of evaluations at which a table shows a plot.

    Examples
    --------
    >>> marks(300).tolist()
    [1, 3, 10, 30, 100, 300]
    """
    steps = [step * 10**power for power in range(10) for step in (1, 3) if step * 10**power < longest]
    return np.array([*steps[-_MARKS:], longest], dtype=np.int64)


def marked_table(title: str, at: Sequence[int], rows: Sequence[Sequence[str]], note: str) -> Table:
    """Return the table of a plot: a solver in each row, a number of evaluations in each column."""
    columns = [Column(f"{count:,}", "evaluation" if count == 1 else "evaluations") for count in at]
    return Table(title, [Column("solver", number=False), *columns], rows, [note])

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
    # With fewer decades Plotly's own choice of ticks has more of them.
    ticks = {"dtick": 1} if highest > 100 * floor else {}
    axis = {**form["yaxis"], "type": "log", "exponentformat": "power", **ticks}
    return {**form, "yaxis": axis, **_line(floor, math.log10(floor), "solved", "bottom")}


def up_to(
    heights: ArrayLike, lanes: ArrayLike, failed: str, form: Mapping[str, Any]
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return where heights are drawn, and a layout in which those that are infinite are above a line.

    The axis is logarithmic where some are large; there, what is below 0.5 is drawn at 0.5.

    Parameters
    ----------
    heights
        None of them negative, shape (n,).
    lanes
        Numbers, shape (n,): infinite heights of different ones do not hide each other.
    failed
        What an infinite one means.
    form
        The layout.
    """
    values = np.array(heights, dtype=np.float64)
    infinite = np.isinf(values)
    highest = float(np.max(values, where=~infinite, initial=1.0))
    _, lane = np.unique(np.asarray(lanes)[infinite], return_inverse=True)
    if highest > _LOGARITHMIC:
        line, scale = 1.6 * highest, {"type": "log", "dtick": 1}
        values = np.maximum(values, 0.5)
        values[infinite] = line * 1.2 ** (lane + 1)
        at = math.log10(line)
    else:
        at = line = 1.1 * highest
        scale = {"rangemode": "tozero"}
        values[infinite] = line + 0.05 * highest * (lane + 1)
    marked = _line(line, at, failed, "top") if infinite.any() else {}
    return values, {**form, "yaxis": {**form["yaxis"], **scale}, **marked}


def _line(height: float, at: float, text: str, anchor: str) -> dict[str, Any]:
    """Return a line across a plot with a text at its end; ``at`` is the height as the axis has it."""
    line = {"width": 1, "dash": "dot", "color": "#808890"}
    words = {"text": text, "xref": "paper", "x": 1, "xanchor": "right", "y": at, "yanchor": anchor, "showarrow": False}
    return {
        "shapes": [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height, "line": line}],
        "annotations": [words],
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

"""The path of a search for a text: every one that was evaluated, by step, with its score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from llmopt.benchmarks.results import Trace
from llmopt.history import History
from llmopt.report.page.chart import Figure, Style, by_solver, layout, numbers, plain
from llmopt.space import Text

# Texts of one problem that can be read in its plot; the pages of the runs have more.
_TEXTS = 1_500
_LENGTH = 160


def trajectory(
    traces: Sequence[Trace], styles: Mapping[str, Style], history: Callable[[Trace], History]
) -> Figure | None:
    """Return the scores of texts by step, each text at its point; None for solutions that are no texts."""
    traces = [trace for trace in traces if isinstance(trace.space, Text)]
    if not traces:
        return None
    plots: list[dict[str, Any]] = []
    room = _TEXTS // max(len(traces), 1)
    for name, style, mine in by_solver(traces, styles):
        x: list[int] = []
        y: list[float | None] = []
        texts: list[str] = []
        for trace in mine:
            found = history(trace)
            scores = -found.losses if found.maximize else found.losses
            scored = np.flatnonzero(~np.isnan(scores))[:room]
            x += found.steps[scored].tolist()
            y += numbers(scores[scored])
            solutions = found.space.rows_to_json({key: values[scored] for key, values in found.columns.items()})
            texts += [plain(str(solution), _LENGTH) for solution in solutions]
        plots.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plain(name),
                "x": x,
                "y": y,
                "text": texts,
                "meta": style.number,
                "marker": {"color": style.colour, "size": 8, "opacity": 0.7},
                "hovertemplate": "%{y:.4g} in step %{x}<br>%{text}",
            }
        )
    label = (
        "Scatter plot: the score of every instruction that was evaluated, against its step. The pages of the runs have "
        "the same as tables."
    )
    return Figure("Instructions by step", label, {"data": plots, "layout": layout("step", "score")})

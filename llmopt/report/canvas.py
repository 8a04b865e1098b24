"""What all pictures are drawn on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmopt.report.safe import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110


def canvas(width: float, height: float) -> Figure:
    """Return an empty figure of that many inches."""
    # Without pyplot: no display, no state that is shared.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def short(text: str, length: int = 40) -> str:
    """Return a text as one line of at most so many characters."""
    text = one_line(text)
    return text if len(text) <= length else text[: length - 3] + "..."

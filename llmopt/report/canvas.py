"""What all pictures are drawn on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmopt.report.safe import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 110


def canvas(width: float, height: float) -> Figure:
    """Return an empty figure of that many inches."""
    # Without pyplot: no display, no state that is shared.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG file."""
    # Arranged once: each of the two passes of savefig would do it again, which takes longer than to draw.
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    figure.set_layout_engine("none")
    figure.savefig(path, dpi=_DPI, format="png")


def short(text: str, length: int = 40) -> str:
    """Return a text as one line of at most so many characters."""
    text = one_line(text)
    return text if len(text) <= length else text[: length - 3] + "..."

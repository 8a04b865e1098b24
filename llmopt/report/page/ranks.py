"""The diagram of average ranks and critical differences (Demsar 2006, section 3.2.4), as SVG."""

from __future__ import annotations

import math

from llmopt.report.canvas import short
from llmopt.report.page.markup import Markup, element, joined
from llmopt.report.page.statistics import Ranking

_WIDTH, _EDGE, _LINE, _TOP = 760, 240, 20, 44


def diagram(ranking: Ranking) -> Markup:
    """Return the diagram: an axis of ranks, each solver at its own, and a bar over those that do not differ."""
    found = ranking.result
    count = len(ranking.solvers)
    order = sorted(range(count), key=lambda i: found.ranks[i])

    def x(rank: float) -> float:
        return round(_EDGE + (_WIDTH - 2 * _EDGE) * (rank - 1) / (count - 1), 1)

    bars = _TOP + 10 + 9 * len(found.groups)
    half = math.ceil(count / 2)
    parts = [_stroke(x(1), _TOP, x(count), _TOP)]
    for rank in range(1, count + 1):
        parts += [_stroke(x(rank), _TOP - 5, x(rank), _TOP), _label(x(rank), _TOP - 10, str(rank), "middle")]
    for i, group in enumerate(found.groups):
        ranks = [found.ranks[member] for member in group]
        height = _TOP + 10 + 9 * i
        parts.append(_stroke(x(min(ranks)) - 4, height, x(max(ranks)) + 4, height, width=4))
    for place, i in enumerate(order):
        best = place < half
        height = bars + 14 + _LINE * (place if best else count - 1 - place)
        end, anchor = (_EDGE - 12, "end") if best else (_WIDTH - _EDGE + 12, "start")
        at = x(found.ranks[i])
        parts.append(element("polyline", points=f"{at},{_TOP} {at},{height} {end},{height}", class_="thin"))
        name = f"{short(ranking.solvers[i], 24)} {found.ranks[i]:.2f}"
        parts.append(_label(end + (-6 if best else 6), height + 4, name, anchor))
    height = bars + 14 + _LINE * half
    label = "Average ranks, 1 is best: " + ", ".join(f"{ranking.solvers[i]} {found.ranks[i]:.2f}" for i in order)
    return element(
        "svg",
        joined(parts),
        class_="ranks",
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        aria_label=label,
    )


def explained(ranking: Ranking) -> str:
    """Say what the diagram shows."""
    found = ranking.result
    return (
        f"Average ranks over {found.instances:,} instances that all solvers ran on, 1 is best (Friedman's test that "
        f"all are alike: p = {found.p_value:.2g}). A thick bar joins solvers whose ranks differ by less than the "
        f"critical difference of {found.critical_difference:.2f} (Nemenyi, 5 %): no difference is shown between them."
    )


def _stroke(x1: float, y1: float, x2: float, y2: float, width: int = 1) -> Markup:
    return element("line", x1=str(x1), y1=str(y1), x2=str(x2), y2=str(y2), stroke_width=width)


def _label(x: float, y: float, text: str, anchor: str) -> Markup:
    return element("text", text, x=str(x), y=str(y), text_anchor=anchor)

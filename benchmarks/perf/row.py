"""A row of the table: what was measured, what it is compared with, and whether the target holds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Comparison: TypeAlias = Literal["none", "ratio", "difference"]


@dataclass(frozen=True)
class Row:
    """One figure.

    Parameters
    ----------
    what
        What was measured.
    measured, unit
        The figure.
    beside, beside_what
        The figure that it is compared with, in the same unit, and what that is; None where there is none.
    compared
        How: what the target limits is the figure itself, its ratio to ``beside`` or its difference from it.
    ratio
        In place of measured / beside: the median of the ratios within pairs, where pairs were measured.
    limit
        The most that the target allows; None where the row has no target.
    """

    what: str
    measured: float
    unit: str
    beside: float | None = None
    beside_what: str = ""
    compared: Comparison = "none"
    ratio: float | None = None
    limit: float | None = None

    @property
    def value(self) -> float:
        """What the target limits."""
        if self.beside is None or self.compared == "none":
            return self.measured
        if self.compared == "difference":
            return self.measured - self.beside
        return self.measured / self.beside if self.ratio is None else self.ratio

    @property
    def holds(self) -> bool | None:
        """Whether the target holds; None where there is none."""
        return None if self.limit is None else self.value <= self.limit


def alternate(sides: Sequence[Callable[[], float]], rounds: int) -> list[list[float]]:
    """Return the figures of every side over several rounds; each round starts with another side.

    Sides that are measured in turn meet the same load of the machine, and none always comes first.
    """
    figures: list[list[float]] = [[] for _ in sides]
    for i in range(rounds):
        for j in range(len(sides)):
            k = (i + j) % len(sides)
            figures[k].append(sides[k]())
    return figures


def median_ratio(measured: Sequence[float], beside: Sequence[float]) -> float:
    """Return the median of the ratios within each round."""
    return statistics.median(a / b for a, b in zip(measured, beside, strict=True))

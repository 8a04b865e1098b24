"""``bounds`` as SciPy has them: variables without names, whose points are arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.result import OptimizeResult
from llmopt.space import Float, Vector


def space_of(bounds: Sequence[tuple[float, float]]) -> Vector:
    """Return the space that ``bounds`` stand for; the variables are named by their places."""
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):  # scipy.optimize.Bounds
        bounds = list(zip(bounds.lb, bounds.ub, strict=True))
    try:
        pairs = [(float(low), float(high)) for low, high in bounds]
    except (TypeError, ValueError):
        raise InvalidInput(f"bounds must be a list of (low, high) pairs, not {bounds!r}") from None
    return Vector({f"x{i}": Float(low, high) for i, (low, high) in enumerate(pairs)})


def named_points(names: list[str], what: str, points: Sequence[Any]) -> list[dict[str, float]]:
    """Return points as solutions; ``what`` they are is for the message."""
    try:
        return [dict(zip(names, map(float, x), strict=True)) for x in points]
    except (TypeError, ValueError):
        raise InvalidInput(f"{what} must be a list of points of {len(names)} numbers each, not {points!r}") from None


def named_earlier(names: list[str], earlier: Sequence[tuple[Any, float]]) -> list[tuple[Any, float]]:
    """Return pairs of a point and its score as pairs of a solution and its score."""
    try:
        points, scores = zip(*earlier, strict=True) if earlier else ((), ())
    except (TypeError, ValueError):
        raise InvalidInput(f"earlier must be a list of pairs of a point and its score, not {earlier!r}") from None
    return list(zip(named_points(names, "earlier", points), scores, strict=True))


def as_array(result: OptimizeResult) -> OptimizeResult:
    """Return a result whose solution is the array that ``bounds`` stand for."""
    return result if result.x is None else dataclasses.replace(result, x=np.array(list(result.x.values())))

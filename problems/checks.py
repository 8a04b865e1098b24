"""Checks of settings that several problems take."""

from __future__ import annotations

import math

import numpy as np

from llmopt.errors import InvalidInput

LARGEST = 1_000_000_000


def whole(name: str, value: object, low: int = -LARGEST, high: int = LARGEST) -> int:
    """Return a whole number of [low, high] as an int.

    Raises
    ------
    InvalidInput
        It is something else, or outside.
    """
    integral = isinstance(value, int | np.integer) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not integral or not low <= value <= high:  # type: ignore[operator]
        raise InvalidInput(f"{name}={value!r} is not legal; give a whole number from {low:,} to {high:,}")
    return int(value)  # type: ignore[call-overload,no-any-return]


def number(name: str, value: object, low: float = -LARGEST, high: float = LARGEST) -> float:
    """Return a number of [low, high] as a float.

    Raises
    ------
    InvalidInput
        It is something else, or outside.
    """
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or not low <= value <= high:  # type: ignore[arg-type,operator]
        raise InvalidInput(f"{name}={value!r} is not legal; give a number from {low:,} to {high:,}")
    return float(value)  # type: ignore[arg-type]


def not_empty(low: float, high: float) -> None:
    """Raise InvalidInput where [low, high] is empty."""
    if low > high:
        raise InvalidInput(f"the space is empty, since low={low} is greater than high={high}; give low <= high")

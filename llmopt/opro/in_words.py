"""What a classical solver has found out about a vector, in words that a model reads."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from llmopt.opro.distribution import Shape
from llmopt.space.relaxation import Relaxation
from llmopt.space.variables import Categorical
from llmopt.space.vector import Vector

STRONG = 0.7
"""From where on a correlation is worth a word."""
PAIRS = 3
"""Correlations that are named, at most."""


def in_words(space: Vector, relaxation: Relaxation, shape: Shape, incumbent: Mapping[str, Any] | None = None) -> str:
    """Say where the best solution is, how far from the best ones a distribution searches, and which variables go
    together.

    Parameters
    ----------
    space
        The vector whose ``relaxation`` the distribution lies in.
    relaxation
        Its unit turns deviations into the user's units: of a variable on a logarithmic scale into a factor.
    shape
        How it lies.
    incumbent
        The best solution so far; None: there is none yet.

    Returns
    -------
    str
        Such as ``"the best so far is at x = 3.1 and rate = 0.02; a local search moves x by about 0.52 and rate by a
        factor of 1.3; x rises as y falls"``; choices, which have no order, are left out.
    """
    variables = [(i, name, space.variables[name]) for i, name in enumerate(relaxation.names)]
    numbers = [i for i, _, variable in variables if not isinstance(variable, Categorical)]
    if not numbers:
        return ""
    moves = shape.deviations * relaxation.unit
    said = [
        f"{name} by {_move(float(moves[i]), getattr(variable, 'log', False))}"
        for i, name, variable in variables
        if i in numbers
    ]
    pairs = [pair for pair in itertools.combinations(numbers, 2) if abs(shape.correlations[pair]) >= STRONG]
    pairs = sorted(pairs, key=lambda pair: -abs(float(shape.correlations[pair])))[:PAIRS]
    together = [_pair(relaxation.names[i], relaxation.names[j], shape.correlations[i, j] > 0) for i, j in pairs]
    best = [
        f"{name} = {_place(incumbent[name], 0.0 if getattr(variable, 'log', False) else float(moves[i]))}"
        for i, name, variable in variables
        if i in numbers and incumbent is not None
    ]
    at = [f"the best so far is at {_listed(best)}"] if best else []
    return "; ".join([*at, f"a local search moves {_listed(said)}", *together])


def _move(deviation: float, log: bool) -> str:
    return f"a factor of {np.exp(min(deviation, 700.0)):.2g}" if log else f"about {deviation:.2g}"


def _place(value: float, deviation: float) -> str:
    """Return a number with as many digits as tell it from others within a deviation."""
    if isinstance(value, int):
        return str(value)
    finer = np.log10(abs(value) / deviation) if value and 0 < deviation < np.inf else 0.0
    return f"{value:.{int(np.clip(np.ceil(finer) + 2, 3, 17))}g}"


def _pair(one: str, other: str, alike: bool) -> str:
    return f"{one} and {other} rise together" if alike else f"{one} rises as {other} falls"


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]

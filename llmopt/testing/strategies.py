"""Hypothesis strategies of the kit: spaces that are easy to read, their members, and landscapes on them."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from llmopt.problem import Problem
from llmopt.space import Categorical, Float, Int, Permutation, Space, Text, Variable, Vector

VARIABLES: tuple[Variable, ...] = (
    Float(0, 1),
    Float(-5, 5),
    Int(-50, 50),
    Int(0, 9),
    Categorical("a", "b", None),
    Float(1e-4, 1, log=True),
    Int(1, 1000, log=True),
    Float(0, 1, step=0.1),
    Int(0, 100, step=5),
    Int(3, 3),
)
"""One of every kind, the plainest first: a smaller example has an earlier one."""

LARGE = 1_000

seeds = st.integers(0, 9)
"""Seeds of runs."""


def vectors() -> SearchStrategy[Vector]:
    """Return vectors of one to four variables, too large for a short run to walk through."""
    variables = st.lists(st.sampled_from(VARIABLES), min_size=1, max_size=4)
    named = variables.map(lambda found: Vector({f"x{i + 1}": variable for i, variable in enumerate(found)}))
    return named.filter(lambda space: space.size is None or space.size >= LARGE)


def permutations() -> SearchStrategy[Permutation]:
    """Return permutations that are as large."""
    return st.builds(Permutation, st.integers(8, 12), symmetry=st.sampled_from(["none", "rotation", "dihedral"]))


def texts() -> SearchStrategy[Text]:
    """Return texts of bounded length."""
    return st.builds(Text, st.integers(20, 60), digits=st.booleans())


def members(space: Space[Any], *, least: int = 1, most: int = 5) -> SearchStrategy[list[Any]]:
    """Return lists of members of a space in the user's form, drawn by the space itself."""

    def drawn(count: int, seed: int) -> list[Any]:
        found = space.solutions(space.sample(count, np.random.default_rng(seed)))
        # Where samples are no members, one check says so, and the others do not trip over it.
        return [solution for solution in found if space.violation(solution) is None]

    return st.builds(drawn, st.integers(least, most), st.integers(0, 99)).filter(lambda found: len(found) >= least)


class Landscape(Problem):
    """A problem on any space: the distance to one of the members on a vector, a number without order elsewhere.

    Examples
    --------
    >>> problem = Landscape(Vector(x=Int(0, 4)))
    >>> sorted(problem.evaluate({"x": x}) for x in range(5))
    [0.0, 0.25, 0.25, 0.5, 0.5]
    """

    def __init__(self, space: Space[Any]) -> None:
        self.space = space
        self._aim = space.sample(1, np.random.default_rng(1))

    def evaluate(self, solution: Any) -> float:
        space = self.space
        if not isinstance(space, Vector):
            return zlib.crc32(repr(space.key(solution)).encode()) / 2**32
        low, high = space.box.T
        # What has one value has no width.
        apart = (space.to_box(space.pack([solution])) - space.to_box(self._aim))[0] / np.maximum(high - low, 1e-9)
        return float(np.abs(apart).sum())

    def describe(self) -> str:
        return "Find the solution with the smallest score of an unknown function."

    def __repr__(self) -> str:
        return f"Landscape({self.space!r})"


def landscapes(spaces: SearchStrategy[Any] | None = None) -> SearchStrategy[Problem]:
    """Return landscapes, on vectors by default."""
    found: SearchStrategy[Problem] = (vectors() if spaces is None else spaces).map(Landscape)
    return found

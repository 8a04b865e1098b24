"""Hypothesis strategies for spaces and their members."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from llmopt import Categorical, Float, Int, Permutation, Space, Text, Vector
from llmopt.space import Variable

finite = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def floats(draw: st.DrawFn) -> Float:
    kind = draw(st.sampled_from(["plain", "log", "step", "point"]))
    if kind == "log":
        low = draw(st.floats(1e-12, 1e3))
        return Float(low, low * draw(st.floats(1.0001, 1e9)), log=True)
    low = draw(finite)
    if kind == "point":
        return Float(low, low)
    high = low + draw(st.floats(1e-3, 1e6))
    if kind == "step":
        return Float(low, high, step=(high - low) / draw(st.floats(1, 50)))
    return Float(low, high)


@st.composite
def ints(draw: st.DrawFn) -> Int:
    if draw(st.booleans()):
        low = draw(st.integers(1, 50))
        return Int(low, low + draw(st.integers(0, 10_000)), log=True)
    low = draw(st.integers(-(10**6), 10**6))
    return Int(low, low + draw(st.integers(0, 10**4)), step=draw(st.integers(1, 7)))


choices = st.one_of(
    st.text(max_size=6), st.integers(-9, 9), st.booleans(), st.none(), st.floats(-5, 5, allow_nan=False)
)
categoricals = st.lists(choices, min_size=1, max_size=6, unique_by=lambda c: (type(c).__name__, c)).map(
    lambda found: Categorical(*found)
)
variables: st.SearchStrategy[Variable] = st.one_of(floats(), ints(), categoricals)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,5}", fullmatch=True)


def vectors(content: st.SearchStrategy[Variable] = variables) -> st.SearchStrategy[Vector]:
    return st.dictionaries(names, content, min_size=1, max_size=4).map(Vector)


permutations = st.builds(Permutation, st.integers(1, 12), symmetry=st.sampled_from(["none", "rotation", "dihedral"]))
texts = st.builds(
    lambda low, more, digits: Text(low + more, min_length=low, digits=digits),
    st.integers(0, 5),
    st.integers(1, 40),
    st.booleans(),
)
spaces: st.SearchStrategy[Space[Any]] = st.one_of(vectors(), permutations, texts)


def members(space: Space[Any], count: int, seed: int) -> list[Any]:
    """Return random members in the user's form."""
    return space.solutions(space.sample(count, np.random.default_rng(seed)))

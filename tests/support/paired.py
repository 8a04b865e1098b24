"""Paired runs of solvers a, b, ... with a budget of 60 evaluations, made up from their runtimes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from llmopt.benchmarks.results import Trace
from llmopt.benchmarks.statistics import Paired
from support.traces import trace

SPENT = 60
runtimes = st.integers(1, SPENT).map(float) | st.just(np.inf)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def pairs(times: Any, gaps: Any = None, problems: Sequence[str] | None = None) -> Paired:
    """Return runs of solvers a, b, ... with a budget of 60 evaluations."""
    values = np.array(times, dtype=np.float64)
    ends = np.where(np.isfinite(values), 0.0, 1.0) if gaps is None else np.array(gaps, dtype=np.float64)
    return Paired(
        tuple("abcdefgh"[: values.shape[1]]),
        tuple(problems or ["p"] * len(values)),
        values,
        np.where(np.isfinite(values), values, SPENT),
        ends,
    )


@st.composite
def paired_runs(draw: st.DrawFn, solvers: int = 2, least: int = 1) -> Paired:
    problems = draw(st.lists(st.integers(least, 8), min_size=1, max_size=3))
    count = sum(problems)
    times = draw(arrays.arrays(np.float64, (count, solvers), elements=runtimes))
    gaps = draw(arrays.arrays(np.float64, (count, solvers), elements=st.integers(1, 5).map(float) | st.just(np.inf)))
    return pairs(times, gaps, [f"p{i}" for i, n in enumerate(problems) for _ in range(n)])


def runs(solver: str, times: Sequence[float], problem: str = "p") -> list[Trace]:
    courses = [[5.0] * (SPENT if math.isinf(t) else int(t) - 1) + ([] if math.isinf(t) else [0.0]) for t in times]
    return [trace(solver, losses, problem=problem, instance=i) for i, losses in enumerate(courses)]

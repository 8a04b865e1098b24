"""How many times as many evaluations as its controls does a solver need, over many settings?

    python -P -m llmopt.benchmarks.studies.paired SOLVER DIR...

The folders are those of ``llmopt bench``. In each setting the mean evaluations of the solver are divided by those of
another on the same instances; the table has the geometric mean over the settings.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from llmopt.benchmarks.results import Results

_RESAMPLES = 10_000
CONTROLS = ("gaussian", "differential")
"""What a claim for a model is a claim over."""

Spent = dict[str, dict[str, dict[int, float]]]
"""Evaluations by solver, setting and instance; a run that failed counts with all that it spent, a lower bound."""


def geometric_ratio(one: ArrayLike, other: ArrayLike) -> tuple[float, float, float]:
    """Return the geometric mean of ``one / other`` and its bootstrap interval of 95 % over settings.

    Parameters
    ----------
    one, other
        Mean evaluations in each setting, positive, shape (s,).

    Examples
    --------
    >>> geometric_ratio([10, 20, 30], [20, 40, 60])
    (0.5, 0.5, 0.5)
    """
    logs = np.log(np.asarray(one, dtype=np.float64) / np.asarray(other, dtype=np.float64))
    rng = np.random.default_rng(0)
    drawn = logs[rng.integers(len(logs), size=(_RESAMPLES, len(logs)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return tuple(float(round(np.exp(value), 12)) for value in (logs.mean(), low, high))  # type: ignore[return-value]


def ratio(spent: Spent, solver: str, others: Sequence[str]) -> tuple[float, float, float]:
    """Compare a solver with the best of others in each setting; only instances that all of them ran count."""
    means = []
    for setting, runs in spent[solver].items():
        beside = [spent[other].get(setting, {}) for other in others]
        shared = sorted(runs.keys() & frozenset.intersection(*map(frozenset, beside)))
        if shared:
            mean, *best = (float(np.mean([found[i] for i in shared])) for found in (runs, *beside))
            means.append((mean, min(best)))
    return geometric_ratio(*np.array(means).T) if means else (np.nan, np.nan, np.nan)


def main(solver: str, *folders: str) -> None:
    """Print the table."""
    spent: Spent = defaultdict(lambda: defaultdict(dict))
    solved: dict[str, list[bool]] = defaultdict(list)
    for trace in (trace for folder in folders for trace in Results.read(Path(folder)).traces):
        record = trace.record
        spent[record.solver][trace.problem][record.instance] = float(record.evaluations)
        solved[record.solver].append(record.success)
    print(f"| solver | solved | median evaluations | evaluations of {solver} over its own (95 %) |")
    print("|---|---:|---:|---|")
    for name, runs in solved.items():
        values = [value for setting in spent[name].values() for value in setting.values()]
        beside = "" if name == solver else written(ratio(spent, solver, [name]))
        print(f"| {name} | {sum(runs)}/{len(runs)} | {np.median(values):g} | {beside} |")
    if all(control in spent for control in CONTROLS):
        beside = written(ratio(spent, solver, CONTROLS))
        print(f"| the better of {' and '.join(CONTROLS)} in each setting | | | {beside} |")


def written(found: tuple[float, float, float]) -> str:
    """Return a ratio as text."""
    value, low, high = found
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main(*sys.argv[1:])

"""How many times fewer evaluations one solver needs than another, and the sentence that says what that shows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from llmopt.benchmarks.runtimes import FEWEST, charged, ends, ert, resampled_ert
from llmopt.benchmarks.statistics import Paired


@dataclass(frozen=True)
class Ratio:
    """How many times fewer evaluations one solver needs than another.

    Attributes
    ----------
    a, b
        The solvers.
    value
        Expected running time of b over that of a on the instances they share, the geometric mean over the problems
        that at least one of them solved; NaN where there is none, or each is the only one to solve some problem.
    low, high
        Paired bootstrap over instances at 95 %; None where such a problem has fewer than five pairs.
    pairs, problems
        How many there are.
    unsolved
        On how many of the problems neither of them reached the target in any run.
    failures_a, failures_b
        How many of the pairs each of them failed on; they count with all that was spent.
    """

    a: str
    b: str
    value: float
    low: float | None
    high: float | None
    pairs: int
    problems: int
    unsolved: int
    failures_a: int
    failures_b: int


def ratio_of_evaluations(paired: Paired, rng: np.random.Generator) -> Ratio:
    """Compare the expected running times of two solvers.

    Within each problem the pairs of runs are resampled, the same ones for both solvers; the problems stay as they are.

    Parameters
    ----------
    paired
        Runs of two solvers.
    rng
        Draws the resamples.
    """
    a, b = paired.solvers
    spent, success = charged(paired.times, paired.evaluations)
    rows = paired.rows()
    solved = [p for p in rows if success[p].any()]
    value, low, high = math.nan, None, None
    # Where a problem, or a resample of it, is solved by one of the two alone, infinities meet: the result is undefined.
    with np.errstate(invalid="ignore"):
        if solved:
            needed = [[ert(paired.times[p, i], paired.evaluations[p, i]) for i in (0, 1)] for p in solved]
            value = float(np.exp(np.mean(np.diff(np.log(needed)))))
        if solved and min(len(p) for p in solved) >= FEWEST:
            found = [np.diff(np.log(resampled_ert(spent[p], success[p], rng))) for p in solved]
            low, high = (float(np.exp(end)) for end in ends(np.mean(found, axis=0)))
    failed_a, failed_b = np.sum(~success, axis=0).tolist()
    return Ratio(a, b, value, low, high, len(paired), len(rows), len(rows) - len(solved), failed_a, failed_b)


def sentence(ratio: Ratio) -> str:
    """Say what a ratio shows, in words; the solver that needed fewer evaluations comes first.

    Examples
    --------
    >>> sentence(Ratio("opro", "tpe", 3.5, 2.25, 5.0, 20, 4, 0, 0, 0))
    'opro needs 3.5 times fewer evaluations than tpe (95 % interval 2.25 to 5, 20 paired runs on 4 problems).'
    >>> print(sentence(Ratio("opro", "tpe", 1.5, 0.9, 5.0, 20, 4, 0, 0, 2)))
    No difference in evaluations is shown: tpe needed 1.5 times as many as opro (95 % interval 0.9 to 5, 20 paired runs
    on 4 problems; tpe failed in 2).
    """
    if not ratio.pairs:
        return f"{ratio.a} and {ratio.b} have no runs on the same instance."
    runs = f"{_count(ratio.pairs, 'paired run')} on {_count(ratio.problems, 'problem')}"
    if not 0 < ratio.value < math.inf:
        return (
            f"No ratio of evaluations between {ratio.a} and {ratio.b}: of {runs}, {ratio.a} failed in "
            f"{ratio.failures_a} and {ratio.b} in {ratio.failures_b}."
        )
    ratio = ratio if ratio.value >= 1 else _swapped(ratio)
    value, failures = _times(ratio.value), [(ratio.a, ratio.failures_a), (ratio.b, ratio.failures_b)]
    runs += "".join(f"; {solver} failed in {count}" for solver, count in failures if count)
    if ratio.unsolved:
        runs += f"; without {_count(ratio.unsolved, 'problem')} that neither of them solved"
    if ratio.low is None or ratio.high is None:
        return (
            f"{ratio.b} needed {value} times as many evaluations as {ratio.a} ({runs}; with fewer than {FEWEST} pairs "
            "on a problem no interval is claimed)."
        )
    interval = f"95 % interval {_times(ratio.low)} to {_times(ratio.high)}, {runs}"
    if ratio.low <= 1 <= ratio.high:
        return (
            f"No difference in evaluations is shown: {ratio.b} needed {value} times as many as {ratio.a} ({interval})."
        )
    return f"{ratio.a} needs {value} times fewer evaluations than {ratio.b} ({interval})."


def _swapped(ratio: Ratio) -> Ratio:
    return replace(
        ratio,
        a=ratio.b,
        b=ratio.a,
        value=1 / ratio.value,
        low=None if ratio.high is None else 1 / ratio.high,
        high=None if ratio.low is None else _inverse(ratio.low),
        failures_a=ratio.failures_b,
        failures_b=ratio.failures_a,
    )


def _inverse(value: float) -> float:
    return 1 / value if value else math.inf


def _times(value: float) -> str:
    return "infinity" if math.isinf(value) else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"

"""Whether a difference between solvers is one: tests over paired runs.

Runs are paired: one pair, or block, is the problem, the instance, the repeat and the seed on which every solver ran.
What tests compare is the *cost* of a run, a rank: of all compared runs on a problem those that reached the target come
first, by their evaluations, then those that failed, by how far from the optimum they ended. So a failure is worse than
any success, whatever was spent, and problems of any scale weigh alike.

J. Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006), sections 3.1 and 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from llmopt.benchmarks.metrics import runtimes_of
from llmopt.benchmarks.results import Trace
from llmopt.problems.prompt.significance import holm

_DIGITS = 12
"""To which differences of costs are rounded, so that equal ones are equal."""
_EXACT = 100
"""Up to so many differences the test is exact; beyond, the normal distribution is as good."""


@dataclass(frozen=True)
class Paired:
    """The runs of k solvers on the n instances that all of them ran on.

    Attributes
    ----------
    solvers
        Their names.
    problems
        The problem of each instance.
    times
        Evaluations up to the target, shape (n, k), infinite where a run failed.
    evaluations
        What each run spent, shape (n, k).
    gaps
        How far the best loss of each run lies above the optimum or, where that is not known, above the best of these
        k runs, shape (n, k); infinite where there is none.
    """

    solvers: tuple[str, ...]
    problems: tuple[str, ...]
    times: NDArray[np.float64]
    evaluations: NDArray[np.float64]
    gaps: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.problems)

    @property
    def costs(self) -> NDArray[np.float64]:
        """The rank of each run among all of these on its problem, as a share of them, shape (n, k); ties are shared."""
        costs = np.empty(self.times.shape)
        for rows in self.rows():
            times, gaps = self.times[rows], self.gaps[rows]
            success = np.isfinite(times)
            failures = np.max(times, where=success, initial=0.0) + stats.rankdata(gaps, "dense").reshape(gaps.shape)
            order = stats.rankdata(np.where(success, times, failures))
            costs[rows] = order.reshape(times.shape) / times.size
        return costs

    def rows(self) -> list[NDArray[np.intp]]:
        """Return the rows of each problem."""
        names = np.array(self.problems)
        return [np.flatnonzero(names == name) for name in dict.fromkeys(self.problems)]

    def only(self, a: str, b: str) -> Paired:
        """Return two of the solvers."""
        columns = [self.solvers.index(a), self.solvers.index(b)]
        return Paired((a, b), self.problems, *(m[:, columns] for m in (self.times, self.evaluations, self.gaps)))


def pair(traces: Iterable[Trace], solvers: Sequence[str]) -> Paired:
    """Return the runs of the named solvers on the instances that every one of them ran on, with the same seed."""
    found: dict[tuple[str, int, int, int], dict[str, Trace]] = {}
    for trace in traces:
        found.setdefault(trace.repeat, {})[trace.record.solver] = trace
    shared = {key: runs for key, runs in found.items() if all(solver in runs for solver in solvers)}
    listed = [runs[solver] for runs in shared.values() for solver in solvers]
    shape = (len(shared), len(solvers))
    times, evaluations = (values.reshape(shape) for values in runtimes_of(listed))
    best = np.array([np.fmin.reduce(trace.losses, initial=np.inf) for trace in listed]).reshape(shape)
    optimum = np.array([np.nan if t.optimum is None else t.optimum for t in listed], dtype=np.float64).reshape(shape)
    reference = np.where(np.isnan(optimum), best.min(axis=1, initial=np.inf, keepdims=True), optimum)
    # Where nobody has a score there is no reference either.
    gaps = best - np.where(np.isinf(reference), 0.0, reference)
    return Paired(tuple(solvers), tuple(problem for problem, *_ in shared), times, evaluations, gaps)


@dataclass(frozen=True)
class SignedRank:
    """The test of Wilcoxon (Biometrics Bulletin 1, 1945) of two solvers on the same instances.

    Attributes
    ----------
    wins, losses, ties
        On how many instances the first one cost less, more, and the same.
    p_value
        Two-sided; 1 where there are only ties.
    effect
        Matched-pairs rank-biserial correlation (Kerby, Comprehensive Psychology 3, 2014): the share of the ranks that
        speak for the first one less the share that speak against it, -1 to 1.
    """

    wins: int
    losses: int
    ties: int
    p_value: float
    effect: float


def signed_rank(a: ArrayLike, b: ArrayLike) -> SignedRank:
    """Compare the costs of two solvers on the same instances, shape (n,).

    Instances without a difference are left out, as Wilcoxon does. Of up to 100 others the p-value is exact, also where
    ranks are shared.

    Examples
    --------
    >>> signed_rank([1, 2, 3, 4, 5, 6], [2, 4, 6, 8, 10, 12])
    SignedRank(wins=6, losses=0, ties=0, p_value=0.03125, effect=1.0)
    """
    difference = np.round(np.asarray(b, dtype=np.float64) - np.asarray(a, dtype=np.float64), _DIGITS)
    wins, losses = int(np.sum(difference > 0)), int(np.sum(difference < 0))
    ties = len(difference) - wins - losses
    if not wins + losses:
        return SignedRank(0, 0, ties, 1.0, 0.0)
    difference = difference[difference != 0]
    ranks = stats.rankdata(np.abs(difference))
    effect = float(np.sum(ranks * np.sign(difference)) / np.sum(ranks))
    few = len(difference) <= _EXACT
    p_value = _exact_p_value(ranks, difference > 0) if few else float(stats.wilcoxon(difference).pvalue)
    return SignedRank(wins, losses, ties, p_value, effect)


def _exact_p_value(ranks: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return how often random signs give a sum of the positive ranks at least as far from its mean."""
    # Shared ranks are halves. SciPy tries all 2**n signs where there are any, and approximates for n > 13.
    doubled = np.rint(2 * ranks).astype(np.intp)
    chances = np.ones(1)
    for rank in doubled:
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    found = doubled[positive].sum()
    return min(1.0, 2 * float(min(chances[: found + 1].sum(), chances[found:].sum())))


@dataclass(frozen=True)
class Pairwise:
    """Two of several solvers: the test, and its p-value corrected for all pairs (Holm)."""

    a: str
    b: str
    test: SignedRank
    p_value: float


def pairwise(paired: Paired) -> list[Pairwise]:
    """Compare every two of the solvers, each two by the costs of their own runs, whoever else took part."""
    pairs = list(combinations(paired.solvers, 2))
    tests = [signed_rank(*paired.only(a, b).costs.T) for a, b in pairs]
    corrected = holm(np.array([test.p_value for test in tests]))
    return [Pairwise(a, b, test, float(p)) for (a, b), test, p in zip(pairs, tests, corrected, strict=True)]


@dataclass(frozen=True)
class Friedman:
    """The test of Friedman (1937) of three or more solvers, with what a critical-difference diagram shows.

    Attributes
    ----------
    instances
        How many blocks there are.
    ranks
        The average rank of each solver over them, 1 for the best.
    p_value
        Of all solvers being alike; 1 where every instance is a tie.
    critical_difference
        Two average ranks that differ by less show no difference between their solvers (Nemenyi 1963) at 5 %.
    groups
        The largest sets of solvers among which none is shown, by their positions, from the best on.
    """

    instances: int
    ranks: tuple[float, ...]
    p_value: float
    critical_difference: float
    groups: tuple[tuple[int, ...], ...]


def friedman(costs: ArrayLike) -> Friedman:
    """Compare k solvers, at least three, on n instances.

    Parameters
    ----------
    costs
        Shape (n, k); only their order within an instance counts.

    Examples
    --------
    >>> result = friedman([[1, 2, 3], [1, 3, 2], [1, 2, 3], [1, 2, 3]])
    >>> result.ranks, round(result.p_value, 3), result.groups
    ((1.0, 2.25, 2.75), 0.039, ((0, 1), (1, 2)))
    """
    values = np.asarray(costs, dtype=np.float64)
    instances, solvers = values.shape
    ranks = stats.rankdata(values, axis=1).mean(axis=0)
    alike = (values == values[:, :1]).all()
    p_value = 1.0 if alike else float(stats.friedmanchisquare(*values.T).pvalue)
    difference = critical_difference(solvers, instances)
    return Friedman(instances, tuple(ranks.tolist()), p_value, difference, _groups(ranks, difference))


def critical_difference(solvers: int, instances: int, level: float = 0.95) -> float:
    """Return by how much two average ranks must differ to show a difference: Demsar (2006), section 3.2.2.

    Examples
    --------
    >>> round(critical_difference(4, 14), 2)  # the example of that section, at 95 %
    1.25
    """
    q = float(stats.studentized_range.ppf(level, solvers, np.inf)) / math.sqrt(2)
    return q * math.sqrt(solvers * (solvers + 1) / (6 * instances))


def _groups(ranks: NDArray[np.float64], difference: float) -> tuple[tuple[int, ...], ...]:
    order = np.argsort(ranks, kind="stable")
    last = np.searchsorted(ranks[order], ranks[order] + difference, side="left")
    # A group that ends where an earlier one does lies within it.
    starts = [i for i, end in enumerate(last) if end > i + 1 and (i == 0 or end > last[i - 1])]
    return tuple(tuple(order[i : last[i]].tolist()) for i in starts)

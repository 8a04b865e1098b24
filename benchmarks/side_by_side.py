"""Two results of one suite: what became better or worse between versions, models or machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from llmopt.benchmarks.ratio import Ratio, ratio_of_evaluations
from llmopt.benchmarks.results import Results, Trace, check_budgets
from llmopt.benchmarks.statistics import SignedRank, pair, signed_rank
from llmopt.errors import InvalidInput
from llmopt.problems.prompt.significance import holm

LEVEL = 0.05
"""Up to this p-value, corrected for all rows, a difference counts as one."""

ALL = "all problems"

Verdict = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True)
class Change:
    """A solver on a problem, before and after.

    Attributes
    ----------
    problem, solver
        What was run on what; of several problems, a row for :data:`ALL` of them comes last.
    pairs
        Runs that both results have: the same instance, repeat and seed.
    successes
        Of these runs, before and after.
    ratio
        Evaluations after, as a multiple of before; below 1 is better.
    test, p_value
        Wilcoxon's test of the runs' costs, and its p-value corrected for all rows (Holm).
    """

    problem: str
    solver: str
    pairs: int
    successes: tuple[int, int]
    ratio: Ratio
    test: SignedRank
    p_value: float

    @property
    def verdict(self) -> Verdict:
        """What the test shows of the second result."""
        if self.p_value > LEVEL:
            return "no difference shown"
        return "better" if self.test.effect < 0 else "worse"


def side_by_side(before: Results, after: Results, rng: np.random.Generator) -> list[Change]:
    """Compare two results of one suite, solver by solver on each problem, by the runs that both have.

    Parameters
    ----------
    before, after
        The results.
    rng
        Draws the bootstrap of the ratios.

    Raises
    ------
    InvalidInput
        They are of different suites, have no run in common, or one that had another budget.
    """
    if (before.name, before.smoke) != (after.name, after.smoke):
        names = [f"{found.folder} of {found.name}{' (--smoke)' if found.smoke else ''}" for found in (before, after)]
        raise InvalidInput(f"these are results of different suites: {' and '.join(names)}; give two of the same suite")
    _check_budgets(before, after)
    first, second = _groups(before), _groups(after)
    shared = [key for key in first if key in second]
    changes = []
    for problem, solver in shared:
        traces = [*_named(first[problem, solver], "before"), *_named(second[problem, solver], "after")]
        paired = pair(traces, ["before", "after"])
        if len(paired):
            successes = np.isfinite(paired.times).sum(axis=0)
            test = signed_rank(*paired.costs.T)
            # More evaluations after than before make a ratio above 1.
            ratio = ratio_of_evaluations(paired, rng)
            changes.append(
                Change(problem, solver, len(paired), (int(successes[0]), int(successes[1])), ratio, test, 1.0)
            )
    if not changes:
        raise InvalidInput(
            f"{before.folder} and {after.folder} have no run in common: other solvers, problems or seeds"
        )
    corrected = holm(np.array([change.test.p_value for change in changes]))
    return [replace(change, p_value=float(p)) for change, p in zip(changes, corrected, strict=True)]


def _check_budgets(before: Results, after: Results) -> None:
    known = {(trace.record.solver, trace.repeat): trace for trace in before.traces}
    for trace in after.traces:
        if (earlier := known.get((trace.record.solver, trace.repeat))) is not None:
            check_budgets(earlier, trace)


def _groups(results: Results) -> dict[tuple[str, str], list[Trace]]:
    found: dict[tuple[str, str], list[Trace]] = {}
    for trace in results.traces:
        found.setdefault((trace.problem, trace.record.solver), []).append(trace)
    if len(results.problems) > 1:
        # A few repeats of one problem can show little; all of them together can.
        for trace in results.traces:
            found.setdefault((ALL, trace.record.solver), []).append(trace)
    return found


def _named(traces: Sequence[Trace], name: str) -> list[Trace]:
    return [replace(trace, record=replace(trace.record, solver=name)) for trace in traces]

"""How many times as many evaluations as its controls does a solver need, over many settings?

    python -P -m llmopt.benchmarks.studies.paired SOLVER DIR...

The folders are those of ``llmopt bench``. In each setting the mean evaluations of the solver are divided by those of
another on the same instances; the table has the geometric mean over the settings. A run that failed counts there with
all that it spent, a lower bound, and in the medians as without end; the table says of which solver some setting has no
success at all. A run that an error ended says nothing of its solver: it is left out, and that is said.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmopt.benchmarks.record import Record
from llmopt.benchmarks.results import Results, Trace, check_budgets
from llmopt.benchmarks.runtimes import quantiles
from llmopt.benchmarks.studies.command import errors_in_one_line
from llmopt.errors import InvalidInput

_RESAMPLES = 10_000
CONTROLS = ("gaussian", "differential")
"""What a claim for a model is a claim over."""

Runs = dict[str, dict[str, dict[int, Record]]]
"""By solver, setting and instance."""


@dataclass(frozen=True)
class Setting:
    """What k solvers spent on the instances of a setting that all of them ran on.

    Attributes
    ----------
    instances
        n of them; those of one number have the same start points in every setting.
    spent
        Positive, shape (n, k).
    """

    instances: tuple[int, ...]
    spent: NDArray[np.float64]


def geometric_ratio(one: ArrayLike, other: ArrayLike) -> tuple[float, float, float]:
    """Return the geometric mean of ``one / other`` and its bootstrap interval of 95 % over settings.

    Parameters
    ----------
    one, other
        In each setting, positive, shape (s,).

    Examples
    --------
    >>> geometric_ratio([10, 20, 30], [20, 40, 60])
    (0.5, 0.5, 0.5)
    """
    pairs = np.column_stack([np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)])
    return first_over_best([Setting((0,), pair[None]) for pair in pairs])


def first_over_best(settings: Sequence[Setting]) -> tuple[float, float, float]:
    """Return the geometric mean over settings of what the first solver spent over the least that another did, both in
    the mean over instances, and its bootstrap interval of 95 %.

    Settings are resampled, and their instances: the same ones for all solvers, and for all settings that have the same
    instances, since these share their start points and are not independent.
    """
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(settings), size=(_RESAMPLES, len(settings)))
    together: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for k, setting in enumerate(settings):
        together[setting.instances].append(k)
    logs = np.empty(chosen.shape)
    for instances, members in together.items():
        drawn = rng.integers(len(instances), size=(_RESAMPLES, len(instances)))
        for k in members:
            logs[:, k] = _log_ratio(settings[k].spent[drawn])
    resampled = np.take_along_axis(logs, chosen, axis=1).mean(axis=1)
    value = np.mean([_log_ratio(setting.spent) for setting in settings])
    return tuple(float(round(np.exp(log), 12)) for log in (value, *np.quantile(resampled, [0.025, 0.975])))  # type: ignore[return-value]


def _log_ratio(spent: NDArray[np.float64]) -> NDArray[np.float64]:
    means = spent.mean(axis=-2)
    ratio: NDArray[np.float64] = np.log(means[..., 0] / means[..., 1:].min(axis=-1))
    return ratio


def beside(runs: Runs, solver: str, others: Sequence[str]) -> str:
    """Say how a solver compares with the best of others in each setting; only instances that all of them ran count."""
    names = (solver, *others)
    settings = []
    unsolved = dict.fromkeys(names, 0)
    for setting in runs[solver]:
        found = [runs[name].get(setting, {}) for name in names]
        shared = sorted(frozenset.intersection(*map(frozenset, found)))
        if shared:
            records = [[of[i] for of in found] for i in shared]
            settings.append(Setting(tuple(shared), np.array([[float(r.evaluations) for r in row] for row in records])))
            for k, name in enumerate(names):
                unsolved[name] += not any(row[k].success for row in records)
    if not settings:
        return "no instance in common"
    remarks = [f"{name} solved none in {n} of {len(settings)} settings" for name, n in unsolved.items() if n]
    return "; ".join([written(first_over_best(settings)), *remarks])


def written(found: tuple[float, float, float]) -> str:
    """Return a ratio as text."""
    value, low, high = found
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


@errors_in_one_line()
def main(*arguments: str) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("solver", help="as it stands in the results, such as opro")
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="a folder of llmopt bench")
    options = parser.parse_args(arguments or None)
    solver = options.solver
    runs, broken = _sorted(trace for folder in options.folders for trace in Results.read(folder).traces)
    if solver not in runs:
        why = broken.get(solver, f"there are runs of {', '.join(runs)}")
        raise InvalidInput(f"no run of {solver} can be compared: {why}")
    print(f"| solver | solved | median evaluations | evaluations of {solver} over its own (95 %) |")
    print("|---|---:|---:|---|")
    for name, settings in runs.items():
        records = [record for found in settings.values() for record in found.values()]
        solved = sum(record.success for record in records)
        over = "" if name == solver else beside(runs, solver, [name])
        print(f"| {name} | {solved}/{len(records)} | {_median(records)} | {over} |")
    if solver not in CONTROLS and all(control in runs for control in CONTROLS):
        print(f"| the better of {' and '.join(CONTROLS)} in each setting | | | {beside(runs, solver, CONTROLS)} |")
    for name, why in broken.items():
        print(f"\nLeft out, {name}: {why}")


def _sorted(traces: Iterable[Trace]) -> tuple[Runs, dict[str, str]]:
    """Return the runs that ended by themselves, and of each solver that has others, what to say of those."""
    runs: Runs = defaultdict(lambda: defaultdict(dict))
    broken: dict[str, list[str]] = defaultdict(list)
    firsts: dict[str, Trace] = {}
    for trace in traces:
        record = trace.record
        check_budgets(firsts.setdefault(trace.problem, trace), trace)
        if record.stop_reason in ("error", "interrupted"):
            broken[record.solver].append(" ".join(record.message.split()))
            continue
        found = runs[record.solver][trace.problem]
        if record.instance in found:
            raise InvalidInput(
                f"two runs of {record.solver} on {trace.problem}, instance {record.instance}; leave out one of the "
                "folders"
            )
        found[record.instance] = record
    return dict(runs), {
        name: f"{len(messages)} run{'s' * (len(messages) > 1)} cut short, the first by: {messages[0]}"
        for name, messages in broken.items()
    }


def _median(records: Sequence[Record]) -> str:
    needed = [record.evaluations if record.success else np.inf for record in records]
    [median] = quantiles(needed, [0.5])
    return f"{median:g}" if np.isfinite(median) else "never"


if __name__ == "__main__":
    main()

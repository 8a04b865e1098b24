"""Is a hybrid as good as the better of its parts, and what does a hint in words do to it, true or false?

    python -P -m llmopt.benchmarks.studies.hybrid FILE [SPEC] [--suite functions] [--problems A,B] [--repeats 15]

Every solver has the same instances, start points and budget. A true hint says in words where a known optimum is, to
two significant digits; a false one names another place, drawn uniformly. FILE (CSV) keeps every run as soon as it has
ended; what is in it is not run again. It is of one model, suite and budget. SPEC ``copier``, which is no model but
repeats numbers of its prompts, gets no hints. The table has ratios of expected running times (ERT): below 1, the first
needs fewer evaluations; behind it the bootstrap interval, from five instances on, and the number of targets.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.benchmarks.runtimes import FEWEST, RESAMPLES, charged, ends, ert, hitting_times, resampled_ert
from llmopt.benchmarks.studies.command import errors_in_one_line
from llmopt.benchmarks.studies.kept import Kept, ended
from llmopt.budget import Budget
from llmopt.llm import connect
from llmopt.llm.base import LLM
from llmopt.opro import OPRO
from llmopt.opro.hybrid import Hybrid
from llmopt.problem import Problem
from llmopt.registry import create_problem
from llmopt.run import run
from llmopt.solver import Solver
from llmopt.space import Vector

TARGETS = 10
"""Gaps from the start points' to the problem's own tolerance, evenly on a logarithmic scale."""
REACHED = 1 / 3
"""A target enters a ratio where the second solver reached it in so many of its runs."""
FIRST_INSTANCE = 31
"""Those before were looked at while the hybrid was built."""

HYBRID, CLASSICAL, MODEL, TRUE, FALSE = "hybrid", "hybrid:share=0", "opro", "hybrid, true hint", "hybrid, false hint"
PARTS = (CLASSICAL, MODEL)

SOLVERS: dict[str, Callable[[LLM, Problem], Solver]] = {
    HYBRID: lambda llm, problem: Hybrid(llm, serializer="moves"),
    CLASSICAL: lambda llm, problem: Hybrid(llm, share=0),
    MODEL: lambda llm, problem: OPRO(llm, serializer="moves"),
    TRUE: lambda llm, problem: Hybrid(llm, serializer="moves", hint=true_hint(problem)),
    FALSE: lambda llm, problem: Hybrid(llm, serializer="moves", hint=false_hint(problem)),
}

SUITES: dict[str, Sequence[tuple[str, Mapping[str, str]]]] = {
    "functions": [
        *(("function", {"name": name, "dim": dim})
          for name in ("sphere", "rosenbrock", "rastrigin", "ackley") for dim in ("2", "5")),
        *(("function", {"name": name}) for name in ("branin", "hartmann6")),
    ],
    "bbob": [("bbob", {"function": function, "dim": "3"}) for function in ("1", "8", "10", "15", "21")],
}  # fmt: skip
"""Problems by the name of a suite; ``bbob`` has one function of each of COCO's five groups."""


@dataclass(frozen=True)
class Row:
    """A run.

    Attributes
    ----------
    problem, instance, solver
        What was run on what.
    evaluations
        What it spent.
    calls
        How often the model was asked.
    times
        The evaluation that reached each target, shape (TARGETS,), infinite where none did.
    """

    problem: str
    instance: int
    solver: str
    evaluations: int
    calls: int
    times: NDArray[np.float64]


@dataclass(frozen=True)
class Ratio:
    """The expected running time of one solver over that of another, geometric mean over targets.

    Attributes
    ----------
    value, low, high
        With the bootstrap interval of 95 % over instances, which both solvers share; the value is NaN where there is no
        target, and the ends are None there and where there are too few instances.
    targets
        How many there are.
    """

    value: float
    low: float | None
    high: float | None
    targets: int


def true_hint(problem: Problem) -> str:
    """Say where a known optimum is, to two significant digits."""
    assert problem.optimum is not None
    return _place(problem.optimum.solution)


def false_hint(problem: Problem) -> str:
    """Say the same of a random place: of an instance always the same one."""
    rng = np.random.default_rng([getattr(problem, "instance", 0), 1])
    return _place(problem.space.row(problem.space.sample(1, rng), 0))


def _place(solution: Mapping[str, Any]) -> str:
    return "the minimum is near " + " and ".join(f"{name} = {value:.2g}" for name, value in solution.items())


def measure(problem: Problem, name: str, instance: int, solver: str, llm: LLM, per_variable: int) -> Row:
    """Run one solver on one instance."""
    assert isinstance(problem.space, Vector) and problem.optimum is not None
    budget = Budget(evaluations=per_variable * len(problem.space.variables))
    result = ended(run(problem, SOLVERS[solver](llm, problem), budget, seed=instance))
    gaps = result.history.losses - problem.optimum.score
    start = np.median(gaps[result.history.steps == 0])
    targets = np.geomspace(max(start, problem.optimum.tolerance), problem.optimum.tolerance, TARGETS + 1)[1:]
    calls = sum(entry.calls for entry in result.spent.values())
    return Row(name, instance, solver, len(gaps), calls, hitting_times(gaps, targets))


def ratio(one: Sequence[Row], other: Sequence[Row]) -> Ratio:
    """Compare two solvers on the instances of one problem that both have run on."""
    shared = sorted({row.instance for row in one} & {row.instance for row in other})
    pairs = [{row.instance: row for row in rows} for rows in (one, other)]
    times = np.array([[rows[i].times for rows in pairs] for i in shared]).reshape(-1, 2, TARGETS)
    evaluations = np.array([[rows[i].evaluations for rows in pairs] for i in shared], dtype=np.float64).reshape(-1, 2)
    found = []
    for k in range(TARGETS):
        spent, success = charged(times[:, :, k], evaluations)
        if len(shared) and success[:, 1].mean() >= REACHED:
            # The same resamples for every target, since targets of a run are not independent.
            resampled = resampled_ert(spent, success, np.random.default_rng(0))
            means = np.array([[ert(times[:, i, k], evaluations[:, i]) for i in (0, 1)]])
            found.append(np.log(np.vstack([means, resampled])))
    if not found:
        return Ratio(np.nan, None, None, 0)
    with np.errstate(invalid="ignore"):
        logs = np.mean([values[:, 0] - values[:, 1] for values in found], axis=0)
    assert len(logs) == RESAMPLES + 1
    low, high = np.exp(ends(logs[1:])).tolist() if len(shared) >= FEWEST else (None, None)
    return Ratio(float(np.exp(logs[0])), low, high, len(found))


def needed(row: Row) -> float:
    """Return the evaluations until a target, in the mean; one that was not reached counts with all that was spent."""
    return float(np.mean(np.where(np.isfinite(row.times), row.times, row.evaluations)))


def overall(
    pairs: Sequence[tuple[Sequence[Row], Sequence[Row]]],
) -> tuple[float, float | None, float | None]:
    """Compare two solvers on a suite: the geometric mean over problems of the ratio of what they :func:`needed`, with
    the bootstrap interval of 95 % over the instances of each problem, if each has enough of them."""
    rng = np.random.default_rng(0)
    means, resampled, fewest = [], [], FEWEST
    for one, other in pairs:
        known = {row.instance: needed(row) for row in other}
        logs = np.log([needed(row) / known[row.instance] for row in one if row.instance in known])
        if len(logs):
            fewest = min(fewest, len(logs))
            means.append(logs.mean())
            resampled.append(logs[rng.integers(len(logs), size=(RESAMPLES, len(logs)))].mean(axis=1))
    value = float(np.exp(np.mean(means)))
    return (value, None, None) if fewest < FEWEST else (value, *np.exp(ends(np.mean(resampled, axis=0))).tolist())


def better_part(rows: Mapping[str, Sequence[Row]]) -> str:
    """Return the part of the hybrid that needs fewer evaluations for a target, in the mean over runs and targets; one
    that was not reached counts with all that was spent."""
    return min(PARTS, key=lambda part: np.mean([needed(row) for row in rows[part]]))


def table(found: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the table, and what it comes to."""
    tried = {row.solver for row in found}
    pairs = [
        (one, other)
        for one, other in [(HYBRID, CLASSICAL), (HYBRID, MODEL), (HYBRID, ""), (TRUE, HYBRID), (FALSE, HYBRID)]
        if one in tried
    ]
    heads = [f"{one} / {other or 'the better of both'}" for one, other in pairs]
    yield f"| problem | {' | '.join(heads)} |"
    yield "|---|" + "---|" * len(pairs)
    values: dict[str, list[Ratio]] = {head: [] for head in heads}
    compared: dict[str, list[tuple[Sequence[Row], Sequence[Row]]]] = {head: [] for head in heads}
    for problem in dict.fromkeys(row.problem for row in found):
        rows = {solver: [r for r in found if (r.problem, r.solver) == (problem, solver)] for solver in tried}
        if not all(rows.values()):
            continue
        for head, (one, other) in zip(heads, pairs, strict=True):
            compared[head].append((rows[one], rows[other or better_part(rows)]))
            values[head].append(ratio(*compared[head][-1]))
        yield f"| {problem} | {' | '.join(_text(values[head][-1]) for head in heads)} |"
    for head in heads:
        known = np.array([ratio.value for ratio in values[head] if ratio.targets])
        if len(known):
            value, low, high = overall(compared[head])
            interval = "" if low is None else f" ({low:.2f} to {high:.2f})"
            yield (
                f"{head}: geometric mean {np.exp(np.log(known).mean()):.2f}, worst {known.max():.2f}; below 1 on "
                f"{np.sum(known < 1)} of {len(known)}, at most 1.1 on {np.sum(known <= 1.1)}; until a target, one not "
                f"reached counting as all that was spent: {value:.2f}{interval}"
            )


def _text(ratio: Ratio) -> str:
    if not ratio.targets:
        return "no target reached"
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value:.2f} ({ratio.targets})"
    return f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f}; {ratio.targets})"


@errors_in_one_line()
def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="where the runs are kept (CSV)")
    parser.add_argument("spec", nargs="?", default="local", help="the model")
    parser.add_argument("--suite", choices=SUITES, default="functions")
    parser.add_argument("--problems", help="only these of the suite, with commas")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--evaluations", type=int, default=50, help="the budget of a run, for each variable")
    options = parser.parse_args(arguments)
    problems = {" ".join(settings.values()): (kind, settings) for kind, settings in SUITES[options.suite]}
    chosen = options.problems.split(",") if options.problems else list(problems)
    if unknown := set(chosen) - set(problems):
        parser.error(f"no problem {min(unknown)!r} in {options.suite}; there are {', '.join(problems)}")
    kept = Kept(options.file, "hybrid", suite=options.suite, model=options.spec, evaluations=options.evaluations)
    found = [_row(*fields) for fields in kept.rows]
    known = {(row.problem, row.instance, row.solver) for row in found}
    solvers = (HYBRID, *PARTS) if options.spec.startswith("copier") else tuple(SOLVERS)
    with connect(options.spec) as llm:
        # Instance by instance, so that a study that is cut short has run all solvers on the same ones.
        for instance in range(FIRST_INSTANCE, FIRST_INSTANCE + options.repeats):
            for name in chosen:
                kind, settings = problems[name]
                problem = create_problem(kind, settings, instance=instance)
                for solver in solvers:
                    if (name, instance, solver) in known:
                        continue
                    row = measure(problem, name, instance, solver, llm, options.evaluations)
                    found.append(row)
                    kept.add(row.problem, row.instance, row.solver, row.evaluations, row.calls, *row.times.tolist())
    print(f"{options.suite}, {options.evaluations} evaluations a variable, {options.spec}")
    for line in table(found):
        print(line)


def _row(problem: str, instance: str, solver: str, evaluations: str, calls: str, *times: str) -> Row:
    return Row(problem, int(instance), solver, int(evaluations), int(calls), np.array(times, dtype=np.float64))


if __name__ == "__main__":
    main()

"""What of a prompt makes a small model's proposals better? One step from each of many frozen histories.

    python -P -m llmopt.benchmarks.studies.presentation FILE [--llm local] [--histories N] [DESIGN...]

The histories are those of solvers without a model, on lines and functions that are none of the paper's seven settings;
every design proposes eight solutions from each, and so do the controls without a model. A design is one change of the
default; where none is named, all are measured. FILE (CSV) keeps the outcome of each design as soon as it is there; what
is in it is not measured again. It is of one model and as many histories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from llmopt.benchmarks.studies.command import design_parser, errors_in_one_line, measuring, opened, parsed
from llmopt.benchmarks.studies.designs import DEFAULT, DESIGNS
from llmopt.benchmarks.studies.frozen import Frozen, frozen
from llmopt.benchmarks.studies.kept import Kept
from llmopt.registry import create_solver
from llmopt.solver import AskTellSolver, Task
from llmopt.space import take

SAMPLES = 8
_RESAMPLES = 2_000
KINDS = ("improving", "closed")
Shares = NDArray[np.float64]
CONTROLS = ("random", "gaussian", "recombination", "differential")


@dataclass(frozen=True)
class Outcome:
    """Of one step of eight proposals from each history.

    Parameters
    ----------
    improving
        The share of the proposals that improve on the incumbent, shape (h,). Timid proposals improve often.
    closed
        The share of the incumbent's distance to the optimum that the best of them closes, in loss, shape (h,).
    """

    improving: Shares
    closed: Shares


def propose(solver: AskTellSolver, given: Frozen) -> tuple[float, float]:
    """Return of one step: the share of the proposals that are new and better, and the share of the gap they close."""
    history, optimum = given.history, given.problem.optimum
    solver.start(Task(history, given.problem.describe(), given.seed), np.random.default_rng(given.seed))
    solver.tell(history[:])
    asked = solver.ask(SAMPLES)
    columns = history.space.pack(asked) if isinstance(asked, Sequence) else asked.columns
    columns = take(columns, history.space.member_mask(columns))
    _, fresh = history.match(history.space.keys(columns))
    sign = -1.0 if history.maximize else 1.0
    losses = [sign * given.problem.evaluate(solution) for solution in history.space.solutions(take(columns, fresh))]
    incumbent = history.incumbent
    assert incumbent is not None and optimum is not None
    better = [loss for loss in losses if loss < incumbent.loss]
    gap = incumbent.loss - sign * optimum.score
    return len(better) / SAMPLES, min(1.0, (incumbent.loss - min(better, default=incumbent.loss)) / gap)


def measure(make: Callable[[], AskTellSolver], histories: Sequence[Frozen]) -> Outcome:
    """Let a new solver propose one step from each history."""
    return Outcome(*np.array([propose(make(), given) for given in histories]).T)


def difference(one: Shares, other: Shares, groups: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the mean difference of shares and its bootstrap interval of 95 % over problems.

    Parameters
    ----------
    one, other
        On the same histories, shape (h,).
    groups
        The problem of each history, shape (h,): histories of one problem are not independent.
    """
    means = np.array([(one - other)[groups == group].mean() for group in np.unique(groups)])
    rng = np.random.default_rng(0)
    drawn = means[rng.integers(len(means), size=(_RESAMPLES, len(means)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(means.mean()), float(low), float(high)


@errors_in_one_line()
def main(*arguments: str) -> None:
    """Measure what is missing and print the table."""
    parser = design_parser(__doc__, "*")
    parser.add_argument("--histories", type=int, metavar="N", help="only the first so many; 41 are the first round")
    options = parsed(parser, arguments, DESIGNS)
    if options.histories is not None and options.histories < 1:
        parser.error("--histories must be at least 1")
    designs = list(dict.fromkeys([DEFAULT, *(options.designs or DESIGNS)]))
    histories = list(islice(frozen(), options.histories))
    groups = np.array([given.seed for given in histories])
    kept = Kept(options.file, "presentation", model=options.llm, histories=len(histories))
    known = _outcomes(kept.rows)
    missing = [name for name in (*designs, *CONTROLS) if name not in known]
    with opened(options.llm, {*missing} - {*CONTROLS}) as llm:
        for name in missing:
            make = partial(_control, name) if name in CONTROLS else partial(DESIGNS[name], llm)
            with measuring(name):
                known[name] = measure(make, histories)
            for kind in KINDS:
                kept.add(name, kind, *getattr(known[name], kind).tolist())
    print(f"{len(histories)} histories of {len(np.unique(groups))} problems, {options.llm}")
    print("| design | improving proposals % | beside default (95 %) | gap closed by a step % | beside default |")
    print("|---|---:|---|---:|---|")
    for name in (*designs, *CONTROLS):
        cells = [name]
        for kind in KINDS:
            shares, default = getattr(known[name], kind), getattr(known[DEFAULT], kind)
            mean, low, high = (100 * value for value in difference(shares, default, groups))
            beside = "" if name == DEFAULT else f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"
            cells += [f"{100 * shares.mean():.1f}", beside]
        print(f"| {' | '.join(cells)} |")


def _control(name: str) -> AskTellSolver:
    solver = create_solver(name)
    assert isinstance(solver, AskTellSolver)
    return solver


def _outcomes(found: Iterable[Sequence[str]]) -> dict[str, Outcome]:
    """Return what is whole: a design that was interrupted is measured again."""
    rows: dict[str, dict[str, Shares]] = {}
    for name, kind, *shares in found:
        rows.setdefault(name, {})[kind] = np.array(shares, dtype=np.float64)
    return {name: Outcome(**row) for name, row in rows.items() if set(row) == set(KINDS)}


if __name__ == "__main__":
    main()

"""What of a prompt makes a small model's proposals better? One step from each of many frozen histories.

    python -P -m llmopt.benchmarks.studies.presentation FILE [SPEC]

The histories are those of solvers without a model, on lines and functions that are none of the paper's seven settings;
every design proposes eight solutions from each, and so do the controls without a model. A design is one change of the
default. FILE (CSV) keeps the outcome of each design as soon as it is there; what is in it is not measured again.
"""

from __future__ import annotations

import csv
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llmopt.history import History
from llmopt.llm import connect
from llmopt.llm.base import LLM
from llmopt.objective import Budget
from llmopt.opro import OPRO
from llmopt.opro.serializer import Continuation, Prompt, Serializer, View
from llmopt.problem import Problem
from llmopt.registry import create_problem, create_solver
from llmopt.run import run
from llmopt.solver import AskTellSolver, Task
from llmopt.space import take

SAMPLES = 8
LENGTHS = (13, 37)
"""Evaluations in a frozen history: the start points, and one or four steps."""
FIRST_SEED = 7_000
_LINES, _RESAMPLES = 16, 2_000
_FUNCTIONS = (("sphere", "3"), ("rosenbrock", "2"), ("rosenbrock", "4"), ("rastrigin", "2"), ("ackley", "2"),
              ("branin", ""), ("hartmann6", ""), ("sphere", "6"))  # fmt: skip
_SOURCES = ("gaussian", "recombination", "random")


@dataclass(frozen=True)
class Frozen:
    """A history in which the optimum is not found yet, and its problem."""

    problem: Problem
    history: History
    seed: int


def frozen(lines: int = _LINES, lengths: Sequence[int] = LENGTHS) -> Iterator[Frozen]:
    """Yield the histories, in the same order and with the same content at every call."""
    for number, problem in enumerate(problems(lines)):
        seed = FIRST_SEED + number
        for length in lengths:
            result = run(problem, create_solver(_SOURCES[number % 3]), Budget(evaluations=length), seed=seed)
            if not result.success:
                yield Frozen(problem, result.history, seed)


def problems(lines: int) -> Iterator[Problem]:
    """Yield lines with coefficients drawn from [-40, 40]**2, then functions."""
    for number in range(lines):
        seed = FIRST_SEED + number
        w, b = np.random.default_rng(seed).integers(-40, 41, size=2).tolist()
        yield create_problem("regression", {"w_true": str(w), "b_true": str(b)}, instance=seed)
    for number, (name, dim) in enumerate(_FUNCTIONS):
        settings = {"name": name, "dim": dim} if dim else {"name": name}
        yield create_problem("function", settings, instance=FIRST_SEED + number)


class Shuffled(Serializer):
    """The default pattern with the scores dealt to other solutions: does the model use them at all?"""

    chat = False

    def prompt(self, view: View) -> Prompt:
        rng = np.random.default_rng(zlib.crc32("".join(view.solutions).encode()))
        return Continuation().prompt(replace(view, scores=[view.scores[i] for i in rng.permutation(len(view.scores))]))


class ValueLast(Serializer):
    """The solution before its loss; the last line asks for no loss."""

    chat = False

    def prompt(self, view: View) -> Prompt:
        lines = [f"{text} loss={score}" for score, text in zip(view.scores, view.solutions, strict=True)]
        return Prompt("\n".join([*lines, view.codec.lead]), view.codec.lead, " loss")


class Spaced(Serializer):
    """The digits of losses apart, so that each is a token of its own."""

    chat = False

    def prompt(self, view: View) -> Prompt:
        return Continuation().prompt(
            replace(view, scores=[" ".join(score) for score in view.scores], target=" ".join(view.target))
        )


Make = Callable[[LLM], AskTellSolver]

DESIGNS: dict[str, Make] = {
    "default": lambda llm: OPRO(llm),
    "scores shuffled": lambda llm: OPRO(llm, serializer=Shuffled()),
    "scores hidden": lambda llm: OPRO(llm, scores="hidden"),
    "scores ranked": lambda llm: OPRO(llm, scores="ranked"),
    "scores rounded": lambda llm: OPRO(llm, scores="rounded"),
    "scores in 100 levels": lambda llm: OPRO(llm, levels=100),
    "scores in 10 levels": lambda llm: OPRO(llm, levels=10),
    "digits of losses apart": lambda llm: OPRO(llm, serializer=Spaced()),
    "loss after the solution": lambda llm: OPRO(llm, serializer=ValueLast()),
    "best first": lambda llm: OPRO(llm, order="best"),
    "random order": lambda llm: OPRO(llm, order="random"),
    "1 prompt": lambda llm: OPRO(llm, prompts=1),
    "8 prompts": lambda llm: OPRO(llm, prompts=8),
    "5 of the best 10 shown": lambda llm: OPRO(llm, shown=5, top_k=10),
    "20 of the best 40 shown": lambda llm: OPRO(llm, shown=20, top_k=40),
    "temperature 0.7": lambda llm: OPRO(llm, temperature=0.7),
    "temperature 1.4": lambda llm: OPRO(llm, temperature=1.4),
}
CONTROLS = ("random", "gaussian", "recombination", "differential")


@dataclass(frozen=True)
class Outcome:
    """Of one step from each history: the share of the eight proposals that improve on the incumbent, shape (h,)."""

    improving: NDArray[np.float64]

    @property
    def any_of_eight(self) -> NDArray[np.float64]:
        """Whether one of them does, shape (h,)."""
        return np.asarray(self.improving > 0, dtype=np.float64)


def propose(solver: AskTellSolver, given: Frozen) -> float:
    """Return the share of the proposals of one step that are new and better than the incumbent."""
    history = given.history
    solver.start(Task(history, given.problem.describe(), given.seed), np.random.default_rng(given.seed))
    solver.tell(history[:])
    asked = solver.ask(SAMPLES)
    columns = history.space.pack(asked) if isinstance(asked, Sequence) else asked.columns
    columns = take(columns, history.space.member_mask(columns))
    _, fresh = history.match(history.space.keys(columns))
    sign = -1.0 if history.maximize else 1.0
    scores = [given.problem.evaluate(solution) for solution in history.space.solutions(take(columns, fresh))]
    incumbent = history.incumbent
    assert incumbent is not None
    return sum(sign * score < incumbent.loss for score in scores) / SAMPLES


def measure(make: Callable[[], AskTellSolver], histories: Sequence[Frozen]) -> Outcome:
    """Let a new solver propose one step from each history."""
    return Outcome(np.array([propose(make(), given) for given in histories]))


def difference(one: Outcome, other: Outcome, groups: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the mean difference of improving shares and its bootstrap interval of 95 % over problems.

    Parameters
    ----------
    one, other
        Outcomes on the same histories.
    groups
        The problem of each history, shape (h,): histories of one problem are not independent.
    """
    differences = one.improving - other.improving
    means = np.array([differences[groups == group].mean() for group in np.unique(groups)])
    rng = np.random.default_rng(0)
    drawn = means[rng.integers(len(means), size=(_RESAMPLES, len(means)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(means.mean()), float(low), float(high)


def main(file: str, spec: str = "local") -> None:
    """Measure what is missing and print the table."""
    histories = list(frozen())
    groups = np.array([given.seed for given in histories])
    path = Path(file)
    known = _read(path)
    with connect(spec) as llm, path.open("a", newline="", encoding="utf-8") as output:
        makers = {name: partial(make, llm) for name, make in DESIGNS.items()} | {
            name: partial(_control, name) for name in CONTROLS
        }
        for name, make in makers.items():
            if name not in known:
                known[name] = measure(make, histories)
                csv.writer(output).writerow([name, *known[name].improving.tolist()])
                output.flush()
    print(f"{len(histories)} histories of {len(np.unique(groups))} problems, {spec}")
    print("| design | improving proposals % | difference to the default (95 %) | a step improves % |")
    print("|---|---:|---|---:|")
    for name in (*DESIGNS, *CONTROLS):
        found = known[name]
        mean, low, high = (100 * value for value in difference(found, known["default"], groups))
        beside = "" if name == "default" else f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"
        print(f"| {name} | {100 * found.improving.mean():.1f} | {beside} | {100 * found.any_of_eight.mean():.0f} |")


def _control(name: str) -> AskTellSolver:
    solver = create_solver(name)
    assert isinstance(solver, AskTellSolver)
    return solver


def _read(path: Path) -> dict[str, Outcome]:
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row[0]: Outcome(np.array(row[1:], dtype=np.float64)) for row in csv.reader(file)}


if __name__ == "__main__":
    main(*sys.argv[1:3])

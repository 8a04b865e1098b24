"""Histories to propose from: of problems that are none of the paper's, by solvers without a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from llmopt.budget import Budget
from llmopt.history import History
from llmopt.problem import Problem
from llmopt.problems.fit import Fit
from llmopt.problems.table_regression import TableRegression
from llmopt.registry import create_problem, create_solver
from llmopt.run import run

LENGTHS = (13, 37)
"""Evaluations in a frozen history: the start points, and one or four steps; of functions the longer one alone."""
FIRST_SEED = 7_000
LINES = 12
ROUNDS = 3
"""So often each kind of problem comes with other numbers; the first round is what there was before the others."""
_FUNCTIONS = (("sphere", "3"), ("rosenbrock", "2"), ("rosenbrock", "4"), ("rastrigin", "2"), ("ackley", "2"),
              ("branin", ""))  # fmt: skip
_SOURCES = ("gaussian", "recombination", "random")


@dataclass(frozen=True)
class Frozen:
    """A history in which the optimum is not found yet, and its problem."""

    problem: Problem
    history: History
    seed: int


def frozen(lines: int = LINES, lengths: Sequence[int] = LENGTHS) -> Iterator[Frozen]:
    """Yield the histories, in the same order and with the same content at every call: 41 of the first round's 24
    problems, then those of the further rounds."""
    for number, problem in enumerate(problems(lines)):
        seed = FIRST_SEED + number
        for length in lengths if isinstance(problem, Fit) else lengths[-1:]:
            result = run(problem, create_solver(_SOURCES[number % 3]), Budget(evaluations=length), seed=seed)
            if not result.success:
                yield Frozen(problem, result.history, seed)


def problems(lines: int, rounds: int = ROUNDS) -> Iterator[Problem]:
    """Yield of each round lines with whole coefficients from [-40, 40]**2 and a quarter as many each from ten times
    that box and of tables with three and four coefficients, then functions of real variables."""
    for first in range(FIRST_SEED, FIRST_SEED + 300 * rounds, 300):
        for number in range(lines):
            yield line(first + number, 40)
        for number in range(lines // 4):
            yield line(first + 100 + number, 400)
        for number in range(lines // 4):
            yield _plane(first + 200 + number, 3 + number % 2)
        for number, (name, dim) in enumerate(_FUNCTIONS):
            settings = {"name": name, "dim": dim} if dim else {"name": name}
            yield create_problem("function", settings, instance=first + number)


def line(seed: int, largest: int) -> Problem:
    """Return a line with coefficients drawn from [-largest, largest]**2, in a box a quarter wider."""
    w, b = np.random.default_rng(seed).integers(-largest, largest + 1, size=2).tolist()
    bound = largest * 5 // 4
    settings = {"w_true": str(w), "b_true": str(b), "low": str(-bound), "high": str(bound)}
    return create_problem("regression", settings, instance=seed)


def _plane(seed: int, coefficients: int) -> Problem:
    """A table of 50 rows whose columns have different scales, and an intercept."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((50, coefficients - 1)) * np.arange(1, coefficients)
    weights = rng.integers(-40, 41, size=coefficients)
    target = features @ weights[:-1] + weights[-1] + rng.standard_normal(50)
    names = [f"x{i}" for i in range(1, coefficients)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        np.savetxt(
            path, np.column_stack([features, target]), delimiter=",", header=",".join([*names, "y"]), comments=""
        )
        return TableRegression(path, "y", integer=True, instance=seed)

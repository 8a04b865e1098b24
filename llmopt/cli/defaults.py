"""What runs where nothing is named: kept here, and nowhere else."""

from __future__ import annotations

from typing import Any

from llmopt.budget import Budget
from llmopt.space import Permutation, Space, Text

SOLVERS = (
    "opro",
    "quadratic",
    "cobyqa",
    "gaussian",
    "cma-es",
    "tpe",
    "random",
    "exhaustive",
)
"""For ``compare`` without ``--solvers``; those that cannot work on the problem are left out."""

TOUR_SOLVERS = (
    "opro",
    "2-opt-blind",
    "genetic",
    "leg-regression",
    "random",
    "nearest-neighbour",
    "farthest-insertion",
    "2-opt",
)
"""The same for permutations."""


INSTRUCTION_SOLVERS = ("opro", "evolution", "one-shot", "paraphrase", "optuna-pool", "hand-written")
"""The same for texts."""


def solvers_for(space: Space[Any]) -> tuple[str, ...]:
    """Return the solvers of ``compare`` without ``--solvers``."""
    if isinstance(space, Text):
        return INSTRUCTION_SOLVERS
    return TOUR_SOLVERS if isinstance(space, Permutation) else SOLVERS


EVALUATIONS = 1_000
"""The budget where no limit is given."""

DEMO_SOLVERS = (
    "opro",
    "quadratic",
    "gaussian",
    "recombination",
    "nelder-mead",
    "powell",
    "cobyqa",
    "differential-evolution",
    "cma-es",
    "tpe",
    "random",
    "exhaustive",
)
DEMO_PROBLEM = "regression"
DEMO_SETTINGS = ("w_true=15", "b_true=14")
DEMO_REPEATS = 5
DEMO_BUDGET = Budget(evaluations=10_201, steps=500)
"""Every pair of the demo's box once, in at most the paper's number of steps (section 5.1)."""
DEMO_OUT = "demo-report"

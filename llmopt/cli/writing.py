"""What a solver asks its model while it searches for an instruction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from llmopt.baselines.instruction_writer import InstructionWriter
from llmopt.history import OK, History
from llmopt.llm.base import Request
from llmopt.opro import OPRO
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.solver import Task

Writing: TypeAlias = OPRO | InstructionWriter
"""Solvers that ask for instructions."""

TYPICAL = "x " * 40
"""An instruction as long as they usually are."""

_MOST = 100
"""Instructions that a history is filled with; no prompt shows more by default."""


def typical_step(solver: Writing, problem: PromptProblem, evaluations: int) -> Sequence[Request]:
    """Return what a step asks near the end of a search, when prompts are longest."""
    history = History(problem.space, maximize=True)
    count = min(evaluations, _MOST)
    columns = problem.space.pack([f"{TYPICAL}{number}" for number in range(count)])
    history.append(columns, np.full(count, -0.5), np.full(count, OK, np.int8), 0, {}, problem.space.keys(columns))
    solver.start(Task(history, problem.describe(), exemplars=problem.exemplars), np.random.default_rng(0))
    return solver.requests()

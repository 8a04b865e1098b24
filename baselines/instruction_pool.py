"""Optuna over a fixed pool of instructions, and the pool itself in its own order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution

from llmopt.baselines.works_on import works_on
from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.history import Evaluations
from llmopt.lines import read_lines
from llmopt.objective import Objective, Proposals
from llmopt.penalty import finite_losses
from llmopt.solver import AskTellSolver, Task
from llmopt.space import Space, Text

HAND_WRITTEN = (
    "",
    "Let's think step by step.",
    "Let's solve the problem.",
    "Let's solve the problem together.",
    "Let's work together to solve this problem step by step.",
    "Let's work this out in a step by step way to be sure we have the right answer.",
    "Take a deep breath and work on this problem step-by-step.",
    "Break this down.",
    "First, think about what is asked.",
    "Answer the question.",
    "Read the question carefully.",
    "Give the right answer.",
    "Think before you answer.",
    "Check your answer.",
    "You are an expert.",
    "The answer is",
)
"""Instructions that people have written: those that the paper compares with or names (OPRO, sections 1 and 5), and
short ones of our own."""


class HandWritten(AskTellSolver):
    """Tries the instructions that people have written, in their order; looks at no score and asks no model.

    Parameters
    ----------
    pool
        A file of other instructions, one a line; None: :data:`HAND_WRITTEN`.
    """

    def __init__(self, pool: Path | None = None) -> None:
        super().__init__()
        self.pool = pool
        self._texts = HAND_WRITTEN if pool is None else read_lines(pool, "pool")

    def check(self, space: Space[Any], budget: Budget) -> None:
        works_on(Text, space, self)

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self._left = [text for text in self._texts if task.space.contains(text)]

    def ask(self, n: int) -> Proposals:
        chosen, self._left = self._left[:n], self._left[n:]
        return Proposals(self.task.space.pack(chosen))

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        self.start(task, rng)
        while self._left:
            objective.step(self.ask(self.batch))


class OptunaPool(AskTellSolver):
    """Optuna's TPE over a fixed pool of instructions, one categorical choice; multivariate, with constant liar.

    Parameters
    ----------
    pool
        A file of instructions, one a line; None: :data:`HAND_WRITTEN`.
    batch
        Suggestions that are asked for before the first of them is told.
    """

    packages = ("optuna",)

    def __init__(self, pool: Path | None = None, batch: int = 8) -> None:
        super().__init__(batch)
        self.pool = pool
        self._texts = HAND_WRITTEN if pool is None else read_lines(pool, "pool")

    def check(self, space: Space[Any], budget: Budget) -> None:
        works_on(Text, space, self)
        if (count := len(self._legal(space))) < 2:
            raise InvalidInput(f"optuna-pool: {count} instructions of the pool are legal here; give at least 2")

    def _legal(self, space: Space[Any]) -> list[str]:
        return [text for text in self._texts if space.contains(text)]

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        legal = self._legal(task.space)
        self._distributions: dict[str, BaseDistribution] = {"instruction": CategoricalDistribution(legal)}
        self._size = len(legal)
        self._tried: set[str] = set()
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**31)), multivariate=True, constant_liar=True)
            self._study = optuna.create_study(sampler=sampler, direction="minimize")
        finally:
            optuna.logging.set_verbosity(verbosity)

    def ask(self, n: int) -> Proposals:
        self._trials = [self._study.ask(self._distributions) for _ in range(n)]
        texts = [str(trial.params["instruction"]) for trial in self._trials]
        self._tried.update(texts)
        return Proposals(self.task.space.pack(texts))

    def tell(self, evaluations: Evaluations) -> None:
        losses = finite_losses(evaluations)
        for trial, loss in zip(self._trials, losses, strict=True):
            self._study.tell(trial, float(loss))

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        self.start(task, rng)
        # Once everything was tried, there is nothing left to learn.
        while len(self._tried) < self._size:
            self.tell(objective.step(self.ask(self.batch)))

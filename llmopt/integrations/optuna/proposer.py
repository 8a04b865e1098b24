"""The proposals of a model for one set of parameters."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from llmopt.history import DROPPED, FAILED, OK, History
from llmopt.integrations.optuna.parameters import Parameters, Params
from llmopt.objective import Proposals
from llmopt.opro import OPRO
from llmopt.solver import Task


class Proposer:
    """Asks the solver for the values of some parameters, from the trials that had all of them.

    A pruned trial is known but has no score, since its last value was measured on less than those of the others; so is
    a failed one, and one with an infinite value.

    Parameters
    ----------
    distributions
        Of the parameters.
    solver
        Not used by anyone else.
    maximize
        Whether the study's values are maximized.
    description
        The problem in words.
    seed
        From which the seeds of requests are derived.

    Attributes
    ----------
    waiting
        Proposals that no trial has taken yet.
    """

    def __init__(
        self, distributions: Mapping[str, BaseDistribution], solver: OPRO, maximize: bool, description: str, seed: int
    ) -> None:
        self.waiting: deque[Params] = deque()
        self._parameters = Parameters(distributions)
        self._solver = solver
        self._exclude_known = solver.exclude_known
        self._history = History(self._parameters.vector, maximize=maximize)
        self._trials = 0
        self._step = 0
        solver.start(Task(self._history, description, seed), np.random.default_rng(seed))

    @property
    def scored(self) -> int:
        """The number of trials with a score."""
        return self._history.count("ok")

    def learn(self, finished: Sequence[FrozenTrial]) -> None:
        """Take in the trials that are new in a list that only grows."""
        new = finished[self._trials :]
        self._trials = len(finished)
        rows = [(solution, trial) for trial in new if (solution := self._parameters.solution(trial.params)) is not None]
        if not rows:
            return
        outcomes = [_outcome(trial, self._history.maximize) for _, trial in rows]
        self._history.append(
            self._parameters.vector.pack([solution for solution, _ in rows]),
            np.array([loss for loss, _ in outcomes]),
            np.array([status for _, status in outcomes], dtype=np.int8),
            self._step,
            {},
            None,
        )

    def ask(self, whole: bool) -> Proposals:
        """Ask for a step of proposals and put them among those that wait; return them with the reasons of what could
        not be read.

        Parameters
        ----------
        whole
            Whether trials have no other parameters, so that known values need not be proposed again.

        Raises
        ------
        ModelError
            The model fails.
        """
        self._step += 1
        self._solver.exclude_known = self._exclude_known and whole
        proposals = self._solver.ask(self._solver.batch)
        solutions: list[dict[str, Any]] = self._parameters.vector.solutions(proposals.columns)
        self.waiting.extend(map(self._parameters.params, solutions))
        return proposals


def _outcome(trial: FrozenTrial, maximize: bool) -> tuple[float, int]:
    if trial.state == TrialState.PRUNED:
        return math.nan, DROPPED
    value = trial.value if trial.state == TrialState.COMPLETE else None
    if value is None or not math.isfinite(value):
        return math.nan, FAILED
    return (-value if maximize else value), OK

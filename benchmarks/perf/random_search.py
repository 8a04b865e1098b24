"""Random search through the objective beside Optuna's random sampler, both in memory."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmopt import Budget, Float, FunctionProblem, Vector, run
from llmopt.baselines.random import RandomSearch
from llmopt.benchmarks.perf.row import Row, alternate, median_ratio

if TYPE_CHECKING:
    import optuna

NAMES = "abcde"


@dataclass(frozen=True)
class RandomSearchCost:
    """Seconds of the processor per evaluation; ``few`` and ``many`` are numbers of evaluations.

    Both run in one thread and wait for nothing, so that the processor's time is the time they take on an idle
    machine; another program that runs meanwhile does not enter. ``ratio`` is the median of the rounds' ratios.
    """

    few: int
    many: int
    of_few: float
    of_many: float
    optuna: float
    ratio: float
    recorded: int

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        return [
            Row(f"random search, {self.few:,} evaluations", self.of_few * 1e6, "us CPU each", self.optuna * 1e6,
                "Optuna's RandomSampler, as many trials", "ratio", self.ratio, 0.1),
            Row(f"random search, {self.many:,} evaluations", self.of_many * 1e6, "us CPU each", self.of_few * 1e6,
                f"the same at {self.few:,}", "ratio", limit=1.5),
        ]  # fmt: skip


def measure(*, quick: bool = False) -> RandomSearchCost:
    """Time both on a plain function of five real variables."""
    import optuna

    few, many, rounds = (200, 2_000, 1) if quick else (10_000, 1_000_000, 5)
    recorded = 0

    def ours(evaluations: int) -> float:
        nonlocal recorded
        problem = FunctionProblem(_score, Vector(dict.fromkeys(NAMES, Float(-5, 5))))
        began = time.process_time()
        result = run(problem, RandomSearch(), Budget(evaluations=evaluations))
        seconds = time.process_time() - began
        recorded = len(result.history)
        return seconds / evaluations

    def optunas() -> float:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        began = time.process_time()
        study.optimize(_objective, n_trials=few)
        return (time.process_time() - began) / few

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        ours_each, optunas_each = alternate([lambda: ours(few), optunas], rounds)
    finally:
        optuna.logging.set_verbosity(verbosity)
    of_few, of_optuna = statistics.median(ours_each), statistics.median(optunas_each)
    return RandomSearchCost(few, many, of_few, ours(many), of_optuna, median_ratio(ours_each, optunas_each), recorded)


def _score(solution: dict[str, float]) -> float:
    return solution["a"] + solution["b"] + solution["c"] + solution["d"] + solution["e"]


def _objective(trial: optuna.Trial) -> float:
    return _score({name: trial.suggest_float(name, -5, 5) for name in NAMES})

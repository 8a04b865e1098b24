"""What LLMSampler adds to a trial of Optuna beside the time that its model takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from llmopt.benchmarks.perf.row import Row
from llmopt.llm.base import LLM, Capabilities, ModelInfo, Reply, Request, Response, Usage

if TYPE_CHECKING:
    import optuna

LAST = 100


@dataclass(frozen=True)
class SamplerCost:
    """Milliseconds of the processor for a trial, medians over the rounds; the model's own time is taken off.

    ``mean`` is that of all ``trials``, ``last`` that of the last of them, ``optuna`` that of all with Optuna's own
    random sampler. ``proposals`` is how many the model made.
    """

    trials: int
    mean: float
    last: float
    optuna: float
    proposals: int

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        return [
            Row(f"LLMSampler, a trial of the last {LAST} of {self.trials:,} in memory", self.last, "ms CPU", limit=5.0),
            Row(f"LLMSampler, mean of {self.trials:,} trials in memory", self.mean, "ms CPU", self.optuna,
                "Optuna's RandomSampler", limit=5.0),
        ]  # fmt: skip


class _Instant(LLM):
    """Continues a line with random values from the schema of the request; keeps how long that took."""

    def __init__(self, seed: int) -> None:
        self.seconds = 0.0
        self._rng = np.random.default_rng(seed)

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("none")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(continuation=True, grammar=True, n=True, seed=True)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        began = time.process_time()
        responses = [
            Response(tuple(self._reply(request) for _ in range(request.n)), Usage(1, 100, 0, 20 * request.n))
            for request in requests
        ]
        self.seconds += time.process_time() - began
        return responses

    def _reply(self, request: Request) -> Reply:
        assert request.constraint is not None and request.constraint.schema is not None
        properties = request.constraint.schema["properties"]
        pairs = [f"{name}={self._value(schema)}" for name, schema in properties.items()]
        # The prompt ends with the first name.
        return Reply(" ".join(pairs).partition("=")[2])

    def _value(self, schema: dict[str, Any]) -> str:
        if "enum" in schema:
            return str(self._rng.choice(schema["enum"]))
        low, high = schema["minimum"], schema["maximum"]
        if schema["type"] == "integer":
            return str(self._rng.integers(low, high + 1))
        return f"{self._rng.uniform(low, high):.6f}"


def measure(*, quick: bool = False) -> SamplerCost:
    """Time studies in memory of a search space with every kind of parameter."""
    import optuna

    from llmopt.integrations.optuna import LLMSampler, tally

    trials, rounds = (120, 1) if quick else (1_000, 5)
    means, lasts, randoms = [], [], []
    proposals = 0
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        for seed in range(rounds):
            llm = _Instant(seed)
            study = optuna.create_study(sampler=LLMSampler(llm, seed=seed))
            first = _seconds(study, trials - LAST) - llm.seconds
            before = llm.seconds
            last = _seconds(study, LAST) - (llm.seconds - before)
            means.append((first + last) / trials)
            lasts.append(last / LAST)
            proposals = tally(study).proposals
            other = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
            randoms.append(_seconds(other, trials) / trials)
    finally:
        optuna.logging.set_verbosity(verbosity)
    mean, last, random = (statistics.median(values) * 1e3 for values in (means, lasts, randoms))
    return SamplerCost(trials, mean, last, random, proposals)


def _seconds(study: optuna.Study, trials: int) -> float:
    began = time.process_time()
    study.optimize(_objective, n_trials=trials)
    return time.process_time() - began


def _objective(trial: optuna.Trial) -> float:
    kind = trial.suggest_categorical("kind", ["linear", "cubic", "thin"])
    numbers = [trial.suggest_float(name, -5, 5) for name in "ab"]
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    return sum(number**2 for number in numbers) + rate + trial.suggest_int("depth", 1, 12) + len(kind)

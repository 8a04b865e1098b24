"""A third party's package, as the command line finds it: problems, solvers and models for the tests."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmopt import AskTellSolver, Float, Int, ModelError, Optimum, Permutation, Problem, Proposals, Vector
from llmopt.llm.base import LLM, Capabilities, ModelInfo, Request, Response
from support.models import FunctionLLM, obedient


class Slow(Problem):
    """Every evaluation takes some time."""

    space = Vector(x=Float(0, 1), y=Float(0, 1))

    def __init__(self, seconds: float = 0.02, instance: int = 0) -> None:
        self.seconds = seconds

    def evaluate(self, solution: Any) -> float:
        time.sleep(self.seconds)
        return float(solution["x"] + solution["y"])

    def describe(self) -> str:
        return "Find the smallest sum."


class Highest(Problem):
    """A hill whose height is known: the larger, the better; half of the plain is forbidden or broken."""

    space = Vector(x=Int(-9, 9))
    direction = "maximize"
    optimum = Optimum(5.0, solution={"x": 3})

    def evaluate(self, solution: Any) -> float:
        if solution["x"] < -5:
            raise ValueError('=HYPERLINK("http://example.invalid")')
        return 5.0 - abs(int(solution["x"]) - 3)

    def describe(self) -> str:
        return "Find the highest point."

    def starts(self, rng: np.random.Generator) -> list[Any]:
        return [{"x": -9}, {"x": -8}]


class Tour(Problem):
    """An order of five things."""

    space = Permutation(5)

    def evaluate(self, solution: Any) -> float:
        return float(solution[0])

    def describe(self) -> str:
        return "Put the smallest first."


class Fatal(Problem):
    """Sends a signal to the process at the third evaluation of instance 1: always, or until a file is there."""

    space = Vector(x=Float(0, 1))

    def __init__(self, mark: str = "", name: str = "SIGKILL", instance: int = 0) -> None:
        self.mark, self.signal, self.instance, self.count = mark, signal.Signals[name], instance, 0

    def evaluate(self, solution: Any) -> float:
        self.count += 1
        if self.instance == 1 and self.count == 3 and not (self.mark and Path(self.mark).exists()):
            if self.mark:
                Path(self.mark).touch()
            time.sleep(0.6)
            os.kill(os.getpid(), self.signal)
        return float(solution["x"])

    def describe(self) -> str:
        return "Find the smallest number."


class Picky(Problem):
    """Cannot be built for instance 1 while a file is not there."""

    space = Vector(x=Float(0, 1))

    def __init__(self, mark: str = "", instance: int = 0) -> None:
        if instance == 1 and not Path(mark).exists():
            raise OSError("the data are gone")

    def evaluate(self, solution: Any) -> float:
        return float(solution["x"])

    def describe(self) -> str:
        return "Find the smallest number."


class Judged(Problem):
    """Has a model that judges; it cannot be built without."""

    space = Vector(x=Float(0, 1))

    def __init__(self, open_model: Callable[[str], LLM]) -> None:
        self.judge = open_model("obedient")

    def evaluate(self, solution: Any) -> float:
        return float(solution["x"])

    def describe(self) -> str:
        return "Find the smallest number."


class Crash(AskTellSolver):
    """A solver with a mistake in it, which shows in the third step."""

    def ask(self, n: int) -> Proposals:
        if len(self.task.history) > 15:
            raise ZeroDivisionError("[bold]oh\x1b[2J\nno[/bold]")
        return Proposals(self.task.space.sample(n, self.rng))


class Wordy(AskTellSolver):
    """Takes a text."""

    def __init__(self, word: str = "", batch: int = 8) -> None:
        super().__init__(batch)

    def ask(self, n: int) -> Proposals:
        return Proposals(self.task.space.sample(n, self.rng))


def obedient_model(rest: str) -> FunctionLLM:
    """Return a model that replies with random texts of the grammar."""
    return obedient()


class Broken(LLM):
    """A model that answers ``rest`` requests and then no more."""

    def __init__(self, rest: str) -> None:
        self._inner = obedient()
        self._left = int(rest or 0)

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("broken:model")

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        if self._left < len(requests):
            raise ModelError("[red]the model is gone[/red]\x1b[2J\nsecond line")
        self._left -= len(requests)
        return self._inner.generate(requests)

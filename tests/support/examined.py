"""Problems that the conformance kit tries solvers on which are made for tours or for instructions."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from llmopt.llm.base import ModelInfo, Request
from llmopt.problem import Problem
from llmopt.problems.prompt.examples import Dataset, Example
from llmopt.problems.prompt.metrics import by_name
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.problems.prompt.scorer import Scorer
from llmopt.problems.prompt.splits import Splits
from llmopt.problems.prompt.template import Template
from llmopt.problems.tsp import TSP
from support.models import FunctionLLM

QUESTIONS = tuple(Example(f"question {letter}", letter) for letter in "abcdefgh")


class Cities(TSP):
    """Random cities, or random distances, which may differ by direction; the shortest tour is not known."""

    def __init__(self, n: int, seed: int = 0, form: str = "plane") -> None:
        self._said = f"Cities({n}, seed={seed}, form={form!r})"
        rng = np.random.default_rng(seed)
        if form == "plane":
            super().__init__(points=rng.uniform(-100, 100, (n, 2)), optimum="none")
        else:
            ways = rng.uniform(0, 9, (n, n))
            super().__init__(ways if form == "directed" else ways + ways.T, optimum="none")

    def __repr__(self) -> str:
        return self._said


def tours() -> SearchStrategy[Problem]:
    """Return problems of 8 or 9 cities."""
    return st.builds(Cities, st.integers(8, 9), st.integers(0, 9), st.sampled_from(["plane", "directed"]))


def rugged_tours() -> SearchStrategy[Problem]:
    """Return problems with many local optima, so that a local search does not soon find what is known."""
    return st.builds(Cities, st.integers(19, 20), st.integers(0, 9), st.sampled_from(["symmetric", "directed"]))


class Letters(PromptProblem):
    """An instruction is the better, the longer it is: a model answers with letters up to that of its length."""

    def __init__(self) -> None:
        super().__init__(
            Scorer(_Named(_answer), Template.at("Q_begin"), by_name("exact")),
            Splits(QUESTIONS[:4], QUESTIONS[4:6], QUESTIONS[6:]),
            Dataset("letters", QUESTIONS),
        )

    def __repr__(self) -> str:
        return "Letters()"


class _Named(FunctionLLM):
    @property
    def info(self) -> ModelInfo:
        return ModelInfo("test:scorer")


def _answer(request: Request, i: int) -> str:
    text = request.prompt if isinstance(request.prompt, str) else "\n".join(m.content for m in request.prompt)
    instruction, _, question = text.rpartition("Q: ")
    letter = question.split()[1]
    return letter if len(instruction) > 10 * (ord(letter) - 96) else "?"


def writer() -> FunctionLLM:
    """Return a model that writes instructions, by the seed of the request."""

    def reply(request: Request, i: int) -> str:
        seed = (request.seed or 0) + i
        words = ("think", "be brief", "check", "answer", "take care", "read")
        return "<INS>" + " ".join(words[(seed // 7**k) % len(words)] for k in range(1 + seed % 9)) + "</INS>"

    return FunctionLLM(reply)

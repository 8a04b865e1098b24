"""What baselines that let a model write instructions have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from llmopt.baselines.works_on import works_on
from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM, Message, Request, Sampling
from llmopt.objective import Proposals
from llmopt.opro.instruction_text import CLOSE, OPEN, harmless, reader
from llmopt.opro.query import Query, ask
from llmopt.problem import Problem
from llmopt.settings import check_whole
from llmopt.solver import AskTellSolver, Task
from llmopt.space import Space, Text

_ROLE = "optimizer"

ENDING = f"Begin it with {OPEN} and end it with {CLOSE}."
"""How a model is told to write an instruction, so that it is found in its reply."""


class InstructionWriter(AskTellSolver):
    """Asks a model for instructions; a subclass says with which prompts.

    Parameters
    ----------
    llm
        A model that holds conversations.
    samples
        Instructions per step.
    temperature, max_tokens
        Of the replies.
    retries
        How often a step asks again where no reply of a request could be read.
    hint
        What the user knows, in words; every prompt begins with it.
    """

    def __init__(
        self,
        llm: LLM,
        *,
        samples: int = 8,
        temperature: float = 1.0,
        max_tokens: int = 512,
        retries: int = 2,
        hint: str = "",
    ) -> None:
        if not 0 <= temperature <= 5:
            raise InvalidInput(f"temperature must be from 0 to 5, not {temperature!r}")
        for name, value, least in (("samples", samples, 1), ("max_tokens", max_tokens, 1), ("retries", retries, 0)):
            check_whole(name, value, least)
        super().__init__(samples)
        self.llm = llm
        self.samples = samples
        self.temperature = temperature
        self.max_tokens = max_tokens
        self.retries = retries
        self.hint = hint

    @abstractmethod
    def prompts(self, n: int) -> Sequence[tuple[str, int]]:
        """Return the prompts of a step, each with the number of replies to it; ``n`` replies together."""

    @property
    def models(self) -> Mapping[str, LLM]:
        return {_ROLE: self.llm}

    def check(self, space: Space[Any], budget: Budget) -> None:
        works_on(Text, space, self)
        if not self.llm.capabilities.chat:
            raise InvalidInput(
                f"the model {self.llm.info.spec} cannot answer a conversation, which writing instructions needs; use "
                "an instruct model, such as --llm local:qwen2.5-coder-1.5b"
            )

    def check_problem(self, problem: Problem, budget: Budget) -> None:
        super().check_problem(problem, budget)
        if not getattr(problem, "exemplars", ()):
            raise InvalidInput(f"{type(self).__name__} writes instructions for examples, which the problem has not")

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        assert isinstance(task.space, Text)
        self._llm = task.models.get(_ROLE, self.llm)
        self._read = reader(task.space, chat=True)
        self._step = 0

    def ask(self, n: int) -> Proposals:
        queries = self._queries(n)
        self._step += 1
        found = ask(self._llm, queries, self.retries)
        return Proposals(self.task.space.pack(found.solutions), found.reasons)

    def requests(self) -> list[Request]:
        """Return the requests of the next step, as ``ask`` sends them first."""
        return [query.seeded(attempt=0) for query in self._queries(self.batch)]

    def _queries(self, n: int) -> list[Query]:
        return [
            Query(self._request(text, count), self._read, (self.task.seed, self._step, i))
            for i, (text, count) in enumerate(self.prompts(n))
        ]

    def _request(self, text: str, n: int) -> Request:
        known = f"What is known: {harmless(self.hint)}\n\n" if self.hint else ""
        return Request(
            (Message("user", known + text),),
            n=n,
            max_tokens=self.max_tokens,
            sampling=Sampling(self.temperature),
            stop=(CLOSE,),
        )

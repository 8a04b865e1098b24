"""A model that tells every reply apart, for tests of what stands before a model."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from llmopt.llm.base import LLM, Capabilities, ModelInfo, Reply, Request, Response, Usage

_INFO = ModelInfo("test:counting")
REQUEST = Request("a prompt", n=3, seed=7)


class CountingLLM(LLM):
    """Never says the same twice; remembers what it was asked."""

    def __init__(self, info: ModelInfo = _INFO, seconds: float = 0.0, first: int = 0) -> None:
        self._info = info
        self._seconds = seconds
        self._numbers = itertools.count(first)
        self.requests: list[Request] = []

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(continuation=True, seed=True)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        self.requests += requests
        time.sleep(self._seconds)
        return [
            Response(tuple(Reply(f"reply {next(self._numbers)}") for _ in range(request.n)), Usage(1, 10, 0, request.n))
            for request in requests
        ]

    def __reduce__(self) -> tuple[type[CountingLLM], tuple[ModelInfo, float]]:
        return CountingLLM, (self._info, self._seconds)


def texts(llm: LLM, request: Request = REQUEST) -> list[str]:
    return [reply.text for reply in llm.generate([request])[0].replies]


def by_its_draw(request: Request, i: int) -> str:
    """Return a reply as the contract of requests has it: that of the seed ``seed + i``, or the one greedy one."""
    seed = None if request.sampling.temperature == 0 else i if request.seed is None else request.seed + i
    return f"{request.prompt} {request.max_tokens} {request.sampling.temperature} {seed}"

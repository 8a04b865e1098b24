"""Language models for tests: real implementations of the LLM interface whose replies are known."""

import random
from collections.abc import Callable, Sequence

from llmopt.llm.base import LLM, Capabilities, ModelInfo, Reply, Request, Response, Usage
from support.gbnf import Grammar

ABLE = Capabilities(chat=True, continuation=True, grammar=True, schema=True, n=True, seed=True)


class FunctionLLM(LLM):
    """Replies with what a function makes of the request and the sample's number; keeps the requests."""

    def __init__(self, reply: Callable[[Request, int], str | Reply], capabilities: Capabilities = ABLE) -> None:
        self._reply = reply
        self._capabilities = capabilities
        self.requests: list[Request] = []

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("test:function")

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        self.requests += requests
        responses = []
        for request in requests:
            replies = [self._reply(request, i) for i in range(request.n)]
            replies = [Reply(r) if isinstance(r, str) else r for r in replies]
            responses.append(Response(tuple(replies), Usage(1, 100, 40, 5 * request.n)))  # type: ignore[arg-type]
        return responses


def obedient(capabilities: Capabilities = ABLE) -> FunctionLLM:
    """Return a model that draws a random text from the grammar of each request, by the request's seed."""

    def reply(request: Request, i: int) -> str:
        assert request.constraint is not None and request.constraint.grammar is not None
        return Grammar(request.constraint.grammar).draw(random.Random((request.seed or 0) + i))

    return FunctionLLM(reply, capabilities)

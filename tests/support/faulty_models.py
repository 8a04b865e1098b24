"""Models and serializers with one mistake each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from llmopt.llm.base import LLM, Capabilities, Message, ModelInfo, Reply, Request, Response, Take, Usage
from llmopt.opro import Chat, Prompt, View
from llmopt.testing.gbnf import Grammar


class Sound(LLM):
    """Says random letters by the request's seed, or a text of the grammar, without a mistake."""

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("test:sound")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(chat=True, continuation=True, grammar=True, seed=True, logprobs=True)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        return [self.answer(request) for request in requests]

    def answer(self, request: Request) -> Response:
        if request.given is not None:
            return Response((self.given(request.given),) * request.n, self.usage(request))
        replies = tuple(Reply(self.text(request, i)) for i in range(request.n))
        return Response(replies, self.usage(request))

    def given(self, text: str) -> Reply:
        return Reply(text, logprob=-float(len(text)))

    def text(self, request: Request, i: int) -> str:
        rng = random.Random((request.seed or 0) + i)
        constraint = request.constraint
        if constraint is not None and constraint.grammar is not None and "::=" in constraint.grammar:
            return Grammar(constraint.grammar).draw(rng)
        return self.cut("".join(rng.choices("abcdef", k=6)), request)

    def cut(self, text: str, request: Request) -> str:
        ends = [text.find(stop) for stop in request.stop if stop in text]
        return text[: min(ends)] if ends else text

    def usage(self, request: Request) -> Usage:
        return Usage(1, 10, 4, 3 * request.n)


class Probable(Sound):
    """Says a probability, and not its logarithm."""

    def given(self, text: str) -> Reply:
        return Reply(text, logprob=0.5)


class OneReply(Sound):
    def answer(self, request: Request) -> Response:
        return super().answer(replace(request, n=1))


class Negative(Sound):
    def usage(self, request: Request) -> Usage:
        return Usage(1, 10, 14, 3 * request.n)


class TwiceCounted(Sound):
    """Every part that it delivers costs what the whole does."""

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        responses = self.generate(requests)
        for i, response in enumerate(responses):
            for j, reply in enumerate(response.replies):
                take(i, j, Response((reply,), response.usage if j else response.usage._replace(calls=0)))
        return responses


class Endless(Sound):
    def cut(self, text: str, request: Request) -> str:
        return text


class Free(Sound):
    """Says what it likes where a grammar was given."""

    def text(self, request: Request, i: int) -> str:
        return super().text(replace(request, constraint=None), i)


class Bare(Sound):
    """Fails on what it does not know by whatever happens."""

    def text(self, request: Request, i: int) -> str:
        if not request.prompt:
            raise KeyError("choices")
        return super().text(request, i)


class Sociable(Sound):
    """Draws one stream for all requests."""

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        first = requests[0].seed
        return [
            self.answer(replace(request, seed=None if first is None else first + i))
            for i, request in enumerate(requests)
        ]


class ClosedOnce(Sound):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class Renamed(Sound):
    made: ClassVar[int] = 0

    def __init__(self) -> None:
        type(self).made += 1
        self._name = f"test:{type(self).made}"

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(self._name)


class Truncating(Chat):
    """Shows the best solutions alone."""

    def prompt(self, view: View) -> Prompt:
        return super().prompt(replace(view, solutions=view.solutions[-2:], scores=view.scores[-2:]))


class Hintless(Chat):
    def prompt(self, view: View) -> Prompt:
        return super().prompt(replace(view, hint=""))


class Unopened(Chat):
    """Promises a beginning that the prompt has not."""

    def prompt(self, view: View) -> Prompt:
        return replace(super().prompt(view), opening=view.codec.lead or "[")


class Mislabelled(Chat):
    chat = False


class Adding(Chat):
    """Shows what it was asked before."""

    def __init__(self) -> None:
        self._before = 0

    def prompt(self, view: View) -> Prompt:
        self._before += 1
        return super().prompt(replace(view, description=f"{view.description} Prompt {self._before}."))


class Overlong(Chat):
    def prompt(self, view: View) -> Prompt:
        prompt = super().prompt(view)
        assert not isinstance(prompt.content, str)
        return replace(prompt, content=tuple(Message(m.role, m.content, 10**6) for m in prompt.content))

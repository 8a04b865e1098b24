"""Several models that answer as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from llmopt.llm.base import LLM, Capabilities, ModelInfo, Request, Response

_TOGETHER = 2
"""Requests in a row for each: a step writes the variables in one order in the first, in the other in the second."""


class Mixture(LLM):
    """Deals requests to several models in turn, two to each.

    Parameters
    ----------
    models
        At least one; what not all of them can do, the mixture cannot. Whoever opened them closes them.
    """

    def __init__(self, models: Sequence[LLM]) -> None:
        self._models = models

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(" and ".join(model.info.spec for model in self._models))

    @property
    def capabilities(self) -> Capabilities:
        able = [model.capabilities for model in self._models]
        shared = {
            field.name: all(getattr(each, field.name) for each in able)
            for field in fields(Capabilities)
            if field.name != "context"
        }
        return Capabilities(**shared, context=min((each.context for each in able if each.context), default=None))

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        turns = [i // _TOGETHER % len(self._models) for i in range(len(requests))]
        answered = [
            iter(model.generate([request for request, turn in zip(requests, turns, strict=True) if turn == k]))
            for k, model in enumerate(self._models)
        ]
        return [next(answered[turn]) for turn in turns]

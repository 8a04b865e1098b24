"""In place of a model: what one would say that only repeats numbers of its prompt. A control of what a form does."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from llmopt.llm.base import LLM, Capabilities, ModelInfo, Reply, Request, Response, Usage

_NUMBER = re.compile(r"=(-?\d+)")


class Copier(LLM):
    """Continues a pattern of moves with numbers that it reads there, each from a line drawn anew.

    It knows no grammar, so that it may say what is known, and draws by the seed of the request.

    Parameters
    ----------
    whole
        All numbers of a reply from the same line.
    """

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("copier", {"lines": "whole" if self._whole else "mixed"})

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(continuation=True, grammar=True, n=True, seed=True)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        return [
            Response(tuple(self._reply(request, i) for i in range(request.n)), Usage(calls=1)) for request in requests
        ]

    def _reply(self, request: Request, i: int) -> Reply:
        rng = np.random.default_rng((request.seed or 0) + i)
        *lines, _ = str(request.prompt).split("\n")
        # What a hybrid says in words stands above the moves.
        moves = [line.rpartition(" at ")[2] for line in lines if _NUMBER.search(line)]
        chosen = rng.choice(moves)
        numbers = iter(_NUMBER.findall(chosen) if self._whole else _mixed(moves, rng))
        return Reply(_NUMBER.sub(lambda _: f"={next(numbers)}", chosen).partition("=")[2])


def _mixed(moves: Sequence[str], rng: np.random.Generator) -> list[str]:
    columns = zip(*(_NUMBER.findall(move) for move in moves), strict=True)
    return [str(rng.choice(column)) for column in columns]

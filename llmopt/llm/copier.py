"""No model, but a control of one: what only repeats numbers of its prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm.base import LLM, Capabilities, ModelInfo, Reply, Request, Response, Usage

_NUMBER = re.compile(r"=(-?\d+)")


class Copier(LLM):
    """Continues a pattern of moves with numbers that it reads there, each from a line drawn anew.

    A claim for a language model on numbers is a claim over this one, which reads the same prompts. It knows no grammar,
    so that it may say what is known, and draws by the seed of the request.

    Parameters
    ----------
    whole
        All numbers of a reply from the same line.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._whole = whole

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("copier:lines" if self._whole else "copier")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(continuation=True, grammar=True, n=True, seed=True)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer every request.

        Raises
        ------
        ModelError
            A prompt shows no numbers as moves do.
        """
        return [
            Response(tuple(self._reply(request, i) for i in range(request.n)), Usage(calls=1)) for request in requests
        ]

    def _reply(self, request: Request, i: int) -> Reply:
        rng = np.random.default_rng((request.seed or 0) + i)
        *lines, last = str(request.prompt).split("\n")
        # What a hybrid says in words stands above the moves.
        moves = [line.rpartition(" at ")[2] for line in lines if _NUMBER.search(line)]
        if not moves:
            raise ModelError("the copier repeats the numbers of moves (serializer=moves), and this prompt shows none")
        chosen = rng.choice(moves)
        numbers = iter(_NUMBER.findall(chosen) if self._whole else _mixed(moves, rng))
        text = _NUMBER.sub(lambda _: f"={next(numbers)}", chosen)
        return Reply(text.removeprefix(last.rpartition(" at ")[2]))


def _mixed(moves: Sequence[str], rng: np.random.Generator) -> list[str]:
    columns = zip(*(_NUMBER.findall(move) for move in moves), strict=True)
    return [str(rng.choice(column)) for column in columns]


def from_spec(rest: str) -> Copier:
    """Return what ``copier`` or ``copier:lines`` denotes.

    Raises
    ------
    InvalidInput
        Something else follows.
    """
    if rest not in ("", "lines"):
        raise InvalidInput(f"copier:{rest} is not legal; write copier, or copier:lines, which repeats whole lines")
    return Copier(whole=rest == "lines")

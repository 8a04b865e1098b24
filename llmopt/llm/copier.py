"""No model, but a control of one: what only repeats numbers of its prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM, Capabilities, ModelInfo, Reply, Request, Response, Usage, check_given

# A choice that begins with a digit, such as 3x3, is no number.
_NUMBER = re.compile(r"(\S*)=(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?!\S)")
# What a line is worth; a choice that comes later may hold the same words.
_WORTH = re.compile(r'(?:gain|loss)=[^\s"]+ at ')


class Copier(LLM):
    """Continues a pattern of moves, or solutions, with numbers that it reads there, each from a line drawn anew.

    A claim for a language model on numbers is a claim over this one, which reads the same prompts. Of a prompt without
    numbers it repeats the last line. It draws by the seed of the request, and each character is a token.

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
        return Capabilities(continuation=True, n=True, seed=True)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        check_given(self, requests)
        return [self._response(request) for request in requests]

    def _response(self, request: Request) -> Response:
        if not isinstance(request.prompt, str):
            raise InvalidInput("the copier holds no conversation; it continues texts (serializer=moves)")
        replies = tuple(self._reply(request, request.prompt, i) for i in range(request.n))
        return Response(replies, Usage(1, len(request.prompt), 0, sum(len(reply.text) for reply in replies)))

    def _reply(self, request: Request, prompt: str, i: int) -> Reply:
        rng = np.random.default_rng((request.seed or 0) + i)
        *lines, last = prompt.split("\n")
        # What a user or a hybrid says in words is no move.
        moves = [_move(line) for line in lines if _NUMBER.search(line) and not line.startswith("# ")]
        text = self._mixed(moves, rng).removeprefix(_move(last)) if moves else last
        for stop in request.stop:
            text = text.partition(stop)[0]
        return Reply(text[: request.max_tokens], "stop" if len(text) <= request.max_tokens else "length")

    def _mixed(self, moves: Sequence[str], rng: np.random.Generator) -> str:
        chosen = str(rng.choice(moves))
        if self._whole:
            return chosen
        read = [number for move in moves for number in _NUMBER.findall(move)]
        return _NUMBER.sub(
            lambda match: f"{match[1]}={rng.choice([v for name, v in read if name == match[1]])}", chosen
        )


def _move(line: str) -> str:
    worth = _WORTH.match(line)
    return line[worth.end() :] if worth else line


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

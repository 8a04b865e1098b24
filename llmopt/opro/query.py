"""One request to a model, with what is needed to send it again and to read its replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from llmopt.errors import DecodeError
from llmopt.llm.base import Reply, Request, Response
from llmopt.opro.codec import Decoded


class Readings(NamedTuple):
    """The solutions in the replies, the reasons of those that hold none, and how many were repaired."""

    solutions: list[Any]
    reasons: list[str]
    repaired: int


@dataclass(frozen=True)
class Query:
    """A request and its reader.

    Parameters
    ----------
    request
        What is sent, but for its seed.
    decode
        Reads one reply; raises DecodeError where it holds no solution.
    place
        The run's seed, the step, and the request's number in it.
    """

    request: Request
    decode: Callable[[Reply], Decoded[Any]]
    place: tuple[int, int, int]

    def seeded(self, attempt: int) -> Request:
        """Return the request with the seed of an attempt: a function of run seed, step, prompt and attempt."""
        state = np.random.SeedSequence([*self.place, attempt]).generate_state(1)[0]
        return replace(self.request, seed=int(state) >> 1)

    def read(self, response: Response) -> Readings:
        """Read every reply."""
        solutions, reasons, repaired = [], [], 0
        for reply in response.replies:
            try:
                decoded = self.decode(reply)
            except DecodeError as error:
                reasons.append(str(error))
                continue
            solutions.append(decoded.solution)
            repaired += decoded.repairs > 0
        return Readings(solutions, reasons, repaired)


def cut_off() -> DecodeError:
    """Return the error for a reply that the limit of tokens ended."""
    return DecodeError("cut off at the limit of tokens")

"""Requests to a model, with what is needed to send them again and to read their replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from llmopt.errors import DecodeError, LlmoptError, ModelError
from llmopt.llm.base import LLM, Reply, Request, Response
from llmopt.opro.codec import Codec, Decoded


class Readings(NamedTuple):
    """The solutions in the replies, the reasons of those that hold none, how many were repaired, and how many were
    known, so that others were asked for."""

    solutions: list[Any]
    reasons: list[str]
    repaired: int
    repeated: int = 0


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


def ask(llm: LLM, queries: Sequence[Query], retries: int, repeats: Callable[[Any], bool] | None = None) -> Readings:
    """Send queries and read the replies; what gave nothing to read, or but repetitions, is sent again, ``retries``
    times at most.

    Parameters
    ----------
    llm
        The model.
    queries
        What is asked.
    retries
        How often again.
    repeats
        Whether a solution is known. Those of a request that is sent again are not among the readings, but counted.

    Raises
    ------
    ModelError
        The model fails before anything was read.
    """
    solutions: list[Any] = []
    invalid: list[str] = []
    repaired = repeated = 0
    for attempt in range(retries + 1):
        try:
            responses = _replies(llm, [query.seeded(attempt) for query in queries])
        except ModelError:
            # What was read before is evaluated first; the next step says what is wrong.
            if solutions:
                break
            raise
        again = []
        for query, response in zip(queries, responses, strict=True):
            found = query.read(response)
            invalid += found.reasons
            # Every one is looked at, since it is proposed then.
            new = [solution for solution in found.solutions if repeats is None or not repeats(solution)]
            if not new:
                again.append(query)
            if new or attempt == retries:
                solutions += found.solutions
                repaired += found.repaired
            else:
                repeated += len(found.solutions)
        queries = again
        if not queries:
            break
    return Readings(solutions, invalid, repaired, repeated)


def _replies(llm: LLM, requests: list[Request]) -> list[Response]:
    try:
        responses = llm.generate(requests)
    except LlmoptError:
        raise
    except Exception as error:
        # A model is anyone's code; what it raises ends the run, not the evaluations made before.
        raise ModelError(f"the model {llm.info.spec} failed: {type(error).__name__}: {error}") from error
    if [len(response.replies) for response in responses] != [request.n for request in requests]:
        raise ModelError(f"the model {llm.info.spec} gave another number of replies than it was asked for")
    return responses


def cut_off() -> DecodeError:
    """Return the error for a reply that the limit of tokens ended."""
    return DecodeError("cut off at the limit of tokens")


def reader(codec: Codec[Any], opening: str, *, ends: bool) -> Callable[[Reply], Decoded[Any]]:
    """Return what reads a reply that goes on behind an opening; one that has to end by itself must not be cut off."""

    def decode(reply: Reply) -> Decoded[Any]:
        if ends and reply.finish_reason == "length":
            raise cut_off()
        return codec.decode(opening + reply.text)

    return decode

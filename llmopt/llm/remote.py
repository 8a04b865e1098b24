"""What models behind a provider's network interface have in common."""

from __future__ import annotations

import json
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Any

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm.base import LLM, Capabilities, ModelInfo, Reply, Request, Response, Take, Usage, check_given
from llmopt.llm.endpoint import Endpoint
from llmopt.llm.keys import Key
from llmopt.llm.ledger import Bound
from llmopt.llm.limits import Admission, Limits
from llmopt.llm.metered import Account, itemized, prompt_bound
from llmopt.llm.retry import Failure, Retries
from llmopt.llm.wire import exchange

_LONGEST_PAUSE = 60.0
# Characters of a refused request in an error.
_SHOWN = 100


@dataclass(frozen=True)
class Answer:
    """What one call gave: replies, at most as many as were asked for; usage where the endpoint tells it."""

    replies: tuple[Reply, ...]
    usage: Usage | None
    written: int = 0


class RemoteLLM(LLM):
    """Sends requests as calls of a provider's SDK: side by side, within limits, tried again, and booked.

    A request is answered by as few calls as the endpoint allows; where fewer replies come back than were asked for,
    the rest is asked for again. Usage counts the calls that were answered. Parameters are those of the subclasses.
    """

    def __init__(
        self,
        spec: str,
        endpoint: Endpoint,
        key: Key,
        limits: Limits | None,
        retries: Retries | None,
        arguments: Mapping[str, Any],
    ) -> None:
        self.endpoint = endpoint
        self.limits = limits or Limits()
        self.retries = retries or Retries()
        # What changes replies tells models apart in reports and caches.
        self._info = ModelInfo(spec, endpoint.details)
        self._key = key
        self._arguments = dict(arguments)
        self._closed = threading.Event()

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        return self.endpoint.capabilities

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        return self.deliver(requests, lambda i, first, part: None)

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        check_given(self, requests)
        for request in requests:
            self._check(request)
        jobs = [
            (i, first, min(self._size(request), request.n - first))
            for i, request in enumerate(requests)
            for first in range(0, request.n, self._size(request))
        ]
        books, stop = itemized(), threading.Event()

        def answer(job: tuple[int, int, int]) -> Response:
            i, first, n = job
            return self._complete(requests[i], first, n, books, stop, partial(take, i))

        parts = self._run(answer, jobs, stop)
        responses = [Response((), Usage()) for _ in requests]
        for (i, _, _), part in zip(jobs, parts, strict=True):
            responses[i] = _joined(responses[i], part)
        return responses

    def close(self) -> None:
        """Refuse further calls; what is in progress is given up."""
        self._closed.set()

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        if not self._key.source:
            raise InvalidInput(f"{self._info.spec} was given its key in the code and cannot be copied to a process")
        return partial(type(self), **self._arguments), ()

    @abstractmethod
    def _size(self, request: Request) -> int:
        """Return how many replies one call can give."""

    @abstractmethod
    def _send(self, request: Request, first: int, n: int, seconds: float) -> Answer:
        """Make one attempt at one call for the replies from ``first`` on; raises :class:`Failure`."""

    def _limit(self, request: Request, n: int) -> int:
        """Return the limit on tokens that a call for n replies is sent with."""
        return request.max_tokens + self.endpoint.thinking_tokens

    def _bound(self, request: Request, n: int) -> Bound:
        return Bound(prompt_bound(request), n * self._limit(request, n))

    def _check(self, request: Request) -> None:
        for name in ("n", "max_tokens"):
            if getattr(request, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, not {getattr(request, name)}")
        raw = isinstance(request.prompt, str)
        if not (self.endpoint.continuation if raw else self.endpoint.chat):
            cannot = "continue a text" if raw else "hold a conversation"
            raise InvalidInput(f"{self._info.spec} cannot {cannot}; use another serializer or another model")
        try:
            json.dumps(_texts(request), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise InvalidInput("the prompt holds half a character (a lone surrogate), which cannot be sent") from None

    def _run(
        self,
        answer: Callable[[tuple[int, int, int]], Response],
        jobs: Sequence[tuple[int, int, int]],
        stop: threading.Event,
    ) -> list[Response]:
        if len(jobs) <= 1:
            return [answer(job) for job in jobs]
        pool = ThreadPoolExecutor(min(len(jobs), self.limits.concurrency), thread_name_prefix="llmopt-call")
        futures = [pool.submit(answer, job) for job in jobs]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            failed = next((future for future in futures if future in done and future.exception()), None)
            if failed is not None:
                stop.set()
                failed.result()
            return [future.result() for future in futures]
        finally:
            # After Ctrl-C or an error nothing more is sent, and what waits for an answer is given up.
            stop.set()
            pool.shutdown(cancel_futures=True)

    def _complete(
        self,
        request: Request,
        first: int,
        n: int,
        books: Account,
        stop: threading.Event,
        take: Callable[[int, Response], None],
    ) -> Response:
        whole = Response((), Usage())
        while len(whole.replies) < n:
            missing, number = n - len(whole.replies), first + len(whole.replies)
            answers: list[Answer] = []
            self._call(request, number, missing, books, stop, answers)
            usage = Usage()
            for answer in answers:
                usage = usage.plus(answer.usage or Usage(calls=1))
            part = Response(answers[-1].replies[:missing], usage)
            take(number, part)
            whole = _joined(whole, part)
        return whole

    def _call(
        self, request: Request, first: int, n: int, books: Account, stop: threading.Event, answers: list[Answer]
    ) -> None:
        """Append every answer to one call; the last of them holds replies."""
        bound = self._bound(request, n)
        tokens = bound.prompt_tokens + bound.completion_tokens
        clock = self.retries.clock
        with self.limits.slot(stop, books.until):
            admission = self._admitted(tokens, stop, books.until)

            def attempt(number: int, seconds: float) -> None:
                nonlocal admission
                until = clock.now() + seconds
                if number:
                    admission = self._admitted(tokens, stop, until)
                if stop.is_set() or self._closed.is_set():
                    raise ModelError(f"{self._info.spec}: the call was given up, or the model was closed")
                answer = self._booked(request, first, n, until - clock.now(), books, bound, stop, again=number > 0)
                if answer.usage is not None:
                    admission.tokens = answer.usage.prompt_tokens + answer.usage.completion_tokens
                answers.append(answer)
                if not answer.replies:
                    raise Failure("its answer holds no reply", again=True)

            self.retries.run(self._info.spec, attempt, stop=stop, until=books.until)

    def _admitted(self, tokens: int, stop: threading.Event, until: float) -> Admission:
        try:
            return self.limits.admit(tokens, stop, until)
        except ModelError as error:
            raise ModelError(f"{self._info.spec}: {error}") from None

    def _booked(
        self,
        request: Request,
        first: int,
        n: int,
        seconds: float,
        books: Account,
        bound: Bound,
        stop: threading.Event,
        *,
        again: bool,
    ) -> Answer:
        charge = books.call(bound, again=again)
        began = time.perf_counter()
        try:
            with exchange(seconds, stop):
                answer = self._send(request, first, n, seconds)
        except Failure as failure:
            (charge.lost if failure.lost else charge.free)(time.perf_counter() - began)
            # A longer wish ends this call; whoever comes next asks again.
            if failure.again and failure.after and failure.after <= _LONGEST_PAUSE:
                self.limits.pause(failure.after)
            if failure.refused:
                raise Failure(f"{failure}; {_named(request)}", again=False) from None
            raise
        except BaseException:
            charge.lost(time.perf_counter() - began)
            raise
        charge.settle(answer.usage, time.perf_counter() - began, written=answer.written)
        return answer


def _joined(whole: Response, part: Response) -> Response:
    return Response(whole.replies + part.replies, whole.usage.plus(part.usage))


def _named(request: Request) -> str:
    """Say which request it is, so that a user finds what is wrong with it."""
    last = _texts(request)[-1]
    return f"the request's last message has {len(last):,} characters and begins with {last[:_SHOWN]!r}"


def _texts(request: Request) -> list[str]:
    return [request.prompt] if isinstance(request.prompt, str) else [message.content for message in request.prompt]

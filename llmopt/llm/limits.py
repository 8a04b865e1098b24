"""How much may be asked of an endpoint at a time, by everyone together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm.retry import Clock

_WINDOW = 60.0
_STEP = 0.2


@dataclass
class Admission:
    """A call that was let through; ``tokens`` may be corrected when they are known."""

    at: float
    tokens: int


class Limits:
    """Limits shared by all users of an endpoint; may be given to several models of one account.

    Every call is given the first time at which no window of 60 s would hold more than is allowed, in the order in
    which calls arrive.

    Parameters
    ----------
    concurrency
        Calls in progress at the same time.
    requests_per_minute, tokens_per_minute
        None: not limited. A call counts with the most tokens that it can take until its answer says better.
    clock
        See :class:`llmopt.llm.retry.Clock`.

    Raises
    ------
    InvalidInput
        A limit is below 1.
    """

    def __init__(
        self,
        concurrency: int = 64,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        for name, value in (
            ("concurrency", concurrency),
            ("requests_per_minute", requests_per_minute),
            ("tokens_per_minute", tokens_per_minute),
        ):
            if value is not None and value < 1:
                raise InvalidInput(f"{name} must be at least 1, not {value}")
        self.concurrency = concurrency
        self._arguments = (concurrency, requests_per_minute, tokens_per_minute)
        self._requests = requests_per_minute
        self._tokens = tokens_per_minute
        self._clock = clock or Clock()
        self._slots = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._window: deque[Admission] = deque()
        self._not_before = float("-inf")

    @contextmanager
    def slot(self, stop: threading.Event, until: float = float("inf")) -> Iterator[None]:
        """Hold one of the places for calls in progress, waiting until one is free.

        Raises
        ------
        ModelError
            ``stop`` was set first, or it is later than ``until``.
        """
        while not self._slots.acquire(timeout=_STEP):
            if stop.is_set() or self._clock.now() > until:
                raise ModelError("the call was given up while it waited for its turn")
        try:
            yield
        finally:
            self._slots.release()

    def admit(self, tokens: int, stop: threading.Event, until: float = float("inf")) -> Admission:
        """Wait until a call of at most so many tokens may be sent.

        Raises
        ------
        ModelError
            It may not before ``until``.
        """
        with self._lock:
            now = self._clock.now()
            admission = Admission(max(now, self._not_before), tokens)
            if self._requests is not None or self._tokens is not None:
                admission.at = self._first_time(admission)
            if admission.at > until:
                raise ModelError(f"the next call may be sent in {admission.at - now:.0f} s, which is too late")
            if self._requests is not None or self._tokens is not None:
                self._window.append(admission)
        if admission.at > now:
            self._clock.sleep(admission.at - now, stop)
        return admission

    def __reduce__(self) -> tuple[type[Limits], tuple[int, int | None, int | None]]:
        # Another process keeps count by itself.
        return Limits, self._arguments

    def pause(self, seconds: float) -> None:
        """Let nobody begin a call for a while, because the endpoint asks for it."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock.now() + seconds)

    def _first_time(self, wanted: Admission) -> float:
        window = self._window
        at = max(wanted.at, window[-1].at) if window else wanted.at
        while window and window[0].at <= at - _WINDOW:
            window.popleft()
        leaving = list(window)
        count, tokens = len(leaving), sum(other.tokens for other in leaving)
        for other in leaving:
            many = self._requests is not None and count >= self._requests
            # A call that is larger than the limit is let through alone.
            much = self._tokens is not None and tokens + wanted.tokens > self._tokens
            if not (many or much):
                break
            at = max(at, other.at + _WINDOW)
            count, tokens = count - 1, tokens - other.tokens
        return at

"""The one owner of retries: what is tried again, when, and when to give up."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar

from llmopt.errors import ModelError

T = TypeVar("T")


class Failure(Exception):
    """One attempt at a call failed.

    Parameters
    ----------
    message
        Why, in a line without secrets.
    again
        Whether another attempt may succeed.
    after
        Seconds that the server asks to wait.
    lost
        Whether the server may have done, and charged for, the work.
    refused
        Whether the server finds fault with this request, and not with all.
    """

    def __init__(
        self, message: str, *, again: bool, after: float | None = None, lost: bool = False, refused: bool = False
    ) -> None:
        super().__init__(message)
        self.refused = refused
        self.again = again
        self.after = after
        self.lost = lost


class Clock:
    """Time, replaceable in tests."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        """Wait until the time is over or ``stop`` is set."""
        stop.wait(seconds)


class Circuit:
    """Refuses calls for a while after an endpoint failed several times with no success between.

    Calls that fail at the same time count once: they say the same thing.

    Parameters
    ----------
    after
        The number of failures that opens the circuit.
    rest
        Seconds until calls are let through again; the first failure then opens it again.
    clock
        See :class:`Clock`.
    """

    def __init__(self, after: int = 6, rest: float = 60.0, clock: Clock | None = None) -> None:
        self._after = after
        self._rest = rest
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._failures = 0
        self._last = float("-inf")
        self._message = ""

    def check(self) -> None:
        """Raise ModelError while the circuit is open."""
        with self._lock:
            closed_again = self._last + self._rest
            if self._failures < self._after or self._clock.now() >= closed_again:
                return
            raise ModelError(
                f"{self._after} attempts in a row failed, the last one because {self._message}; nothing more is sent "
                f"to this endpoint for {self._rest:g} s"
            )

    def failed(self, began: float, message: str) -> None:
        """Note that an attempt which began at that time failed."""
        with self._lock:
            if began < self._last:
                return
            self._failures = min(self._failures + 1, self._after)
            self._last = self._clock.now()
            self._message = message

    def succeeded(self) -> None:
        """Note that the endpoint answered."""
        with self._lock:
            self._failures = 0


class Retries:
    """Calls again what may succeed: exponential backoff with jitter, and what the server asks for.

    Parameters
    ----------
    attempts
        At most so many per call.
    first, longest
        Seconds before the second attempt, doubled from there on; and at most. A random part of up to a half is
        taken off, so that calls which failed together do not come back together.
    attempt_seconds
        Deadline of one attempt.
    call_seconds
        Deadline of a call with all its attempts.
    circuit
        Shared by everything that calls the endpoint.
    seed
        Of the jitter.
    clock
        See :class:`Clock`.
    """

    def __init__(
        self,
        *,
        attempts: int = 6,
        first: float = 0.5,
        longest: float = 30.0,
        attempt_seconds: float = 300.0,
        call_seconds: float = 600.0,
        circuit: Circuit | None = None,
        seed: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.circuit = circuit or Circuit(clock=self.clock)
        self._attempts = attempts
        self._first = first
        self._longest = longest
        self._attempt_seconds = attempt_seconds
        self._call_seconds = call_seconds
        self._random = random.Random(seed)
        self._arguments: dict[str, Any] = {
            "attempts": attempts,
            "first": first,
            "longest": longest,
            "attempt_seconds": attempt_seconds,
            "call_seconds": call_seconds,
            "seed": seed,
        }

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return partial(Retries, **self._arguments), ()

    def run(
        self, name: str, attempt: Callable[[int, float], T], *, stop: threading.Event, until: float = float("inf")
    ) -> T:
        """Return what ``attempt`` returns, given its number from 0 and the seconds that it may take.

        Parameters
        ----------
        name
            What is called, for messages.
        attempt
            Raises :class:`Failure`.
        stop
            Ends the waiting.
        until
            A time of the clock at which the call must be over, whatever its own deadline.

        Raises
        ------
        ModelError
            It cannot succeed, or not in time.
        """
        began = self.clock.now()
        until = min(until, began + self._call_seconds)
        number = 0
        while True:
            self.circuit.check()
            started = self.clock.now()
            left = until - started
            if left <= 0:
                raise ModelError(f"{name}: no time was left for the call")
            try:
                result = attempt(number, min(left, self._attempt_seconds))
            except Failure as error:
                failure = error
            else:
                self.circuit.succeeded()
                return result
            number += 1
            if stop.is_set():
                raise ModelError(f"{name}: the call was given up") from None
            if not failure.again:
                raise ModelError(f"{name}: {failure}") from None
            self.circuit.failed(started, f"{name}: {failure}")
            tries = f"{number} attempt{'s' if number > 1 else ''} in {self.clock.now() - began:.0f} s"
            if number >= self._attempts:
                raise ModelError(f"{name}: {failure} ({tries})") from None
            pause = self._pause(number, failure.after)
            if self.clock.now() + pause >= until:
                wish = f", which asks to wait {failure.after:.0f} s" if failure.after else ""
                raise ModelError(
                    f"{name}: {failure}{wish} ({tries}; the deadline leaves no time for another)"
                ) from None
            self.clock.sleep(pause, stop)

    def _pause(self, number: int, asked: float | None) -> float:
        pause = min(self._longest, self._first * 2.0 ** (number - 1)) * (1 - self._random.random() / 2)
        return pause if asked is None else asked + min(pause, 1.0)


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds of a ``Retry-After`` header, which is a number or a date; None where it is neither."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            date = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if seconds < float("inf") else None

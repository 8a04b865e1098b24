"""Parallel evaluations that end in an order of their own."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

_GATHER = 0.001
"""Seconds in which tasks are gathered before the first of them is done."""


class Shuffled(Executor):
    """Does its tasks one by one in a random order.

    Parameters
    ----------
    seed
        Of the order.

    Examples
    --------
    >>> with Shuffled(0) as executor:
    ...     list(executor.map(abs, [-1, -2]))
    [1, 2]
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._waiting: list[Callable[[], None]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:
                    future.set_exception(error)

        with self._changed:
            self._waiting.append(work)
            self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if wait:
            self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
            time.sleep(_GATHER)
            with self._changed:
                self._random.shuffle(self._waiting)
                gathered, self._waiting = self._waiting, []
            for work in gathered:
                work()

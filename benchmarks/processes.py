"""Runs of a benchmark in several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Lock

from llmopt.benchmarks.crew import Models, Take, Task, perform
from llmopt.benchmarks.record import Record, of_nothing
from llmopt.llm.base import LLM
from llmopt.runlog.writer import Statement

MOST_DEATHS = 3
"""A run whose process has died that often is a failed one."""

_BATCH_SECONDS = 0.1
_LARGEST_BATCH = 64
_SEND_SECONDS = 0.5

Message = tuple[int, Sequence[Statement], Record | None]
"""The number of a run, what it wants to be written and, when it has ended, its record."""


class Processes:
    """Processes of this machine do the runs; they share the models that are given.

    What a run writes comes to this process at least every half second of its steps, so that little is lost with a
    process that dies. Its runs are then done again, each in a process of its own, from where the log has them.

    Parameters
    ----------
    count
        How many.
    shared
        Models by their SPEC; others are opened by each process.
    """

    def __init__(self, count: int, shared: Mapping[str, LLM]) -> None:
        self._count = count
        self._shared = dict(shared)

    def work(self, tasks: Iterable[Task], take: Take, again: Callable[[Task], Task]) -> None:
        waiting = iter(tasks)
        while (lost := self._round(waiting, take, self._count)) is not None:
            for task in lost:
                self._alone(task, take, again)

    def _alone(self, task: Task, take: Take, again: Callable[[Task], Task]) -> None:
        """Do a run that may have killed its process."""
        for _ in range(MOST_DEATHS - 1):
            task = again(task)
            if not self._round(iter([task]), take, 1):
                return
        take(task, (), of_nothing(task.cell.identity, f"its process died {MOST_DEATHS} times (out of memory?)"))

    def _round(self, tasks: Iterator[Task], take: Take, count: int) -> list[Task] | None:
        """Do runs until there are none, or until a process dies; return those that were not finished then."""
        context = multiprocessing.get_context("spawn")
        reader, writer = context.Pipe(duplex=False)
        underway: dict[int, Task] = {}

        def deliver() -> None:
            number, statements, record = reader.recv()
            task = underway[number]
            if record is not None:
                del underway[number]
            take(task, statements, record)

        pool = ProcessPoolExecutor(count, context, _begin, (writer, context.Lock(), self._shared))
        batches: set[Future[float]] = set()
        size = 1
        try:
            while True:
                while len(batches) < 2 * count and (batch := list(islice(tasks, size))):
                    underway |= {task.excerpt.number: task for task in batch}
                    batches.add(pool.submit(_do, batch))
                if not batches and not underway:
                    return None
                if reader.poll(0.02):
                    deliver()
                for done in [batch for batch in batches if batch.done()]:
                    batches.remove(done)
                    size = max(1, min(_LARGEST_BATCH, 2 * size, int(size * _BATCH_SECONDS / max(done.result(), 1e-3))))
        except BrokenProcessPool:
            # With this last end closed, what the processes have sent ends where they died.
            writer.close()
            with suppress(EOFError, OSError, pickle.UnpicklingError):
                while True:
                    deliver()
            return list(underway.values())
        finally:
            pool.shutdown(wait=not underway, cancel_futures=True)
            for process in multiprocessing.active_children() if underway else ():
                process.terminate()
            writer.close()
            reader.close()


class _Outbox:
    """Gathers what a run writes, and sends it on now and then, in its order."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._gathered: list[Statement] = []
        self._sent = time.monotonic()

    def put(self, statements: Sequence[Statement]) -> None:
        self._gathered += statements
        if time.monotonic() - self._sent > _SEND_SECONDS:
            self.send(None)

    def send(self, record: Record | None) -> None:
        message: Message = self._number, self._gathered, record
        with _Process.lock:
            _Process.writer.send(message)
        self._gathered = []
        self._sent = time.monotonic()


class _Process:
    """What a process of the pool keeps between its runs."""

    writer: Connection
    lock: Lock
    models: Models


def _begin(writer: Connection, lock: Lock, shared: Mapping[str, LLM]) -> None:
    # Ctrl-C is for the process that writes; it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Process.writer, _Process.lock, _Process.models = writer, lock, Models(shared)


def _end_with_parent() -> None:
    # Of a parent that was killed, the pool would wait for work for ever.
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _do(batch: Sequence[Task]) -> float:
    """Do some runs; return the seconds that they took."""
    began = time.monotonic()
    for task in batch:
        outbox = _Outbox(task.excerpt.number)
        outbox.send(perform(task, outbox.put, _Process.models))
    return time.monotonic() - began

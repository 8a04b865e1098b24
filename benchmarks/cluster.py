"""Runs of a benchmark on a cluster of Dask's distributed scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from llmopt.benchmarks.crew import Models, Take, Task, perform
from llmopt.benchmarks.record import Record, of_nothing
from llmopt.llm.base import LLM
from llmopt.runlog.writer import Statement

if TYPE_CHECKING:
    from distributed import Client

_WAITING = 4
"""Tasks per thread that the scheduler knows at a time, so that a suite of any size takes little memory."""


class Cluster:
    """The workers of a cluster do the runs.

    What a run writes comes with its end. A worker that dies takes with it what it was at, and the scheduler gives that
    to another one.

    Parameters
    ----------
    client
        Is connected, see :func:`llmopt.integrations.dask.cluster`.
    shared
        Models that the workers can reach from where they are, by their SPEC; others are opened by each worker.
    """

    def __init__(self, client: Client, shared: Mapping[str, LLM]) -> None:
        self._client = client
        self._shared = dict(shared)

    def work(self, tasks: Iterable[Task], take: Take, again: Callable[[Task], Task]) -> None:
        from distributed import as_completed

        waiting = iter(tasks)
        threads = sum(self._client.nthreads().values())
        underway = {self._submit(task): task for task in islice(waiting, _WAITING * max(threads, 1))}
        done = as_completed(list(underway), loop=self._client.loop)
        for future in done:
            task = underway.pop(future)
            if future.status == "finished":
                statements, record = future.result()
            else:
                error = future.exception()
                statements, record = (), of_nothing(task.cell.identity, f"{type(error).__name__}: {error}")
            take(task, statements, record)
            for following in islice(waiting, 1):
                submitted = self._submit(following)
                underway[submitted] = following
                done.add(submitted)

    def _submit(self, task: Task) -> object:
        return self._client.submit(_do, task, self._shared, pure=False)


def _do(task: Task, shared: Mapping[str, LLM]) -> tuple[list[Statement], Record]:
    written: list[Statement] = []
    return written, perform(task, written.extend, Models(shared, _opened()))


@cache
def _opened() -> dict[str, LLM]:
    """Return the models that this worker has opened; they are closed with its process."""
    return {}

"""A slow run in a process of its own: ``python -m support.slow_run LOG SOLVER WORKERS CALLS [REPLIES]``."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmopt import Budget, Int, OptimizeResult, Problem, Solver, Vector, run
from llmopt.llm.base import Request, Response, Take, Usage
from llmopt.llm.local import from_spec
from llmopt.llm.replay import Replay
from llmopt.opro import OPRO
from llmopt.registry import create_solver
from llmopt.runlog import LogReader, RunLog, Slot

BUDGET = Budget(evaluations=40)
SEED = 5


class Slow(Problem):
    """A valley in whole numbers; every call is written to a file before it begins."""

    space = Vector(x=Int(-50, 50), y=Int(-50, 50))

    def __init__(self, calls: Path | None = None, seconds: float = 0.0) -> None:
        self._calls = calls
        self._seconds = seconds

    def evaluate(self, solution: Any) -> float:
        if self._calls is not None:
            file = os.open(self._calls, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, (json.dumps(solution) + "\n").encode())
            os.close(file)
        time.sleep(self._seconds)
        if solution["x"] == 7:
            raise ValueError("seven")
        return float((solution["x"] - 13) ** 2 + abs(solution["y"] + 8))

    def describe(self) -> str:
        return "Find whole numbers."


class OneByOne(Replay):
    """Takes its time over every recorded reply and hands it over at once; says in a file what it was asked.

    A reply is known by its seed, since some samples of a request may be asked for alone.
    """

    def __init__(self, folder: Path, asked: Path | None = None, seconds: float = 0.0) -> None:
        super().__init__(folder)
        self._asked = asked
        self._seconds = seconds
        self._replies = {}
        with LogReader(folder) as reader:
            for requests in reader.requests(reader.runs()[0]).values():
                for request in requests:
                    for sample, reply in request.replies.items():
                        self._replies[request.settings["seed"] + sample] = reply

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        return [self._deliver(i, request, take) for i, request in enumerate(requests)]

    def _deliver(self, i: int, request: Request, take: Take) -> Response:
        whole = Response((), Usage())
        for sample in range(request.n):
            seed = (request.seed or 0) + sample
            time.sleep(self._seconds)
            if self._asked is not None:
                with self._asked.open("a") as file:
                    file.write(f"{seed}\n")
            part = Response((self._replies[seed],), Usage(1, 10, 0, 3))
            take(i, sample, part)
            whole = Response(whole.replies + part.replies, whole.usage.plus(part.usage))
        return whole


def solver(name: str, replies: Path | None, asked: Path | None = None, seconds: float = 0.0) -> Solver:
    if name == "local":
        return OPRO(from_spec(""))
    if name == "opro":
        assert replies is not None
        return OPRO(OneByOne(replies, asked, seconds))
    return create_solver(name)


def perform(problem: Slow, solver: Solver, log: Path | None, workers: int = 1) -> OptimizeResult:
    if log is None:
        return run(problem, solver, BUDGET, seed=SEED, workers=workers)
    with RunLog(log) as opened:
        return run(problem, solver, BUDGET, seed=SEED, workers=workers, log=Slot(opened))


def main(log: str, name: str, workers: str, calls: str, *replies: str) -> None:
    asked = Path(calls).with_suffix(".asked")
    chosen = solver(name, Path(replies[0]) if replies else None, asked, 0.01)
    print("ready", flush=True)
    result = perform(Slow(Path(calls), 0.025), chosen, Path(log), int(workers))
    print(result.stop_reason, flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        # Ctrl-C may come when the run has ended and its log is being closed; the command line ends like this too.
        sys.exit(1)
